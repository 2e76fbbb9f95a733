"""The keys of e-mails and roll numbers: which spellings are one, and which are not."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.emails import email_key, valid_email
from core.roll_numbers import by_roll_number, roll_number_key

ANN = "ann@school.example"


@pytest.mark.parametrize(
    "spelled",
    [
        "ann@school.example",
        "Ann@School.EXAMPLE",
        "ann@school.example\u200b",
        "a\u200bnn@school.example",
        "ann@sch\u00adool.example",
        "\u2066ann@school.example\u2069",
        "\ufeffann@school.example",
        "ann@ｓｃｈｏｏｌ.example",
        "ａｎｎ@school.example",
        "ＡＮＮ@SCHOOL.example",
        "ann@school。example",
        "ann\u034f@school.example",
    ],
)
def test_spellings_that_look_the_same_have_one_key(spelled: str) -> None:
    assert email_key(spelled) == ANN


def test_a_domain_has_its_idna_form() -> None:
    assert email_key("Zoë@MÜNCHEN.example") == "zoë@xn--mnchen-3ya.example"
    assert email_key("zoe@xn--MNCHEN-3ya.example") == email_key("zoe@mu\u0308nchen.example")
    assert email_key("zoe@straße.example") == "zoe@strasse.example"  # where Django's mails to it go


@pytest.mark.parametrize(
    "other", ["ann@school.example.com", "anne@school.example", "a.nn@school.example", "ann@schoo1.example"]
)
def test_other_addresses_have_other_keys(other: str) -> None:
    assert email_key(other) != ANN


@given(st.text())
def test_a_key_is_its_own_key_for_any_text(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)
    assert email_key(f"{text}@{text}") == email_key(email_key(f"{text}@{text}"))
    assert roll_number_key(roll_number_key(text)) == roll_number_key(text)


@given(st.text(max_size=64))
def test_the_key_of_a_roll_number_fits_its_column(text: str) -> None:
    assert len(roll_number_key(text) or "") <= 192


@pytest.mark.parametrize(
    "address", ["ann@school.example", "zoe@münchen.example", "ann@ｓｃｈｏｏｌ.example", '"a.b"@x.example']
)
def test_an_address_of_one_mailbox_is_valid(address: str) -> None:
    valid_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "ann",
        "ann@",
        "ann@nowhere",
        "\u017fam@school.example",
        "\u212aim@school.example",
        f"x@{'㎢' * 60}.{'㎢' * 30}.example",
    ],
)
def test_what_is_no_address_or_another_mailbox_than_its_key_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        valid_email(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [("CS-101", "cs-101"), ("É-1", "E\u0301-1"), (" 0012 ", "0012"), ("12\u200b", "12"), ("\u200e12\xa0", "12")],
)
def test_spellings_of_a_roll_number_have_one_key(one: str, other: str) -> None:
    assert roll_number_key(one) == roll_number_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("0012", "12"), ("①", "1"), ("１２", "12"), ("CS 101", "CS101"), ("E-1", "É-1")]
)
def test_other_roll_numbers_have_other_keys(one: str, other: str) -> None:
    assert roll_number_key(one) != roll_number_key(other)


@pytest.mark.parametrize("nothing", [None, "", " ", "\u200b"])
def test_no_roll_number_has_no_key(nothing: str | None) -> None:
    assert roll_number_key(nothing) is None


def test_a_roll_number_is_found_in_any_spelling_and_its_own_spelling_first() -> None:
    find = by_roll_number({"CS-1": "first", "cs-1": "second", "É": "third"})
    assert [find("CS-1"), find("cs-1"), find("E\u0301"), find("7")] == ["first", "second", "third", None]
