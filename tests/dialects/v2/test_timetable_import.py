"""Timetables from calendar files by `/api/v2`: shown first, and done then as they were shown."""

from datetime import date
from typing import Any

import pytest

from classes.models import Preview, Slot
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

pytestmark = pytest.mark.django_db(transaction=True)

CALENDAR = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:physics@example.com
SUMMARY:Physics
LOCATION:B 12
DTSTART:20250303T090000
DTEND:20250303T094500
RRULE:FREQ=WEEKLY;COUNT=4
EXDATE:20250310T090000
END:VEVENT
BEGIN:VEVENT
UID:trip@example.com
SUMMARY:Trip
DTSTART;VALUE=DATE:20250305
END:VEVENT
END:VCALENDAR
"""
MEETING = CALENDAR.replace("DTSTART;VALUE=DATE:20250305", "DTSTART:20250317T093000\nDURATION:PT1H")
SLOT = {
    "weekday": 1,
    "start": "09:00",
    "end": "09:45",
    "from": "2025-03-03",
    "until": "2025-03-24",
    "except": ["2025-03-10"],
    "room": "B 12",
}


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


@pytest.fixture
def path(school: School) -> str:
    """The path of the import. The class has a lesson on Fridays until then."""
    Slot.objects.create(class_ref=school.physics, weekday=5, start="08:00", end="09:00")
    return f"/classes/{school.class_id}/timetable/import"


def weekdays() -> list[int]:
    return list(Slot.objects.values_list("weekday", flat=True))


def test_a_file_is_shown_event_by_event_and_its_token_does_what_was_shown_once(owner: Asking, path: str) -> None:
    shown = owner.send(path, CALENDAR, "physics.ics").data
    assert shown["rows"] == [
        {"line": 2, "uid": "physics@example.com", "name": "Physics", "outcome": "taken", "reason": None, "lessons": 3},
        {
            "line": 11,
            "uid": "trip@example.com",
            "name": "Trip",
            "outcome": "left_out",
            "reason": "An event of whole days is no lesson.",
            "lessons": 0,
        },
    ]
    assert shown["counts"] == {"taken": 1, "left_out": 1, "refused": 0}
    assert shown["slots"] == [SLOT]
    assert [slot["weekday"] for slot in shown["before"]] == [5]
    assert weekdays() == [5]
    done = owner.post(path, {"token": shown["token"]}).data
    assert (done["slots"], done["token"]) == ([SLOT], None)
    assert owner.get(path.removesuffix("/import")).data == {"slots": [SLOT]}
    assert not Preview.objects.exists()
    is_refused(owner.post(path, {"token": shown["token"]}), 404, "preview_not_found")


def test_a_file_is_done_at_once_and_twice_is_as_once(owner: Asking, path: str) -> None:
    for _ in range(2):
        assert owner.send(path, CALENDAR, dryRun="false").data["token"] is None
        assert weekdays() == [1]


def test_events_that_meet_are_named_by_line_and_nothing_is_done(owner: Asking, path: str) -> None:
    shown = owner.send(path, MEETING).data
    assert shown["token"] is None
    assert [(row["line"], row["outcome"], row["reason"]) for row in shown["rows"]][1] == (
        11,
        "refused",
        "It is at the time of the event in line 2.",
    )
    answer = owner.send(path, MEETING, dryRun="false")
    is_refused(answer, 400, "invalid_schema")
    assert answer.body["fields"] == {"file": ["Line 11: It is at the time of the event in line 2."]}
    assert weekdays() == [5]


def test_a_timetable_that_somebody_changed_since_is_not_replaced(owner: Asking, path: str) -> None:
    token = owner.send(path, CALENDAR).data["token"]
    Slot.objects.update(room="A 1")
    is_refused(owner.post(path, {"token": token}), 412, "changed")
    assert weekdays() == [5]
    assert Preview.objects.exists()  # the file can be looked at again


def test_the_days_of_a_term_are_named(owner: Asking, path: str) -> None:
    endless = CALENDAR.replace(";COUNT=4", "")
    shown = owner.send(path, endless, until="2025-07-31", **{"from": "2025-03-11"}).data
    assert shown["rows"][0]["reason"] == "It has no end, and is taken until 2025-07-31."
    assert [(slot["from"], slot["until"]) for slot in shown["slots"]] == [("2025-03-17", "2025-07-28")]
    assert owner.post(path, {"token": shown["token"]}).data["slots"] == shown["slots"]
    assert Slot.objects.get().until == date(2025, 7, 28)


@pytest.mark.parametrize(
    ("content", "fields", "field", "said"),
    [
        ("", {}, "file", "This is no calendar file."),
        ("name,email\n", {}, "file", "This is no calendar file."),
        (CALENDAR[:-40], {}, "file", "The file ends in the middle of a calendar."),
        (CALENDAR.replace("COUNT=4", "UNTIL=20990101").replace("WEEKLY", "DAILY"), {}, "file", "more than 5000"),
        (CALENDAR, {"until": "soon"}, "until", "Not a day"),
        (CALENDAR, {"from": "2025-02-30"}, "from", "Not a day"),
        (CALENDAR, {"dryRun": "no"}, "dryRun", ""),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    owner: Asking, path: str, content: str, fields: dict[str, Any], field: str, said: str
) -> None:
    answer = owner.send(path, content, **fields)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]
    assert said in answer.body["fields"][field][0]
    assert weekdays() == [5]


def test_a_file_of_an_hourly_rule_for_a_hundred_years_is_refused(owner: Asking, path: str) -> None:
    hourly = CALENDAR.replace("WEEKLY;COUNT=4", "HOURLY;UNTIL=21250303T090000Z")
    shown = owner.send(path, hourly).data
    assert [row["outcome"] for row in shown["rows"]] == ["refused", "left_out"]
    assert "repeated within a day" in shown["rows"][0]["reason"]


def test_calendar_files_are_limited(owner: Asking, path: str) -> None:
    answers = [owner.send(path, CALENDAR) for _ in range(31)]
    assert [answer.status for answer in answers[:-1]] == [200] * 30
    is_refused(answers[-1], 429, "too_many_requests")
