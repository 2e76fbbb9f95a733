"""Kiosks: a key for one session, with which its students are marked by roll number and nothing else is done."""

from datetime import timedelta

import pytest

from accounts.tokens import void_all
from attendance.models import Mark
from classes.models import CoTeacher
from core.times import now
from tests.api.rest import Answer, make_user
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


@pytest.fixture
def session(owner: Asking, school: School) -> str:
    return str(owner.post(f"/classes/{school.class_id}/sessions").data["_id"])


def key_of(asking: Asking, session: str) -> str:
    return str(asking.post(f"/sessions/{session}/kiosk").data["key"])


def mark(key: str, code: str) -> Answer:
    return V2Rest().post("/kiosk/marks", {"code": code}, token=key)


def test_a_student_is_marked_by_roll_number_once(owner: Asking, session: str, school: School) -> None:
    key = key_of(owner, session)
    for _ in range(2):
        assert mark(key, "1").data == {"className": "Physics", "name": "Ann", "status": "present"}
    assert list(Mark.objects.values_list("student_id", "by_id", "method")) == [(school.ann.id, school.owner.id, "self")]


def test_only_students_of_the_roster_are_marked(owner: Asking, session: str) -> None:
    make_user("Kim", roll_number="77")
    key = key_of(owner, session)
    for code in ("77", "none", "0"):
        is_refused(mark(key, code), 409, "student_not_enrolled")
    assert not Mark.objects.exists()


def test_a_key_opens_nothing_else(owner: Asking, session: str, school: School) -> None:
    key = key_of(owner, session)
    for path in ("/me", f"/sessions/{session}", f"/classes/{school.class_id}"):
        is_refused(V2Rest().get(path, token=key), 401, "unauthorized")
    is_refused(mark(owner.token, "1"), 401, "unauthorized")
    is_refused(mark(key + "x", "1"), 401, "unauthorized")


def test_a_key_ends_with_its_session_its_time_and_its_makers_part(
    rest: V2Rest, owner: Asking, session: str, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, key = key_of(rest.as_(school.co_teacher), session), key_of(owner, session)
    CoTeacher.objects.all().delete()
    is_refused(mark(shared, "1"), 401, "unauthorized")
    voided = key
    void_all(school.owner.id)
    is_refused(mark(voided, "1"), 401, "unauthorized")
    school.owner.refresh_from_db()
    owner = rest.as_(school.owner)
    key = key_of(owner, session)
    assert mark(key, "2").status == 200
    with monkeypatch.context() as patched:
        patched.setattr("django.core.signing.time.time", lambda: (now() + timedelta(hours=13)).timestamp())
        is_refused(mark(key, "1"), 401, "unauthorized")
    owner.post(f"/sessions/{session}/end")
    is_refused(mark(key, "1"), 409, "no_active_session")
    is_refused(owner.post(f"/sessions/{session}/kiosk"), 409, "no_active_session")
