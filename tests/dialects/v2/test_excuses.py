"""Absences that students announce at `/api/v2`: decided by class, and applied when a lesson starts."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from attendance.models import Attendance, Excuse, Mark, Session
from attendance.services import session_end_forgotten
from classes.models import Class, Enrolment
from core import limits
from core.times import now, to_iso, today
from tests.dialects.v2.rest import UNKNOWN_ID, Asking, School, V2Rest, is_refused


@pytest.fixture
def ann(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.ann)


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


def days(first: int = 0, last: int = 0, **fields: Any) -> dict[str, Any]:
    """The body of an excuse for whole days, so many days from today."""
    first_day, last_day = today() + timedelta(days=first), today() + timedelta(days=last)
    return {"from": str(first_day), "until": str(last_day), "note": "dentist", **fields}


def start(owner: Asking, school: School) -> Any:
    """The lines of a lesson that starts now: each student's status, by name."""
    session = owner.post(f"/classes/{school.class_id}/sessions").data
    return {line["name"]: line["status"] for line in session["roster"]}


def test_an_excuse_is_announced_seen_and_approved(ann: Asking, owner: Asking, school: School) -> None:
    made = ann.post("/excuses", days(1, 3, classId=school.class_id))
    assert made.status == 201
    assert made.data == {
        "_id": made.data["_id"],
        "studentId": school.ann.id,
        "name": "Ann",
        "from": str(today() + timedelta(days=1)),
        "until": str(today() + timedelta(days=3)),
        "note": "dentist",
        "state": "asked",
        "classes": [{"classId": school.class_id, "className": "Physics", "state": "asked", "decidedAt": None}],
        "createdAt": made.data["createdAt"],
    }
    assert owner.get("/excuses").data == {"items": [made.data], "next": None}
    changed = owner.patch(f"/excuses/{made.data['_id']}", {"state": "approved"}).data
    assert (changed["state"], changed["classes"][0]["state"]) == ("approved", "approved")
    assert ann.get(f"/excuses/{made.data['_id']}").data == changed


def test_an_approved_excuse_is_applied_when_the_lesson_starts(ann: Asking, owner: Asking, school: School) -> None:
    made = ann.post("/excuses", days()).data
    owner.patch(f"/excuses/{made['_id']}", {"state": "approved"})
    assert start(owner, school) == {"Ann": "excused", "Ben": None}
    mark = Mark.objects.get()
    assert (mark.method, mark.by_id, mark.note) == ("auto", school.owner.id, "announced")
    session = Session.objects.get()
    owner.post(f"/sessions/{session.id}/end")
    assert dict(Attendance.objects.values_list("student__name", "status")) == {"Ann": "excused", "Ben": "absent"}
    report = owner.get(f"/classes/{school.class_id}/report").data
    assert [(row["name"], row["total"]) for row in report["rows"]] == [("Ann", 0), ("Ben", 1)]


def test_a_teacher_overrules_what_an_excuse_did(ann: Asking, owner: Asking, school: School) -> None:
    owner.patch(f"/excuses/{ann.post('/excuses', days()).data['_id']}", {"state": "approved"})
    start(owner, school)
    session = Session.objects.get().id
    is_refused(owner.post(f"/sessions/{session}/undo"), 409, "nothing_to_undo")  # nobody's action
    owner.post(f"/sessions/{session}/marks", {"marks": [{"studentId": school.ann.id, "status": "late"}]})
    assert owner.get(f"/sessions/{session}").data["counts"]["late"] == 1


@pytest.mark.parametrize("state", ["asked", "refused", "withdrawn"])
def test_an_excuse_that_is_not_approved_changes_nothing(ann: Asking, owner: Asking, school: School, state: str) -> None:
    path = f"/excuses/{ann.post('/excuses', days()).data['_id']}"
    if state == "refused":
        owner.patch(path, {"state": "approved"})  # a teacher may change their mind
        owner.patch(path, {"state": "refused"})
    elif state == "withdrawn":
        owner.patch(path, {"state": "approved"})
        assert ann.patch(path, {"state": "withdrawn"}).data["state"] == "withdrawn"
    assert owner.get(path).data["state"] == state
    assert start(owner, school) == {"Ann": None, "Ben": None}


def test_an_excuse_holds_in_its_time_alone(ann: Asking, owner: Asking, school: School) -> None:
    moment = now()
    later = {"from": to_iso(moment + timedelta(hours=1)), "until": to_iso(moment + timedelta(hours=2)), "note": "bus"}
    made = ann.post("/excuses", later).data
    assert (made["from"], made["until"]) == (later["from"], later["until"])
    owner.patch(f"/excuses/{made['_id']}", {"state": "approved"})
    tomorrow = ann.post("/excuses", days(1, 1)).data
    owner.patch(f"/excuses/{tomorrow['_id']}", {"state": "approved"})
    assert start(owner, school) == {"Ann": None, "Ben": None}
    Session.objects.all().delete()
    Excuse.objects.filter(pk=made["_id"]).update(since=moment - timedelta(minutes=1))
    assert start(owner, school)["Ann"] == "excused"


