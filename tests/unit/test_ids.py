"""core.ids reads an id in one way, makes them in order, and stores them as 24 characters."""

import os

import pytest
from bson import ObjectId
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from classes.models import Class
from core.ids import ObjectIdField, id_field, new_id, parse_id

REAL = "0123456789abcdefABCDEF01"
HEX = "0123456789abcdefABCDEF"


@given(text=st.text(st.sampled_from(HEX), min_size=24, max_size=24))
def test_24_hex_digits_are_an_id_in_lower_case(text: str) -> None:
    assert parse_id(text) == text.lower()


@given(text=st.text() | st.text(st.sampled_from(HEX + "g\n "), min_size=23, max_size=25))
def test_a_text_that_is_not_24_hex_digits_is_no_id(text: str) -> None:
    is_id = len(text) == 24 and all(character in HEX for character in text)
    assert parse_id(text) == (text.lower() if is_id else None)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "abc",
        REAL[:-1],
        REAL + "0",
        "z" * 24,
        "\uff11" * 24,
        "\u0661" * 24,
        REAL + "\n",
        " " + REAL,
        REAL + " ",
        REAL + "\0",
        REAL[:-1] + "\n",
        '{"$ne":1}',
        "' OR 1=1--",
        None,
        True,
        5,
        10**23,
        1.5,
        [],
        [REAL],
        {"$ne": 1},
        {"$oid": REAL},
        REAL.encode(),
    ],
)
def test_none_of_the_bad_ids_that_tests_share_is_an_id(value: object) -> None:
    assert parse_id(value) is None


def test_new_ids_are_ids_and_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ObjectId, "_inc", 0)  # it begins anywhere, and anew after 16 million
    made = [new_id() for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert all(parse_id(value) == value for value in made)


def test_the_field_is_24_characters_and_keeps_its_options_out_of_migrations() -> None:
    field = id_field()
    assert (field.max_length, field.primary_key, field.editable, field.default) == (24, True, False, new_id)
    _, path, args, kwargs = field.deconstruct()
    assert (path, args) == ("core.ids.ObjectIdField", [])
    assert "max_length" not in kwargs
    assert ObjectIdField(**kwargs).max_length == 24


@pytest.mark.parametrize("value", ["abc", "", 5, "z" * 24, REAL + "\n"])
def test_the_field_refuses_what_is_no_id_before_the_database_sees_it(value: object) -> None:
    with pytest.raises(ValidationError):
        id_field().to_python(value)
    with pytest.raises(ValidationError):
        id_field().get_prep_value(value)


def test_the_field_passes_nothing_and_lowers_letters() -> None:
    field = id_field()
    assert field.to_python(None) is None
    assert field.get_prep_value(None) is None
    assert field.to_python(REAL) == field.get_prep_value(REAL) == REAL.lower()


@pytest.mark.django_db
def test_a_row_has_its_id_before_it_is_written_and_is_found_in_either_case() -> None:
    teacher = User(name="T", email="t@example.com", role="teacher", password="!")
    teacher.save(force_insert=True)
    made = Class(id="ab" * 12, name="Art", teacher=teacher)
    made.save(force_insert=True)
    assert parse_id(teacher.id) == teacher.id
    assert Class.objects.get(pk="AB" * 12).id == "ab" * 12


def test_a_process_makes_ids_in_order_that_its_fork_does_not_make() -> None:
    made = [new_id() for _ in range(1000)]
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    of_fork = os.read(reading, 24).decode()
    assert made == sorted(set(made))
    assert all(ObjectId(each).generation_time for each in made)
    assert of_fork[8:18] != made[-1][8:18] == new_id()[8:18]
    for end in (reading, writing):
        os.close(end)
