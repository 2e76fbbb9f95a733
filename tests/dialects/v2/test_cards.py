"""Students' printed cards at `/api/v2`: who makes and voids them, and what they open."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Card, Origin, User
from attendance.models import Mark
from audit.models import Entry
from audit.trail import trail
from classes.models import Enrolment
from core.limits import CARDS
from core.times import today
from tests.api.rest import snapshot
from tests.dialects.v2.rest import School, V2Rest, is_refused


@pytest.fixture
def mia(school: School) -> User:
    """A student of the class who has no e-mail."""
    mia = User.objects.create(name="Mia", roll_number="7", password="!")
    Enrolment.objects.create(class_ref=school.physics, student=mia)
    return mia


def made(rest: V2Rest, by: User, student: User) -> Any:
    answer = rest.as_(by).post(f"/students/{student.id}/card")
    assert answer.status == 201, answer.body
    return answer.data


def sign_in(rest: V2Rest, code: str) -> Any:
    return rest.post("/auth/card", {"code": code})


def test_a_card_signs_its_student_in(rest: V2Rest, school: School, mia: User) -> None:
    card = made(rest, school.co_teacher, mia)
    assert list(card) == ["code", "qr", "url"]
    assert card["url"] == f"http://testserver/app/card#{card['code']}"
    assert card["qr"].startswith("<svg")
    for code in (card["code"], card["url"], card["code"].replace("-", "").upper()):
        data = sign_in(rest, code).data
        assert data["user"]["_id"] == mia.id
        assert rest.get("/me", token=data["token"]).data == data["user"]


def test_of_a_card_nothing_is_stored_that_signs_in(rest: V2Rest, school: School, mia: User) -> None:
    card = made(rest, school.owner, mia)
    letters = card["code"].replace("-", "")
    assert len(letters) == 28
    trail.flush()
    stored = str(snapshot()) + str(list(Entry.objects.values_list()))
    assert card["code"] not in stored
    assert letters not in stored
    for hashed in Card.objects.values_list("secret_hash", flat=True):
        is_refused(sign_in(rest, hashed), 400, "invalid_card")


@pytest.mark.parametrize("ends", ["void", "another", "disabled", "teacher"])
def test_a_card_that_is_void_opens_nothing_more(rest: V2Rest, school: School, mia: User, ends: str) -> None:
    code = made(rest, school.owner, mia)["code"]
    token = sign_in(rest, code).data["token"]
    mia = User.objects.get(pk=mia.pk)
    match ends:
        case "void":
            for _ in range(2):
                assert rest.as_(school.owner).delete(f"/students/{mia.id}/card").status == 204
        case "another":
            made(rest, school.office, mia)
        case "disabled":
            mia.is_active = False
            mia.save()
        case "teacher":
            mia.role, mia.email = "teacher", "mia@example.com"
            mia.save()
    is_refused(sign_in(rest, code), 400, "invalid_card")
    is_refused(rest.get("/me", token=token), 401, "unauthorized")


def test_a_teacher_makes_cards_of_the_students_without_email_of_today(rest: V2Rest, school: School, mia: User) -> None:
    is_refused(rest.as_(school.owner).post(f"/students/{school.ann.id}/card"), 403, "office_only")
    is_refused(rest.as_(school.other_teacher).post(f"/students/{mia.id}/card"), 404, "student_not_found")
    Enrolment.objects.filter(student=mia).update(until=today() - timedelta(days=1))
    is_refused(rest.as_(school.owner).post(f"/students/{mia.id}/card"), 404, "student_not_found")
    assert not Card.objects.exists()
    for student in (mia, school.ann, school.stranger):
        made(rest, school.office, student)


def test_who_signed_up_as_a_teacher_makes_no_cards(rest: V2Rest, school: School, mia: User) -> None:
    User.objects.filter(pk=school.owner.pk).update(origin=Origin.SELF)
    for method in ("POST", "DELETE"):
        is_refused(rest.as_(school.owner)(method, f"/students/{mia.id}/card"), 403, "office_only")


def test_wrong_cards_are_limited_before_anything_is_compared(
    rest: V2Rest, school: School, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CARDS.__class__, "number", 2)
    code = made(rest, school.owner, mia)["code"]
    for _ in range(2):
        is_refused(sign_in(rest, "x" * 28), 400, "invalid_card")
    refused = sign_in(rest, code)
    is_refused(refused, 429, "too_many_requests")
    assert int(refused.response["Retry-After"]) > 0


def test_it_is_told_who_made_voided_and_used_a_card(rest: V2Rest, school: School, mia: User) -> None:
    code = made(rest, school.owner, mia)["code"]
    sign_in(rest, code)
    rest.as_(school.owner).delete(f"/students/{mia.id}/card")
    sign_in(rest, code)
    trail.flush()
    told = set(Entry.objects.values_list("actor", "way", "outcome", "thing"))
    assert {
        (school.owner.id, "card made", "done", mia.id),
        (school.owner.id, "card voided", "done", mia.id),
        (mia.id, "card", "done", ""),
        ("", "card", "refused", ""),
    } <= told


def test_a_card_at_the_door_marks_its_student(rest: V2Rest, school: School, mia: User) -> None:
    card = made(rest, school.owner, mia)
    other = made(rest, school.office, school.stranger)
    owner = rest.as_(school.owner)
    session = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    key = owner.post(f"/sessions/{session}/kiosk").data["key"]
    for code in (card["url"], card["code"], "7"):
        marked = rest.post("/kiosk/marks", {"code": code}, token=key).data
        assert marked == {"className": "Physics", "name": "Mia", "status": "present"}
    is_refused(rest.post("/kiosk/marks", {"code": other["url"]}, token=key), 409, "student_not_enrolled")
    assert list(Mark.objects.values_list("student_id", flat=True)) == [mia.id]
