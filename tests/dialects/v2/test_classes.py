"""Classes, co-teachers and students of `/api/v2`."""

from datetime import timedelta
from typing import Any

import pytest

from classes.models import Enrolment
from core.times import today
from tests.api.rest import make_user
from tests.dialects.v2.rest import UNKNOWN_ID, Asking, School, V2Rest, is_refused


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


def day(offset: int) -> str:
    """The day so many days from today."""
    return str(today() + timedelta(days=offset))


def test_a_class_is_made_renamed_archived_and_taken_back(owner: Asking) -> None:
    made = owner.post("/classes", {"className": " Art "}).data
    assert (made["className"], made["archived"], made["students"], made["part"]) == ("Art", False, 0, "owner")
    path = f"/classes/{made['_id']}"
    assert owner.patch(path, {"className": "Arts"}).data["className"] == "Arts"
    assert owner.patch(path, {"archived": True}).data["archived"] is True
    assert owner.get(path).data["className"] == "Arts"
    assert [one["_id"] for one in owner.get("/classes?archived=true").data["items"]] == [made["_id"]]
    assert owner.patch(path, {"archived": False}).data == {**made, "className": "Arts"}


def test_the_list_has_the_classes_of_an_owner_of_a_co_teacher_and_for_the_office_all(
    rest: V2Rest, school: School
) -> None:
    parts = {}
    for person in (school.owner, school.co_teacher, school.other_teacher, school.office):
        parts[person.name] = [one["part"] for one in rest.as_(person).get("/classes").data["items"]]
    assert parts == {"Owner": ["owner"], "Colleague": ["co-teacher"], "Other": [], "Office": ["office"]}


def test_classes_come_in_pages(owner: Asking, school: School) -> None:
    made = [owner.post("/classes", {"className": name}).data["_id"] for name in "ABC"]
    first = owner.get("/classes?limit=3").data
    assert [one["_id"] for one in first["items"]] == made
    second = owner.get(f"/classes?limit=3&after={first['next']}").data
    assert ([one["_id"] for one in second["items"]], second["next"]) == ([school.class_id], None)


@pytest.mark.parametrize(
    "body",
    [{}, {"className": ""}, {"className": " "}, {"className": 5}, {"className": None}, {"className": "x" * 256}],
)
def test_a_bad_body_names_its_fields(owner: Asking, body: dict[str, Any]) -> None:
    answer = owner.post("/classes", body)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == ["className"]


def test_a_class_that_never_had_a_session_can_be_deleted(owner: Asking, school: School) -> None:
    assert owner.delete(f"/classes/{school.class_id}").status == 204
    is_refused(owner.get(f"/classes/{school.class_id}"), 404, "class_not_found")
    is_refused(owner.delete(f"/classes/{school.class_id}"), 404, "class_not_found")


def test_a_class_with_sessions_stays(owner: Asking, school: School) -> None:
    owner.post(f"/classes/{school.class_id}/sessions")
    is_refused(owner.delete(f"/classes/{school.class_id}"), 409, "class_has_sessions")


def test_a_change_of_what_was_read_is_refused_once_it_has_changed(owner: Asking, school: School) -> None:
    path = f"/classes/{school.class_id}"
    read = owner.get(path).response["ETag"]
    changed = owner.patch(path, {"className": "Art"}, **{"If-Match": read})
    assert changed.data["className"] == "Art"
    is_refused(owner.patch(path, {"className": "Music"}, **{"If-Match": read}), 412, "changed")
    assert owner.patch(path, {"className": "Music"}, **{"If-Match": changed.response["ETag"]}).status == 200
    assert owner.patch(path, {"className": "Dance"}, **{"If-Match": "*"}).status == 200


# Co-teachers