def test_a_lesson_in_which_only_excuses_made_marks_is_voided_when_forgotten(
    ann: Asking, owner: Asking, school: School
) -> None:
    owner.patch(f"/excuses/{ann.post('/excuses', days()).data['_id']}", {"state": "approved"})
    start(owner, school)
    Session.objects.update(last_activity_at=now() - timedelta(days=1))
    session_end_forgotten(session_id=Session.objects.get().id)
    assert (Session.objects.get().state, Attendance.objects.count()) == ("voided", 0)


def test_each_classs_teachers_decide_for_their_class_alone(rest: V2Rest, ann: Asking, school: School) -> None:
    art = Class.objects.create(name="Art", teacher=school.other_teacher)
    Enrolment.objects.create(class_ref=art, student=school.ann)
    made = ann.post("/excuses", days()).data
    assert sorted(one["className"] for one in made["classes"]) == ["Art", "Physics"]
    path = f"/excuses/{made['_id']}"
    other = rest.as_(school.other_teacher)
    seen = other.patch(path, {"state": "approved"}).data
    assert ([one["className"] for one in seen["classes"]], seen["state"]) == (["Art"], "approved")
    assert {one["className"]: one["state"] for one in ann.get(path).data["classes"]} == {
        "Art": "approved",
        "Physics": "asked",
    }
    assert ann.get(path).data["state"] == "asked"
    assert start(rest.as_(school.owner), school)["Ann"] is None
    both = rest.as_(school.office).patch(path, {"state": "refused"}).data
    assert {one["state"] for one in both["classes"]} == {"refused"}


def test_who_does_what_with_an_excuse(rest: V2Rest, ann: Asking, owner: Asking, school: School) -> None:
    path = f"/excuses/{ann.post('/excuses', days()).data['_id']}"
    is_refused(ann.patch(path, {"state": "approved"}), 403, "teachers_only")
    is_refused(owner.patch(path, {"state": "withdrawn"}), 403, "student_only")
    for who in (school.ben, school.stranger, school.other_teacher):
        is_refused(rest.as_(who).get(path), 404, "excuse_not_found")
        is_refused(rest.as_(who).patch(path, {"state": "approved"}), 404, "excuse_not_found")
        assert rest.as_(who).get("/excuses").data["items"] == []
    ann.patch(path, {"state": "withdrawn"})
    is_refused(owner.patch(path, {"state": "approved"}), 409, "excuse_withdrawn")
    is_refused(owner.get(f"/excuses/{UNKNOWN_ID}"), 404, "excuse_not_found")


def test_a_decision_on_what_has_changed_is_refused(ann: Asking, owner: Asking, school: School) -> None:
    made = ann.post("/excuses", days())
    path, tag = f"/excuses/{made.data['_id']}", made.response["ETag"]
    changed = owner.patch(path, {"state": "approved"}, **{"If-Match": tag})
    assert changed.status == 200
    is_refused(owner.patch(path, {"state": "refused"}, **{"If-Match": tag}), 412, "changed")
    assert owner.patch(path, {"state": "refused"}, **{"If-Match": changed.response["ETag"]}).status == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"until": "2020-01-01"}, "until"),
        ({"from": "2020-01-01", "until": "2020-01-02"}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"until": to_iso(now() + timedelta(days=2))}, "until"),
        ({"from": "soon"}, "from"),
        ({"until": str(today() + timedelta(days=400))}, "until"),
        ({"until": 5}, "until"),
        ({"note": " "}, "note"),
        ({"note": "x" * 256}, "note"),
    ],
)
def test_a_bad_excuse_is_refused_by_field(ann: Asking, change: dict[str, Any], field: str) -> None:
    answer = ann.post("/excuses", {**days(), **change})
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]
    assert not Excuse.objects.exists()


def test_only_who_attends_the_class_then_is_excused_from_it(rest: V2Rest, ann: Asking, school: School) -> None:
    is_refused(rest.as_(school.stranger).post("/excuses", days()), 403, "not_enrolled")
    is_refused(rest.as_(school.stranger).post("/excuses", days(classId=school.class_id)), 404, "class_not_found")
    Enrolment.objects.filter(student=school.ann).update(until=today() + timedelta(days=2))
    is_refused(ann.post("/excuses", days(3, 4)), 403, "not_enrolled")
    assert ann.post("/excuses", days(2, 4)).status == 201


def test_too_many_excuses_wait(ann: Asking, school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXCUSES", replace(limits.EXCUSES, fixed=1))
    assert ann.post("/excuses", days()).status == 201
    is_refused(ann.post("/excuses", days()), 429, "too_many_requests")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Africa/Cairo", date(2027, 4, 30), 23),  # its midnight does not exist
        ("Europe/Berlin", date(2027, 10, 31), 25),
        ("Asia/Kolkata", date(2027, 1, 5), 24),
    ],
)
def test_a_day_is_the_schools_whatever_its_clocks_do(
    ann: Asking, settings: Settings, zone: str, day: date, hours: int
) -> None:
    settings.TIME_ZONE = zone
    made = ann.post("/excuses", {"from": str(day), "until": str(day), "note": "away"}).data
    assert (made["from"], made["until"]) == (str(day), str(day))
    excuse = Excuse.objects.get()
    assert excuse.until - excuse.since == timedelta(hours=hours)
    assert isinstance(excuse.since, datetime)
