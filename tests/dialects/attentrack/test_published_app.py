"""The published app's requests, without a token: open mode lets them through, the default mode refuses them."""

from typing import Any

import pytest

from tests.dialects.attentrack.bare import AttenTrackSchool, Bare

pytestmark = pytest.mark.one_database("Which requests are let through is decided before any row is read.")

DAYS = {"startDate": "Sat May 17 2025", "endDate": "Sat May 17 2025"}  # JavaScript's toDateString()
#: (method, path, body, status in open mode), in the app's order. {class}, {student} and {teacher} stand for ids.
REQUESTS: list[tuple[str, str, Any, int]] = [
    ("GET", "/api/teacher/classes-info/{teacher}", None, 200),
    ("GET", "/api/class/getList/{class}", None, 200),
    ("POST", "/setAttendance", {"otp": 482913, "time": 60, "id": "{class}", "dummy": None}, 200),
    ("GET", "/getAttendance", None, 200),
    ("POST", "/api/student/attendance", {"class_id": "{class}", "rollNumber": "1", "auth": False}, 200),
    (
        "POST",
        "/api/attendance/createAttendance",
        {"class_id": "{class}", "date": "2025-05-17T10:00:00.000Z", "records": {"1": True, "2": False}, "auth": True},
        201,
    ),
    ("GET", "/api/student/classes-info/{student}", None, 200),
    ("GET", "/api/student/attendance/1", None, 200),
    ("POST", "/api/teacher/records", {"class_id": "{class}", **DAYS}, 200),
    ("POST", "/api/teacher/overall-records", {"class_id": "{class}", **DAYS}, 200),
]


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(entry, ids) for key, entry in value.items()}
    return value.format(**ids) if isinstance(value, str) else value


def ids_of(school: AttenTrackSchool) -> dict[str, str]:
    return {"class": school.class_id, "student": school.student.id, "teacher": school.owner.id}


def test_open_mode_lets_each_request_through(rest: Bare, school: AttenTrackSchool, open_mode: None) -> None:
    ids = ids_of(school)
    answers = {}
    for method, path, body, status in REQUESTS:
        answer = rest(method, filled(path, ids), filled(body, ids))
        assert answer.status == status, (path, answer.body)
        answers[path] = answer.body
    assert answers["/getAttendance"] == {"currentOTP": 482913, "finalTime": 60, "currentId": school.class_id}
    report = answers["/api/teacher/records"]["report"]
    assert {number: row["presentCount"] for number, row in report.items()} == {"1": 1, "2": 0}
    (day,) = answers["/api/teacher/overall-records"]
    assert (day["date"], day["presentCount"], day["absentCount"]) == ("17-05-25", 1, 1)


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
def test_the_default_mode_refuses_each_request(
    rest: Bare, school: AttenTrackSchool, method: str, path: str, body: Any, status: int
) -> None:
    ids = ids_of(school)
    answer = rest(method, filled(path, ids), filled(body, ids))
    assert (answer.status, answer.body) == (401, {"error": "Unauthorized access"})
