"""Bad bodies, ids and dates are answered 400 in this protocol's words, and change nothing."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.attentrack.times import read_day, read_instant
from tests.api.corpus import NOT_OBJECTS
from tests.api.rest import UNKNOWN_ID, snapshot, token_of
from tests.dialects.attentrack.bare import AttenTrackSchool, Bare

INVALID = (400, {"error": "Invalid request schema"})
DATES = {"startDate": "2025-05-01", "endDate": "2025-05-02"}
STUDENT = {"email": "x@example.com", "fullName": "X", "rollNumber": "70"}

#: By route, bodies that fail its schema; `…` stands for the class's id.
BAD: dict[str, list[dict[str, Any]]] = {
    "POST /api/student/register": [{"email": 5}, {"email": "x"}, {"email": None}, {"email": ["a@example.com"]}],
    "POST /api/student/login": [{"rollNumber": True, "password": "x"}, {"rollNumber": "1"}, {"password": "x"}],
    "POST /api/teacher/login": [{"email": "x", "password": "x"}, {"email": "a@example.com", "password": 5}],
    "POST /api/student/otp-generate": [{"rollNumber": ""}, {"rollNumber": 1.5}, {"rollNumber": "1" * 65}],
    "POST /api/student/change": [{"rollNumber": "1", "oldPassword": "secret1", "newPassword": "short"}],
    "PUT /api/student/update": [{"rollNumber": "1", "branch": ["IT"]}, {"rollNumber": "1", "phone": "1" * 65}],
    "POST /api/student/attendance": [{"rollNumber": "1"}, {"class_id": 5, "rollNumber": "1"}],
    "POST /api/teacher/records": [
        {"class_id": "…"},
        {"class_id": "…", **DATES, "endDate": "17.05.2025"},
        {"class_id": "…", **DATES, "startDate": "Sat May 32 2025"},
        {"class_id": "…", **DATES, "startDate": "Sat Mai 17 2025"},
        {"class_id": "…", **DATES, "startDate": "0001-01-01"},
        {"class_id": "…", **DATES, "startDate": "9999-12-31T23:59:59-12:00"},
        {"class_id": "…", **DATES, "startDate": 20250517},
    ],
    "POST /api/attendance/createAttendance": [
        {"class_id": "…", "date": "2025-05-17"},
        {"class_id": "…", "date": "today", "records": {}},
        {"class_id": "…", "date": "2025-05-17", "records": [True]},
        {"class_id": "…", "date": "2025-05-17", "records": {"1": 1}},
        {"class_id": "…", "date": "2025-05-17", "records": {"1": "true"}},
        {"class_id": "…", "date": "2025-05-17", "records": {"1": None}},
    ],
    "PATCH /api/attendance/change-specific-record": [{"attendance_id": "…"}, {"attendance_id": "…", "datas": "1"}],
    "POST /api/class/create-class": [
        {"classname": " ", "teacherid": "…", "students": []},
        {"classname": "A", "teacherid": "…"},
        {"classname": "A", "teacherid": "…", "students": [5]},
        {"classname": "A", "teacherid": "…", "students": [{**STUDENT, "rollNumber": None}]},
    ],
    "POST /setAttendance": [
        {"otp": "1", "time": 1},
        {"otp": "1", "time": 1, "id": None},
        {"otp": {}, "time": 1, "id": "…"},
        {"otp": True, "time": 1, "id": "…"},
        {"otp": "1" * 200, "time": 1, "id": "…"},
    ],
}


def token_for(route: str, school: AttenTrackSchool) -> str:
    return token_of(school.student if "/student/" in route else school.owner)


@pytest.mark.parametrize("route", BAD)
def test_a_body_that_fails_its_schema_changes_nothing(rest: Bare, school: AttenTrackSchool, route: str) -> None:
    method, path = route.split(" ")
    token = token_for(route, school)
    before = snapshot()
    taken: list[Any] = []
    for body in BAD[route]:
        sent = {key: school.class_id if value == "…" else value for key, value in body.items()}
        answer = rest(method, path, sent, token=token)
        if (answer.status, answer.body) != INVALID:
            taken.append((body, answer.status, answer.body))
    for what, raw in NOT_OBJECTS.items():
        answer = rest(method, path, raw=raw, token=token)
        if (answer.status, answer.body) != INVALID:
            taken.append((what, answer.status, answer.body))
    assert taken == []
    assert snapshot() == before


@pytest.mark.parametrize("class_id", ["x", UNKNOWN_ID, "0" * 25, "%00"])
def test_an_unknown_class_is_not_found(rest: Bare, school: AttenTrackSchool, class_id: str) -> None:
    token = token_of(school.owner)
    bodies: dict[str, dict[str, Any]] = {
        "/setAttendance": {"otp": "1", "time": 1, "id": class_id},
        "/api/teacher/records": {"class_id": class_id, **DATES},
        "/api/teacher/overall-records": {"class_id": class_id, **DATES},
        "/api/attendance/createAttendance": {"class_id": class_id, "date": "2025-05-17", "records": {}},
    }
    for path, body in bodies.items():
        answer = rest.post(path, body, token=token)
        assert (answer.status, answer.body) == (400, {"error": "Class not found"}), path
    for method, path in (("GET", "/api/class/getList/"), ("DELETE", "/api/class/remove/")):
        answer = rest(method, path + class_id, token=token)
        assert (answer.status, answer.body) == (404, {"error": "Class not found"})


@pytest.mark.parametrize("roll_number", ["%00", "77", "%F0%9F%98%80", "%FF", "1%0A1"])
def test_an_unknown_roll_number_in_a_path_is_not_found(rest: Bare, school: AttenTrackSchool, roll_number: str) -> None:
    answer = rest.get(f"/api/student/attendance/{roll_number}", token=token_of(school.student))
    assert (answer.status, answer.body) == (400, {"error": "Student not found"})


def test_unknown_fields_are_ignored(rest: Bare, school: AttenTrackSchool) -> None:
    body: dict[str, Any] = {"class_id": school.class_id, "rollNumber": "1", "auth": "yes", "dummy": None, "otp": {}}
    assert rest.post("/api/student/attendance", body, token=token_of(school.student)).status == 200


def test_a_roll_number_may_come_as_a_number(rest: Bare, school: AttenTrackSchool) -> None:
    body = {"class_id": school.class_id, "rollNumber": 1}
    assert rest.post("/api/student/attendance", body, token=token_of(school.student)).status == 200


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    for read in (read_instant, read_day):
        try:
            read(text)
        except (ValueError, OverflowError):
            continue


@given(st.dates(min_value=date(1970, 1, 2), max_value=date(2199, 12, 30)))
def test_a_day_reads_the_same_in_both_forms(day: Any) -> None:
    assert read_day(day.isoformat()) == read_day(f"{day:%a %b %d %Y}") == day
