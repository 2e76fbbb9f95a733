"""Printed cards in front of browsers: a class's are made, printed once and voided, and one of them signs in."""

import re
from collections.abc import Callable

import pytest

from accounts.cards import MOST, card_holder
from accounts.models import Card, User
from classes.models import Enrolment
from tests.api.rest import School
from tests.support.http import Client
from tests.web.people import signed_in, text_of, words_of


@pytest.fixture
def mia(school: School) -> User:
    """A student of the class who has no e-mail."""
    mia = User.objects.create(name="Mia & Co", roll_number="7", password="!")
    Enrolment.objects.create(class_ref=school.physics, student=mia)
    return mia


@pytest.fixture
def path(school: School) -> str:
    return f"/app/classes/{school.class_id}/cards"


def made(browser: Client, path: str, *students: User) -> str:
    """The sheet of new cards, as HTML."""
    return text_of(browser.post(path, {"student": [student.id for student in students]}))


def test_a_sheet_has_each_card_once_with_name_number_and_code(
    owner: Client, school: School, mia: User, path: str
) -> None:
    listed = text_of(owner.get(path))
    assert re.findall(r'name="student" value="(\w+)"', listed) == [mia.id]
    assert "The office makes this one." in words_of(listed)
    sheet = made(owner, path, mia, school.student)
    assert sheet.count("<svg") == 1 + text_of(owner.get(path)).count("<svg")
    assert "Mia &amp; Co" in sheet
    assert ">7<" in sheet
    assert list(Card.objects.values_list("user_id", "made_by_id")) == [(mia.id, school.owner.id)]
    assert "Owner" in words_of(text_of(owner.get(path)))


def test_nobody_chosen_and_too_many_make_no_card(
    owner: Client, school: School, mia: User, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Choose the students" in text_of(owner.post(path, {"student": [school.student.id, "nobody"]}), 400)
    monkeypatch.setattr("web.views.cards.MOST", 0)
    assert "At most 0 cards" in text_of(owner.post(path, {"student": [mia.id]}), 400)
    assert MOST >= 200
    assert not Card.objects.exists()


def test_a_new_card_for_who_has_one_is_made_after_a_question(
    owner: Client, school: School, mia: User, path: str
) -> None:
    made(owner, path, mia)
    old = Card.objects.get().secret_hash
    asked = text_of(owner.post(path, {"student": [mia.id]}))
    assert "1 of them has a card, which opens nothing any more" in words_of(asked)
    assert re.findall(r'name="student" value="(\w+)" checked', asked) == [mia.id]
    assert Card.objects.get().secret_hash == old
    assert "<svg" in text_of(owner.post(path, {"student": [mia.id], "sure": "1"})).partition("printed-cards")[2]
    assert Card.objects.get().secret_hash != old


def test_a_teacher_who_can_make_no_card_is_told_who_does(owner: Client, school: School, path: str) -> None:
    listed = text_of(owner.get(path))
    assert "The office makes the cards of these students." in words_of(listed)
    assert "Make new cards" not in listed


def test_a_card_that_is_voided_signs_nobody_in(
    owner: Client, school: School, mia: User, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[str] = []

    def draw(url: str, **_: object) -> str:
        codes.append(url)
        return ""

    monkeypatch.setattr("accounts.cards.qr_svg", draw)
    made(owner, path, mia)
    pupil = Client()
    answer = pupil.post("/app/card", {"code": codes[0]})
    assert answer["Location"] == "/app/"
    assert "Mia &amp; Co" in text_of(pupil.get("/app/"))
    said = owner.post(f"/app/classes/{school.class_id}/students/{mia.id}/card/void")
    assert said["Location"] == path
    assert card_holder(codes[0]) is None
    assert pupil.get("/app/me/")["Location"].startswith("/app/sign-in")
    assert "This card is not good" in text_of(pupil.post("/app/card", {"code": codes[0]}), 400)


def test_the_office_makes_the_card_of_a_student_who_has_an_email(
    school: School, path: str, make_boss: Callable[[], User]
) -> None:
    boss = signed_in(make_boss())
    made(boss, path, school.student)
    assert Card.objects.filter(user=school.student).exists()


def test_the_pages_ask_before_they_sign_somebody_else_out(owner: Client) -> None:
    page = text_of(owner.get("/app/card"))
    assert "data-asks" in page
    assert "Owner is signed in here" in words_of(page)
    assert "data-asks" not in text_of(Client().get("/app/card"))
