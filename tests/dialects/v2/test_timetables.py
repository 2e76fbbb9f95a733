"""Timetables of `/api/v2`: weekly lessons in the school's time, the lessons of a day, and the settings of a class."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from attendance.models import Session
from classes.models import Class, Enrolment, Slot
from core.times import local_instant, to_iso
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

MONDAY = date(2025, 3, 10)


@pytest.fixture
def owner(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.owner)


def slot(weekday: int = 1, start: str = "09:00", end: str = "10:00", **fields: Any) -> dict[str, Any]:
    return {"weekday": weekday, "start": start, "end": end, **fields}


def put(owner: Asking, school: School, *slots: dict[str, Any], **options: Any) -> Any:
    return owner("PUT", f"/classes/{school.class_id}/timetable", {"slots": list(slots)}, **options)


def lessons(asking: Asking, day: date | str) -> list[tuple[str, str | None, str | None]]:
    """The lessons of a day: start, end and session."""
    items = asking.get(f"/lessons?day={day}").data["items"]
    return [(one["start"], one["end"], one["session"]) for one in items]


def test_a_timetable_is_kept_as_it_was_put(owner: Asking, school: School) -> None:
    whole = slot(2, "11:15", "12:00", room="B 12") | {"from": "2025-03-01", "until": "2025-07-31"}
    made = put(owner, school, {**whole, "except": ["2025-04-22", "2025-04-15"]}, slot())
    assert made.data["slots"] == [
        {**slot(), "from": None, "until": None, "except": [], "room": ""},
        {**whole, "except": ["2025-04-15", "2025-04-22"]},
    ]
    assert owner.get(f"/classes/{school.class_id}/timetable").data == made.data
    assert put(owner, school).data == {"slots": []}
    assert not Slot.objects.exists()


def test_a_timetable_that_somebody_changed_is_not_overwritten(owner: Asking, school: School) -> None:
    tag = owner.get(f"/classes/{school.class_id}/timetable").response["ETag"]
    assert put(owner, school, slot(), **{"If-Match": tag}).status == 200
    is_refused(put(owner, school, slot(2), **{"If-Match": tag}), 412, "changed")
    assert Slot.objects.get().weekday == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekday": 0}, "slots.1.weekday"),
        ({"weekday": 8}, "slots.1.weekday"),
        ({"weekday": True}, "slots.1.weekday"),
        ({"weekday": "1"}, "slots.1.weekday"),
        ({"start": "9:00"}, "slots.1.start"),
        ({"start": "24:00"}, "slots.1.start"),
        ({"start": "09:00+02:00"}, "slots.1.start"),  # an offset is refused, not dropped
        ({"start": "09:00:30"}, "slots.1.start"),
        ({"end": "08:00"}, "slots.1.end"),
        ({"end": "09:00"}, "slots.1.end"),
        ({"from": "2025-03-02", "until": "2025-03-01"}, "slots.1.until"),
        ({"except": ["2025-02-30"]}, "slots.1.except.0"),
        ({"room": "x" * 65}, "slots.1.room"),
        ({"weekday": 5, "start": "10:30", "end": "12:00"}, "slots.1.start"),  # at the time of the first
    ],
)
def test_a_bad_slot_is_named_and_nothing_is_changed(
    owner: Asking, school: School, change: dict[str, Any], field: str
) -> None:
    put(owner, school, slot(7))
    answer = put(owner, school, slot(5, "10:00", "11:00"), slot() | change)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]
    assert Slot.objects.get().weekday == 7


def test_slots_of_other_days_or_terms_do_not_meet(owner: Asking, school: School) -> None:
    first, second = {"until": "2025-03-31"}, {"from": "2025-04-01"}
    assert put(owner, school, slot() | first, slot() | second, slot(2), slot(1, "10:00", "11:00")).status == 200


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/Los_Angeles"])
def test_lessons_keep_the_schools_time_across_a_change_of_clocks(
    owner: Asking, school: School, settings: Settings, zone: str
) -> None:
    settings.TIME_ZONE = zone
    put(owner, school, slot(1), slot(7, "23:00", "23:45"))
    for week in range(6):  # the clocks change in all of these zones but one
        day = MONDAY + timedelta(weeks=week)
        starts = [datetime.fromisoformat(start) for start, *_ in lessons(owner, day)]
        assert [at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for at in starts] == [
            datetime.combine(day, time(9, 0))
        ]
        ((late, *_),) = lessons(owner, day + timedelta(days=6))
        local = datetime.fromisoformat(late).astimezone(ZoneInfo(zone))
        assert (local.date(), local.time()) == (day + timedelta(days=6), time(23, 0))


@pytest.mark.parametrize(
    ("day", "start", "end", "expected"),
    [
        # On 30 March 2025 02:00 to 03:00 does not exist in Berlin: 01:59 is followed by 03:00, which is 01:00 UTC.
        (date(2025, 3, 30), "02:30", "03:30", ("01:00", "01:30")),
        (date(2025, 3, 30), "02:15", "02:45", ("01:00", "01:30")),
        (date(2025, 3, 30), "01:30", "02:30", ("00:30", "01:00")),
        # On 26 October 2025 it comes twice: the first time from 00:00 UTC, then from 01:00 UTC.
        (date(2025, 10, 26), "02:30", "02:45", ("00:30", "00:45")),
        (date(2025, 10, 26), "02:30", "03:15", ("00:30", "02:15")),
    ],
)
def test_lessons_in_the_hour_of_the_change(
    owner: Asking, school: School, settings: Settings, day: date, start: str, end: str, expected: tuple[str, str]
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    put(owner, school, slot(7, start, end))
    assert lessons(owner, day) == [(*(f"{day}T{at}:00.000Z" for at in expected), None)]


def test_every_minute_of_a_day_has_an_instant_that_is_not_before_it(settings: Settings) -> None:
    for zone, day in (
        ("Europe/Berlin", date(2025, 3, 30)),
        ("Africa/Cairo", date(2025, 4, 25)),
        ("Australia/Lord_Howe", date(2025, 10, 5)),
        ("Asia/Kolkata", date(2025, 3, 30)),
    ):
        settings.TIME_ZONE = zone
        before = datetime.min.replace(tzinfo=UTC)
        for minute in range(24 * 60):
            at = time(minute // 60, minute % 60)
            moment = local_instant(day, at)
            assert moment >= before
            assert moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) >= datetime.combine(day, at)
            before = moment


def test_a_lesson_is_left_out_on_its_exceptions_and_outside_its_days(owner: Asking, school: School) -> None:
    put(owner, school, slot() | {"from": "2025-03-10", "until": "2025-03-31", "except": ["2025-03-17"]})
    held = [week for week in range(-1, 5) if lessons(owner, MONDAY + timedelta(weeks=week))]
    assert held == [0, 2, 3]


def test_a_session_belongs_to_the_lesson_that_it_was_started_for(owner: Asking, school: School) -> None:
    put(owner, school, slot(1, "09:00", "10:00"), slot(1, "10:00", "11:00"))
    times = {"early": (8, 50), "second": (10, 5), "evening": (19, 0)}
    made = {}
    for name, (hour, minute) in times.items():
        at = datetime(2025, 3, 10, hour, minute, tzinfo=UTC)
        made[name] = Session.objects.create(
            class_ref=school.physics, started_by=school.owner, started_at=at, ended_at=at, state="ended"
        )
    Session.objects.create(
        class_ref=school.physics,
        started_by=school.owner,
        started_at=datetime(2025, 3, 10, 9, tzinfo=UTC),
        state="voided",
    )
    evening = to_iso(made["evening"].started_at)
    assert lessons(owner, MONDAY) == [
        ("2025-03-10T09:00:00.000Z", "2025-03-10T10:00:00.000Z", made["early"].id),
        ("2025-03-10T10:00:00.000Z", "2025-03-10T11:00:00.000Z", made["second"].id),
        (evening, evening, made["evening"].id),
    ]


def test_everybody_sees_the_lessons_of_their_classes(rest: V2Rest, owner: Asking, school: School) -> None:
    put(owner, school, slot())
    Enrolment.objects.update(since=None)
    Enrolment.objects.filter(student=school.ben).update(until=MONDAY - timedelta(days=1))
    people = {"owner": 1, "co_teacher": 1, "other_teacher": 0, "office": 1, "ann": 1, "ben": 0, "stranger": 0}
    found = {name: len(lessons(rest.as_(getattr(school, name)), MONDAY)) for name in people}
    assert found == people
    assert len(lessons(rest.as_(school.ben), MONDAY - timedelta(weeks=1))) == 1
    Class.objects.update(archived_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert lessons(owner, MONDAY) == []


def test_lessons_are_todays_unless_a_day_is_named(owner: Asking, school: School) -> None:
    session = owner.post(f"/classes/{school.class_id}/sessions").data
    (lesson,) = owner.get("/lessons").data["items"]
    assert lesson == {
        "classId": school.class_id,
        "className": "Physics",
        "start": session["startedAt"],
        "end": None,
        "room": "",
        "session": session["_id"],
    }
    for day in ("tomorrow", "2025-02-30", "9999-12-31"):
        is_refused(owner.get(f"/lessons?day={day}"), 400, "invalid_schema")


def test_settings_are_read_and_changed_one_by_one(owner: Asking, school: School) -> None:
    path = f"/classes/{school.class_id}/settings"
    before = owner.get(path)
    own: dict[str, Any] = {
        "threshold": 75,
        "lateAfterMinutes": None,
        "opensByItself": False,
        "order": ["present", "late", "absent", "excused"],
        "checkIn": None,
    }
    assert before.data == own
    check_in = {
        "mode": "fixed",
        "place": {"latitude": 48.8584, "longitude": 2.2945},
        "range": 80.0,
        "networks": False,
        "outside": "flag",
        "sameDevice": "refuse",
    }
    for change in (
        {"threshold": 80},
        {"lateAfterMinutes": 10},
        {"opensByItself": True},
        {"lateAfterMinutes": None},
        {"order": ["absent", "present"]},
        {"checkIn": check_in},
        {"checkIn": None},
    ):
        own |= change
        assert owner.patch(path, change).data == own
        assert owner.get(path).data == own
    short = owner.patch(path, {"checkIn": {"mode": "rotating"}}).data["checkIn"]
    assert short == dict.fromkeys(check_in) | {
        "mode": "rotating",
        "networks": False,
        "outside": "refuse",
        "sameDevice": "refuse",
    }
    is_refused(owner.patch(path, {"threshold": 1}, **{"If-Match": before.response["ETag"]}), 412, "changed")


@pytest.mark.parametrize(
    "body",
    [
        {"threshold": 101},
        {"threshold": -1},
        {"threshold": "80"},
        {"threshold": None},
        {"lateAfterMinutes": 0.5},
        {"opensByItself": 1},
        {"order": []},
        {"order": ["present", "present"]},
        {"order": "present"},
    ],
)
def test_bad_settings_are_named(owner: Asking, school: School, body: dict[str, Any]) -> None:
    answer = owner.patch(f"/classes/{school.class_id}/settings", body)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == list(body)


@pytest.mark.parametrize(
    ("check_in", "field"),
    [
        ({}, "checkIn.mode"),
        ({"mode": "other"}, "checkIn.mode"),
        ({"mode": "fixed", "range": 50}, "checkIn.place"),
        ({"mode": "fixed", "networks": True}, "checkIn.networks"),
        ({"mode": "fixed", "place": {"latitude": 91, "longitude": 0}, "range": 5}, "checkIn.place.latitude"),
    ],
)
def test_bad_defaults_of_the_check_in_are_named(
    owner: Asking, school: School, check_in: dict[str, Any], field: str
) -> None:
    answer = owner.patch(f"/classes/{school.class_id}/settings", {"checkIn": check_in})
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]
    assert Class.objects.get().check_in == ""