def test_the_owner_adds_and_removes_co_teachers(rest: V2Rest, owner: Asking, school: School) -> None:
    path, other = f"/classes/{school.class_id}/teachers", school.other_teacher
    assert owner.post(path, {"email": "OTHER@example.com"}).data == {
        "_id": other.id,
        "name": "Other",
        "email": "Other@example.com",
        "owner": False,
    }
    assert owner.post(path, {"email": other.email}).status == 201
    assert [(one["name"], one["owner"]) for one in owner.get(path).data["items"]] == [
        ("Owner", True),
        ("Colleague", False),
        ("Other", False),
    ]
    assert rest.as_(other).get(f"/classes/{school.class_id}").status == 200
    assert owner.delete(f"{path}/{other.id}").status == 204
    is_refused(rest.as_(other).get(f"/classes/{school.class_id}"), 404, "class_not_found")
    is_refused(owner.delete(f"{path}/{other.id}"), 404, "teacher_not_found")
    is_refused(owner.delete(f"{path}/{school.owner.id}"), 404, "teacher_not_found")


@pytest.mark.parametrize("email", ["nobody@example.com", "Ann@example.com"])
def test_only_a_teacher_becomes_a_co_teacher(owner: Asking, school: School, email: str) -> None:
    is_refused(owner.post(f"/classes/{school.class_id}/teachers", {"email": email}), 404, "teacher_not_found")


# Students


@pytest.mark.parametrize("name", ["studentId", "email", "rollNumber"])
def test_a_student_is_enrolled_by_id_address_or_roll_number(owner: Asking, school: School, name: str) -> None:
    kim = make_user("Kim", roll_number="77")
    named = {"studentId": kim.id, "email": "KIM@example.com", "rollNumber": "77"}[name]
    added = owner.post(f"/classes/{school.class_id}/students", {name: named}).data
    assert added == {
        "_id": kim.id,
        "name": "Kim",
        "email": "Kim@example.com",
        "rollNumber": "77",
        "from": day(0),
        "until": None,
    }
    is_refused(owner.post(f"/classes/{school.class_id}/students", {name: named}), 409, "already_enrolled")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "studentId"),
        ({"studentId": UNKNOWN_ID, "email": "a@example.com"}, "studentId"),
        ({"studentId": UNKNOWN_ID, "from": "tomorrow"}, "from"),
        ({"studentId": UNKNOWN_ID, "from": "2025-02-30"}, "from"),
        ({"studentId": UNKNOWN_ID, "until": 5}, "until"),
    ],
)
def test_a_bad_enrolment_names_its_fields(owner: Asking, school: School, body: dict[str, Any], field: str) -> None:
    answer = owner.post(f"/classes/{school.class_id}/students", body)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]


@pytest.mark.parametrize("body", [{"studentId": UNKNOWN_ID}, {"email": "owner@example.com"}, {"rollNumber": "no"}])
def test_only_a_student_is_enrolled(owner: Asking, school: School, body: dict[str, str]) -> None:
    is_refused(owner.post(f"/classes/{school.class_id}/students", body), 404, "student_not_found")


def test_who_is_enrolled_from_a_day_to_come_is_not_on_the_roster_before(owner: Asking, school: School) -> None:
    path = f"/classes/{school.class_id}/students"
    owner.post(path, {"studentId": school.stranger.id, "from": day(1), "until": day(3)})
    assert len(owner.get(path).data["items"]) == 3
    assert owner.get(f"/classes/{school.class_id}").data["students"] == 2
    roster = owner.post(f"/classes/{school.class_id}/sessions").data["roster"]
    assert [line["name"] for line in roster] == ["Ann", "Ben"]


def test_both_days_of_an_enrolment_count(owner: Asking, school: School) -> None:
    owner.post(f"/classes/{school.class_id}/students", {"studentId": school.stranger.id, "until": day(0)})
    assert owner.get(f"/classes/{school.class_id}").data["students"] == 3


def test_the_last_day_is_not_before_the_first(owner: Asking, school: School) -> None:
    path = f"/classes/{school.class_id}/students"
    wrong = {"from": day(0), "until": day(-1)}
    answer = owner.post(path, {"studentId": school.stranger.id, **wrong})
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == ["until"]
    is_refused(owner.patch(f"{path}/{school.ann.id}", wrong), 400, "invalid_schema")


@pytest.mark.parametrize(("name", "far"), [("from", "0001-01-01"), ("until", "9999-12-31")])
def test_a_day_so_far_away_that_no_calendar_has_it_is_refused(
    owner: Asking, school: School, name: str, far: str
) -> None:
    answer = owner.patch(f"/classes/{school.class_id}/students/{school.ann.id}", {name: far})
    is_refused(answer, 400, "invalid_schema")
    assert answer.body["fields"] == {name: ["A day of the years 1900 to 9000."]}


