"""Reports of `/api/v2`: one way of counting in every report and file, and the days of the school."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from pytest_django import Settings

from attendance.counting import RULE_IN_FULL
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Session
from classes.models import Class, Enrolment
from tests.api.rest import token_of
from tests.dialects.v2.rest import School, V2Rest, is_refused

MONDAY = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
P, A, L, E = Status.PRESENT, Status.ABSENT, Status.LATE, Status.EXCUSED


def held(school: School, at: datetime, statuses: dict[Any, Status], **fields: Any) -> Session:
    """A finished session of these records."""
    fields = {"class_ref": school.physics, "state": SessionState.ENDED, **fields}
    session = Session.objects.create(started_by=school.owner, started_at=at, ended_at=at, **fields)
    Attendance.objects.bulk_create(
        Attendance(class_ref=session.class_ref, session=session, student=student, status=status, method=Method.TEACHER)
        for student, status in statuses.items()
    )
    return session


@pytest.fixture
def lessons(school: School) -> None:
    """Four lessons in two weeks. Ben is in the class since the second of them."""
    Enrolment.objects.filter(student=school.ann).update(since=None)
    Enrolment.objects.filter(student=school.ben).update(since=date(2025, 3, 11))
    held(school, MONDAY, {school.ann: P, school.ben: A})
    held(school, MONDAY + timedelta(days=1), {school.ann: L, school.ben: P})
    held(school, MONDAY + timedelta(days=7), {school.ann: E, school.ben: A})
    held(school, MONDAY + timedelta(days=8), {school.ann: A, school.ben: A})
    held(school, MONDAY + timedelta(days=9), {}, state=SessionState.VOIDED)


def counts(present: int = 0, late: int = 0, absent: int = 0, excused: int = 0) -> dict[str, int]:
    return {"present": present, "late": late, "absent": absent, "excused": excused, "unmarked": 0}


def test_a_class_report_counts_as_the_rule_says(rest: V2Rest, school: School, lessons: None) -> None:
    report = rest.as_(school.owner).get(f"/classes/{school.class_id}/report").data
    assert report["rule"] == RULE_IN_FULL
    assert report["rows"] == [
        {
            "_id": school.ann.id,
            "name": "Ann",
            "rollNumber": "1",
            "attended": 2,
            "total": 3,
            "percent": 66.7,
            "counts": counts(present=1, late=1, absent=1, excused=1),
        },
        {
            "_id": school.ben.id,
            "name": "Ben",
            "rollNumber": "2",
            "attended": 1,
            "total": 3,  # the absence before the enrolment counts nowhere
            "percent": 33.3,
            "counts": counts(present=1, absent=2),
        },
    ]
    assert report["total"] == {
        "attended": 3,
        "total": 6,
        "percent": 50.0,
        "counts": counts(present=2, late=1, absent=3, excused=1),
    }
    assert [(week["monday"], week["percent"]) for week in report["weeks"]] == [
        ("2025-03-10", 100.0),
        ("2025-03-17", 0.0),
    ]
    assert (report["lessons"], report["threshold"]) == (4, 75)
    assert report["below"] == [school.ben.id, school.ann.id]
    assert report["absentInARow"] == []


def test_who_was_absent_from_three_lessons_in_a_row_is_named(rest: V2Rest, school: School, lessons: None) -> None:
    held(school, MONDAY + timedelta(days=10), {school.ann: A, school.ben: A})  # Ann's second, Ben's third
    report = rest.as_(school.owner).get(f"/classes/{school.class_id}/report").data
    assert report["absentInARow"] == [{"_id": school.ben.id, "lessons": 3}]


def test_who_is_below_goes_by_the_class_threshold(rest: V2Rest, school: School, lessons: None) -> None:
    Class.objects.update(threshold=50)
    assert rest.as_(school.owner).get(f"/classes/{school.class_id}/report").data["below"] == [school.ben.id]


def test_without_lessons_there_is_no_percent(rest: V2Rest, school: School) -> None:
    report = rest.as_(school.owner).get(f"/classes/{school.class_id}/report").data
    assert [row["percent"] for row in (*report["rows"], report["total"])] == [None] * 3
    assert (report["weeks"], report["below"]) == ([], [])


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Auckland", "America/Los_Angeles", "UTC"])
def test_days_are_the_schools_on_every_database(rest: V2Rest, school: School, settings: Settings, zone: str) -> None:
    settings.TIME_ZONE = zone
    offset = datetime(2025, 3, 10, 12, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    midnight = datetime(2025, 3, 10, tzinfo=UTC) - offset  # the school's
    Enrolment.objects.update(since=date(2025, 3, 10), until=date(2025, 3, 10))
    for at, status in ((midnight - timedelta(minutes=1), A), (midnight, P), (midnight + timedelta(days=1), A)):
        held(school, at, {school.ann: status})
    asking = rest.as_(school.owner)
    report = asking.get(f"/students/{school.ann.id}/report").data
    assert [record["status"] for record in report["classes"][0]["records"]] == ["present"]
    path = f"/classes/{school.class_id}/report"
    assert asking.get(path).data["total"]["counts"] == counts(present=1)
    assert [week["monday"] for week in asking.get(f"{path}?from=2025-03-10").data["weeks"]] == ["2025-03-10"]
    assert asking.get(f"{path}?from=2025-03-10&until=2025-03-10").data["lessons"] == 1
    assert asking.get(f"{path}?until=2025-03-09").data["lessons"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("until=2025-02-30", "until"),
        ("until=9999-12-31", "until"),
        ("from=0001-01-01", "from"),
        ("from=2025-03-02&until=2025-03-01", "until"),
        ("format=pdf", "format"),
    ],
)
def test_a_bad_query_is_named(rest: V2Rest, school: School, query: str, field: str) -> None:
    for path in (f"/classes/{school.class_id}/report", f"/students/{school.ann.id}/report"):
        answer = rest.as_(school.owner).get(f"{path}?{query}")
        is_refused(answer, 400, "invalid_schema")
        assert list(answer.body["fields"]) == [field]


def test_a_students_report_is_by_class_and_of_the_classes_that_the_reader_may_see(
    rest: V2Rest, school: School, lessons: None
) -> None:
    art = Class.objects.create(name="Art", teacher=school.other_teacher)
    Enrolment.objects.create(class_ref=art, student=school.ann, since=None)
    held(school, MONDAY, {school.ann: A}, class_ref=art)
    path = f"/students/{school.ann.id}/report"
    seen = {
        who: [one["className"] for one in rest.as_(who).get(path).data["classes"]]
        for who in (school.ann, school.owner, school.other_teacher, school.office)
    }
    assert list(seen.values()) == [["Art", "Physics"], ["Physics"], ["Art"], ["Art", "Physics"]]
    own = rest.as_(school.ann).get("/me/attendance").data
    assert own == rest.as_(school.ann).get(path).data
    assert (own["total"]["attended"], own["total"]["total"], own["total"]["percent"]) == (2, 4, 50.0)
    physics = own["classes"][1]
    assert [record["status"] for record in physics["records"]] == ["present", "late", "excused", "absent"]
    assert (physics["percent"], physics["below"], physics["absentInARow"]) == (66.7, True, 1)


def test_a_student_who_left_keeps_reading_their_own_history(rest: V2Rest, school: School, lessons: None) -> None:
    Enrolment.objects.filter(student=school.ann).update(until=date(2025, 3, 11))
    own = rest.as_(school.ann).get("/me/attendance").data["classes"]
    assert [(one["className"], one["attended"], one["total"]) for one in own] == [("Physics", 2, 2)]


def test_the_schools_report_has_every_class(rest: V2Rest, school: School, lessons: None) -> None:
    art = Class.objects.create(name="Art", teacher=school.other_teacher)
    Enrolment.objects.create(class_ref=art, student=school.ann, since=None)
    held(school, MONDAY, {school.ann: A}, class_ref=art)
    report = rest.as_(school.office).get("/reports/school").data
    shown = [
        (one["className"], one["teacher"], one["lessons"], one["students"], one["percent"]) for one in report["classes"]
    ]
    assert shown == [("Art", "Other", 1, 1, 0.0), ("Physics", "Owner", 4, 2, 50.0)]
    assert (report["total"]["attended"], report["total"]["total"], report["total"]["percent"]) == (3, 7, 42.9)
    assert [week["total"] for week in report["weeks"]] == [4, 3]


def file_of(rest: V2Rest, who: Any, path: str) -> Any:
    """The file that a path answers."""
    response: Any = rest.client.get(f"/api/v2{path}", headers={"Authorization": token_of(who)})
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["Cache-Control"] == "no-store"
    assert response.streaming
    return b"".join(response.streaming_content)


def test_every_report_is_a_csv_that_says_the_rule(rest: V2Rest, school: School, lessons: None) -> None:
    for who, path in (
        (school.owner, f"/classes/{school.class_id}/report"),
        (school.ann, "/me/attendance"),
        (school.ann, f"/students/{school.ann.id}/report"),
        (school.office, "/reports/school"),
    ):
        text = file_of(rest, who, f"{path}?format=csv").decode()
        assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[-1] == [RULE_IN_FULL]
        assert any("66.7" in row or "50.0" in row for row in rows)


def test_a_workbook_has_real_dates_texts_frozen_heads_and_a_legend(rest: V2Rest, school: School, lessons: None) -> None:
    school.ann.roll_number, school.ann.name = "007", "=1+1"
    school.ann.save()
    file = file_of(rest, school.owner, f"/classes/{school.class_id}/report?format=xlsx&from=2025-03-11")
    book: Any = openpyxl.load_workbook(io.BytesIO(file))
    assert book.sheetnames == ["Attendance", "Totals", "Weeks", "Legend"]
    matrix = book["Attendance"]
    assert [cell.value for cell in matrix[1]][3] == (MONDAY + timedelta(days=1)).replace(tzinfo=None)
    assert matrix["D1"].is_date
    assert [(cell.value, cell.data_type) for cell in matrix["A2":"B2"][0]] == [("007", "s"), ("=1+1", "s")]
    assert (matrix.freeze_panes, book["Totals"].freeze_panes) == ("D2", "D2")
    assert matrix.print_title_rows == "$1:$1"
    assert (matrix.page_setup.orientation, matrix.sheet_properties.pageSetUpPr.fitToPage) == ("landscape", True)
    assert matrix.column_dimensions["C"].width > matrix.column_dimensions["A"].width
    totals = {row[1]: row for row in book["Totals"].iter_rows(values_only=True)}
    assert totals["All students"][3:10] == (1, 1, 3, 1, 2, 5, 40)
    legend = dict(book["Legend"].iter_rows(values_only=True))
    assert legend["From"].date() == date(2025, 3, 11)
    assert legend["Counting"] == RULE_IN_FULL


def test_lessons_of_one_minute_stay_apart_in_a_workbook(rest: V2Rest, school: School) -> None:
    Enrolment.objects.update(since=None)
    for second in (1, 2):
        held(school, MONDAY + timedelta(seconds=second), {school.ann: P})
    file = file_of(rest, school.owner, f"/classes/{school.class_id}/report?format=xlsx")
    matrix: Any = openpyxl.load_workbook(io.BytesIO(file))["Attendance"]
    assert [cell.value for cell in matrix[1]][3:5] == ["2025-03-10 09:00:01", "2025-03-10 09:00:02"]