def test_the_days_of_an_enrolment_can_be_changed_by_who_read_them(owner: Asking, school: School) -> None:
    path = f"/classes/{school.class_id}/students/{school.ann.id}"
    read = owner.get(path).response["ETag"]
    changed = owner.patch(path, {"from": "2025-09-01", "until": day(5)}, **{"If-Match": read}).data
    assert (changed["from"], changed["until"]) == ("2025-09-01", day(5))
    is_refused(owner.patch(path, {"until": None}, **{"If-Match": read}), 412, "changed")
    assert owner.patch(path, {"until": None}).data["until"] is None
    assert owner.get(path).data["from"] == "2025-09-01"


def test_an_enrolment_that_began_today_goes_without_a_trace(owner: Asking, school: School) -> None:
    path = f"/classes/{school.class_id}/students/{school.ann.id}"
    assert owner.delete(path).status == 204
    is_refused(owner.get(path), 404, "student_not_found")
    assert not Enrolment.objects.filter(student=school.ann).exists()


def test_an_enrolment_that_began_before_ends_yesterday_and_history_stays(owner: Asking, school: School) -> None:
    Enrolment.objects.update(since=today() - timedelta(days=30))
    path = f"/classes/{school.class_id}/students"
    owner.delete(f"{path}/{school.ann.id}")
    assert owner.get(f"{path}/{school.ann.id}").data["until"] == day(-1)
    assert [one["name"] for one in owner.get(path).data["items"]] == ["Ben"]
    assert [one["name"] for one in owner.get(f"{path}?ended=true").data["items"]] == ["Ann"]


def test_an_enrolment_that_began_today_stays_where_the_student_was_marked(owner: Asking, school: School) -> None:
    session = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    owner.post(f"/sessions/{session}/marks", {"marks": [{"studentId": school.ann.id, "status": "late"}]})
    owner.delete(f"/classes/{school.class_id}/students/{school.ann.id}")
    assert Enrolment.objects.get(student=school.ann).until == today() - timedelta(days=1)


def test_who_comes_back_goes_on_where_they_left(owner: Asking, school: School) -> None:
    first = today() - timedelta(days=30)
    Enrolment.objects.update(since=first, until=today() - timedelta(days=9))
    path = f"/classes/{school.class_id}/students"
    later = owner.post(path, {"studentId": school.ann.id, "from": day(3)})
    is_refused(later, 400, "invalid_schema")
    assert list(later.body["fields"]) == ["from"]
    again = owner.post(path, {"studentId": school.ann.id}).data
    assert (again["from"], again["until"]) == (str(first), None)
    assert Enrolment.objects.filter(student=school.ann).count() == 1


def test_who_enrols_during_a_lesson_is_on_its_roster_and_in_its_records(owner: Asking, school: School) -> None:
    session = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    owner.post(f"/classes/{school.class_id}/students", {"studentId": school.stranger.id})
    assert [line["name"] for line in owner.get(f"/sessions/{session}").data["roster"]][-1] == "Stranger"
    ended = owner.post(f"/sessions/{session}/end").data
    assert ended["counts"]["absent"] == 3


def test_who_left_is_not_absent(owner: Asking, school: School) -> None:
    Enrolment.objects.filter(student=school.ann).update(until=today() - timedelta(days=1))
    session = owner.post(f"/classes/{school.class_id}/sessions").data["_id"]
    ended = owner.post(f"/sessions/{session}/end").data
    assert [line["name"] for line in ended["roster"]] == ["Ben"]


def test_the_published_protocols_have_the_roster_of_today(rest: V2Rest, owner: Asking, school: School) -> None:
    Enrolment.objects.filter(student=school.ann).update(until=today() - timedelta(days=1))
    rest.prefix = ""
    answer = rest.client.get(f"/class/{school.class_id}", headers={"Authorization": owner.token})
    assert [one["name"] for one in answer.json()["data"]["students"]] == ["Ben"]
