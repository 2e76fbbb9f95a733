"""Calendar files: their lessons as weekly slots, whatever zones and rules they have; and files that are none.

Some of what is held here the libraries do otherwise: recurring-ical-events 3.8.2 returns cancelled occurrences, and
unsorted; icalendar 7.3.2 writes UNTIL in local time, takes an unknown time zone for none, keeps the zones of one file
for the next, and skips what it cannot read.
"""

from datetime import date
from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classes.calendars.holidays import holidays_plan
from classes.calendars.lessons import TimetablePlan, lessons_plan
from classes.calendars.reasons import CalendarError, Why
from classes.calendars.scanning import LARGEST, MOST_EVENTS
from classes.timetables import WeeklyLesson

BERLIN = "DTSTART;TZID=Europe/Berlin:20250303T090000\nDTEND;TZID=Europe/Berlin:20250303T100000"
FLOATING = "DTSTART:20250303T090000\nDTEND:20250303T100000"
UTC_TIMES = "DTSTART:20250303T080000Z\nDTEND:20250303T090000Z"
#: A zone of the file's own, with the clocks of Berlin.
OWN_ZONE = """\
BEGIN:VTIMEZONE
TZID:Our zone
X-LIC-LOCATION:Anywhere
BEGIN:DAYLIGHT
DTSTART:20070325T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:summer
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071028T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:winter
END:STANDARD
END:VTIMEZONE
"""


def event(*lines: str, uid: str = "1") -> str:
    return "\n".join(("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""))


def calendar(*events: str, head: str = "") -> bytes:
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{''.join(events)}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def plan(data: bytes, zone: str = "Europe/Berlin", **days: date | None) -> TimetablePlan:
    return lessons_plan(data, school=ZoneInfo(zone), today=date(2025, 3, 1), **days)


def days_of(found: TimetablePlan) -> list[str]:
    """The lessons of March to May 2025, as `03-10 09:00`."""
    days = (date.fromordinal(number) for number in range(date(2025, 3, 1).toordinal(), date(2025, 6, 1).toordinal()))
    return [f"{day:%m-%d} {slot.start:%H:%M}" for day in days for slot in found.slots if slot.is_on(day)]


def why(data: bytes) -> list[Why | None]:
    return [None if row.reason is None else row.reason.why for row in plan(data).rows]


@pytest.mark.parametrize(
    ("times", "rules", "expected"),
    [
        (BERLIN, "", "03-03"),
        (BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3", "03-03 03-10 03-17"),
        (BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3;BYDAY=MO,TH", "03-03 03-06 03-10"),
        (BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3;INTERVAL=2", "03-03 03-17 03-31"),
        (BERLIN, "RRULE:FREQ=MONTHLY;COUNT=3;BYDAY=1MO", "03-03 04-07 05-05"),
        (BERLIN, "RRULE:FREQ=DAILY;COUNT=3", "03-03 03-04 03-05"),
        # The last lesson begins at the very end of the rule, after the clocks have changed.
        (BERLIN, "RRULE:FREQ=WEEKLY;UNTIL=20250331T070000Z", "03-03 03-10 03-17 03-24 03-31"),
        (BERLIN, "RRULE:FREQ=WEEKLY;UNTIL=20250331T065959Z", "03-03 03-10 03-17 03-24"),
        (BERLIN, "RRULE:FREQ=WEEKLY;UNTIL=20250317T090000", "03-03 03-10 03-17"),
        (BERLIN, "RRULE:FREQ=WEEKLY;UNTIL=20250317", "03-03 03-10 03-17"),
        (BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20250310T090000", "03-03 03-17"),
        (BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:20250310T080000Z,20250317T080000Z", "03-03"),
        (BERLIN, "RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;VALUE=DATE:20250310", "03-03 03-17"),
        (BERLIN, "RDATE;TZID=Europe/Berlin:20250305T090000,20250312T090000", "03-03 03-05 03-12"),
        (BERLIN, "RDATE;VALUE=PERIOD:20250305T080000Z/PT45M", "03-03 03-05"),
        (FLOATING, "RRULE:FREQ=WEEKLY;UNTIL=20250331T070000Z", "03-03 03-10 03-17 03-24 03-31"),
        (FLOATING, "EXDATE:20250303T090000\nRDATE:20250305T090000", "03-05"),
    ],
)
def test_rules_and_exceptions_come_to_their_days(times: str, rules: str, expected: str) -> None:
    found = days_of(plan(calendar(event(times, *rules.split("\n")))))
    assert found == [f"{day} 09:00" for day in expected.split()]


def test_a_rule_comes_to_one_slot_and_a_single_lesson_to_a_slot_of_its_day() -> None:
    rule = "RRULE:FREQ=WEEKLY;COUNT=4"
    exception = "EXDATE;TZID=Europe/Berlin:20250310T090000"
    single = event("DTSTART:20250306T140000\nDURATION:PT45M", uid="2")
    found = plan(calendar(event(BERLIN, rule, exception, "LOCATION:Room\\n 12"), single))
    first, second = found.slots
    assert (first.since, first.until, first.left_out) == (date(2025, 3, 3), date(2025, 3, 24), (date(2025, 3, 10),))
    assert first.room == "Room 12"
    assert (second.since, second.until, f"{second.end:%H:%M}") == (date(2025, 3, 6), date(2025, 3, 6), "14:45")


def test_lessons_that_are_written_out_one_by_one_come_to_the_slot_of_a_rule() -> None:
    days = ("20250303", "20250310", "20250324")
    single = [event(f"DTSTART:{day}T090000\nDTEND:{day}T100000", uid=day) for day in days]
    by_rule = event(FLOATING, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20250317T090000")
    assert plan(calendar(*single)).slots == plan(calendar(by_rule)).slots


def test_a_change_of_one_lesson_moves_it_and_a_change_from_there_on_moves_the_rest() -> None:
    rule = event(BERLIN, "RRULE:FREQ=WEEKLY;COUNT=4", "LOCATION:A")
    here = "RECURRENCE-ID;TZID=Europe/Berlin:20250310T090000"
    moved = "DTSTART;TZID=Europe/Berlin:20250311T110000\nDTEND;TZID=Europe/Berlin:20250311T120000"
    one = plan(calendar(rule, event(here, moved, "LOCATION:B")))
    assert days_of(one) == ["03-03 09:00", "03-11 11:00", "03-17 09:00", "03-24 09:00"]
    assert [slot.room for slot in one.slots] == ["A", "B"]
    rest = plan(calendar(rule, event(here.replace(";TZID", ";RANGE=THISANDFUTURE;TZID"), moved)))
    assert days_of(rest) == ["03-03 09:00", "03-11 11:00", "03-18 11:00", "03-25 11:00"]
    gone = plan(calendar(rule, event(here, BERLIN, "STATUS:CANCELLED")))
    assert days_of(gone) == ["03-03 09:00", "03-17 09:00", "03-24 09:00"]


@pytest.mark.parametrize(
    ("times", "head", "expected"),
    [
        (BERLIN.replace("Europe/Berlin", "Our zone"), OWN_ZONE, ["03-24 09:00", "03-31 09:00"]),
        (BERLIN.replace("Europe/Berlin", "W. Europe Standard Time"), "", ["03-24 09:00", "03-31 09:00"]),
        (BERLIN.replace("Europe/Berlin", "America/New_York"), "", ["03-24 14:00", "03-31 15:00"]),
        (UTC_TIMES, "", ["03-24 09:00", "03-31 10:00"]),
        (UTC_TIMES, "X-WR-TIMEZONE:Europe/Berlin\n", ["03-24 09:00", "03-31 09:00"]),
        (UTC_TIMES, "X-WR-TIMEZONE:No/Where\n", ["03-24 09:00", "03-31 10:00"]),
    ],
)
def test_times_of_any_zone_become_the_schools(times: str, head: str, expected: list[str]) -> None:
    found = days_of(plan(calendar(event(times, "RRULE:FREQ=WEEKLY;COUNT=5"), head=head)))
    assert found[-2:] == expected


def test_times_without_a_zone_are_the_schools_wherever_it_is() -> None:
    data = calendar(event(FLOATING, "RRULE:FREQ=WEEKLY;UNTIL=20250330T200000Z"))  # 31 March, 09:00, in Auckland
    assert days_of(plan(data, "Pacific/Auckland"))[-1] == "03-31 09:00"
    assert days_of(plan(data, "America/Los_Angeles"))[-1] == "03-24 09:00"


def test_a_zone_of_one_file_is_unknown_in_the_next() -> None:
    mine = event(BERLIN.replace("Europe/Berlin", "Our zone"))
    assert days_of(plan(calendar(mine, head=OWN_ZONE))) == ["03-03 09:00"]
    moved = OWN_ZONE.replace("+0200", "+0700").replace("+0100", "+0600")
    assert days_of(plan(calendar(mine, head=moved))) == ["03-03 04:00"]
    (row,) = plan(calendar(mine)).rows
    assert row.reason is not None
    assert (row.reason.why, row.reason.detail) == (Why.UNKNOWN_ZONE, "Our zone")


def test_a_lesson_in_the_hour_that_the_clocks_skip_stays_in_its_slot() -> None:
    sunday = "DTSTART;TZID=Europe/Berlin:20250323T023000\nDTEND;TZID=Europe/Berlin:20250323T033000"
    (slot,) = plan(calendar(event(sunday, "RRULE:FREQ=WEEKLY;COUNT=3"))).slots
    assert (f"{slot.start:%H:%M}", slot.since, slot.until) == ("02:30", date(2025, 3, 23), date(2025, 4, 6))


def test_what_has_no_end_is_cut_after_a_year_or_the_day_that_is_named_and_says_so() -> None:
    data = calendar(event(BERLIN, "RRULE:FREQ=WEEKLY"))
    for until, last in ((None, date(2026, 3, 2)), (date(2025, 7, 31), date(2025, 7, 28))):
        found = plan(data, until=until)
        assert [slot.until for slot in found.slots] == [last]
        assert found.rows[0].reason is not None
        assert found.rows[0].reason.why is Why.ENDLESS
    (slot,) = plan(data, since=date(2025, 3, 5), until=date(2025, 3, 20)).slots
    assert (slot.since, slot.until) == (date(2025, 3, 10), date(2025, 3, 17))


def test_a_long_break_begins_another_slot() -> None:
    found = plan(calendar(event(FLOATING, "RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20250908T090000,20250915T090000")))
    assert [(str(slot.since), str(slot.until)) for slot in found.slots] == [
        ("2025-03-03", "2025-03-10"),
        ("2025-09-08", "2025-09-15"),
    ]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("DTSTART;VALUE=DATE:20250303", Why.ALL_DAY),
        (f"{BERLIN}\nSTATUS:CANCELLED", Why.CANCELLED),
        ("DTSTART:20250303T090000", Why.NO_LENGTH),
        ("DTSTART:20250303T230000\nDTEND:20250304T010000", Why.OVER_MIDNIGHT),
    ],
)
def test_what_is_no_lesson_is_left_out_with_a_word(lines: str, reason: Why) -> None:
    found = plan(calendar(event(*lines.split("\n")), event("DTSTART:20250305T090000\nDURATION:PT1H", uid="2")))
    assert [row.outcome for row in found.rows] == ["left_out", "taken"]
    assert found.rows[0].reason is not None
    assert found.rows[0].reason.why is reason


def test_a_calendar_that_calls_its_events_off_has_no_lessons() -> None:
    assert why(calendar(event(BERLIN), head="METHOD:CANCEL\n")) == [Why.CANCELLED]


@pytest.mark.parametrize(
    ("lines", "reason", "detail"),
    [
        (f"{BERLIN}\nRRULE:WEEKLY", Why.UNREADABLE, "RRULE"),
        (f"{BERLIN}\nRRULE:FREQ=SOMETIMES", Why.UNREADABLE, "RRULE"),
        (f"{BERLIN}\nRRULE:FREQ=WEEKLY;BYDAY=XX", Why.UNREADABLE, "RRULE"),
        (f"{BERLIN}\nRRULE:FREQ=WEEKLY;INTERVAL=0", Why.UNREADABLE, "RRULE"),
        (f"{BERLIN}\nRRULE:FREQ=WEEKLY;COUNT=0", Why.UNREADABLE, "RRULE"),
        (f"{BERLIN}\nEXDATE:yesterday", Why.UNREADABLE, "EXDATE"),
        ("DTSTART:20251303T090000", Why.UNREADABLE, "DTSTART"),
        ("DTSTART:00010303T090000", Why.UNREADABLE, "DTSTART"),
        ("DTEND:20250303T090000", Why.UNREADABLE, "DTSTART"),
        ("DTSTART:20250303T090000\nDTEND:20250303T080000", Why.UNREADABLE, "DTEND"),
        (f"{BERLIN}\nDURATION:soon", Why.UNREADABLE, "DURATION"),
        (f"{BERLIN}\n{FLOATING}", Why.UNREADABLE, "DTSTART"),
        (FLOATING.replace(":", ";TZID=No/Where:"), Why.UNKNOWN_ZONE, "No/Where"),
        (f"{BERLIN}\nRRULE:FREQ=HOURLY;COUNT=3", Why.OFTEN, ""),
    ],
)
def test_an_event_that_cannot_be_read_is_refused_by_its_line(lines: str, reason: Why, detail: str) -> None:
    row = plan(calendar(event("DTSTART:20250305T090000\nDURATION:PT1H", uid="2"), event(*lines.split("\n")))).rows[1]
    assert (row.line, row.outcome) == (8, "refused")
    assert row.reason is not None
    assert (row.reason.why, row.reason.detail) == (reason, detail)


def test_events_at_one_time_are_refused_by_line() -> None:
    other = event("DTSTART:20250317T083000Z\nDURATION:PT1H", uid="2")
    found = plan(calendar(event(BERLIN, "RRULE:FREQ=WEEKLY;COUNT=4"), other))
    assert [(row.line, row.outcome) for row in found.rows] == [(3, "taken"), (9, "refused")]
    assert str(found.rows[1].reason) == "It is at the time of the event in line 3."
    next_to = event("DTSTART:20250317T090000Z\nDURATION:PT1H", uid="2")
    assert not plan(calendar(event(BERLIN), next_to)).refused


def test_lessons_that_take_turns_by_weeks_do_not_meet() -> None:
    odd = event(BERLIN, "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4", "LOCATION:A")
    even = event("DTSTART:20250310T093000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4", uid="2")
    found = plan(calendar(odd, even))
    assert not found.refused
    assert not found.slots[0].meets(found.slots[1])


def test_two_events_of_one_uid_are_refused_and_a_newer_version_replaces_the_older() -> None:
    later = BERLIN.replace("T09", "T13").replace("T10", "T14")
    (row,) = plan(calendar(event(BERLIN), event(later))).rows
    assert (row.line, str(row.reason)) == (8, "It has the UID of the event in line 3.")
    assert days_of(plan(calendar(event(BERLIN), event(later, "SEQUENCE:2")))) == ["03-03 13:00"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Why.NO_CALENDAR),
        (b"<html></html>", Why.NO_CALENDAR),
        (b"%PDF-1.7\xff\xfe", Why.NO_CALENDAR),
        (b"PK\x03\x04\xff", Why.NO_CALENDAR),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", Why.NO_CALENDAR),
        (event(BERLIN).encode(), Why.NO_CALENDAR),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", Why.NO_EVENTS),
        (calendar(event(BERLIN))[:-20], Why.CUT_OFF),
        (calendar(event(BERLIN, "SUMMARY:\xfc")).decode().encode("latin-1"), Why.NOT_UTF8),
        (b" " * (LARGEST + 1), Why.TOO_LARGE),
        (calendar(*(event(BERLIN, uid=str(number)) for number in range(MOST_EVENTS + 1))), Why.MANY_EVENTS),
        (calendar(event(BERLIN, "RRULE:FREQ=DAILY;UNTIL=99991231T000000Z")), Why.MANY_DAYS),
        (calendar(event(BERLIN.replace("2025", "1925"), "RRULE:FREQ=DAILY")), Why.MANY_DAYS),
        (calendar(event(BERLIN, "RDATE:" + ",".join(["20250305T090000Z"] * 6000))), Why.MANY_DAYS),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 60_000, Why.TOO_LONG),
        (calendar(event(BERLIN), head=OWN_ZONE.replace("YEARLY", "SECONDLY")), Why.BAD_ZONE),
        (calendar(event(BERLIN), head=OWN_ZONE.replace("BYDAY=-1SU", "BYMONTHDAY=32")), Why.BAD_ZONE),
        (calendar(event(BERLIN), head=OWN_ZONE.replace("TZOFFSETTO:+0200", "TZOFFSETTO:late")), Why.BAD_ZONE),
    ],
)
def test_a_file_that_cannot_be_taken_is_said_why(data: bytes, reason: Why) -> None:
    with pytest.raises(CalendarError) as refused:
        plan(data)
    assert refused.value.reason.why is reason


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;UNTIL=20250303T080000Z",
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=WE",
        "FREQ=WEEKLY;BYSETPOS=300",
        "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))) + ";BYMINUTE=" + ",".join(map(str, range(60))),
    ],
)
def test_a_rule_for_a_hundred_years_or_for_no_day_at_all_is_refused_at_once(rule: str) -> None:
    started = thread_time()
    (row,) = plan(calendar(event(BERLIN.replace("2025", "1925"), f"RRULE:{rule}"))).rows
    assert row.outcome == "refused"
    assert thread_time() - started < 5


def test_a_file_full_of_rules_that_come_to_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classes.calendars.reading._LONGEST", 0.2)
    never = (event(BERLIN, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", uid=str(number)) for number in range(50))
    with pytest.raises(CalendarError) as refused:
        plan(calendar(*never))
    assert refused.value.reason.why is Why.TOO_LONG


def test_a_calendar_of_the_wildest_form_is_read_or_refused() -> None:
    text = calendar(event(BERLIN, "SUMMARY:Phy\n sics", "BEGIN:VALARM\nTRIGGER:-PT5M\nDTSTART:never\nEND:VALARM"))
    found = plan(b"\xef\xbb\xbf" + text.replace(b"\r\n", b"\n").replace(b"BEGIN:VEVENT", b"begin:vevent"))
    assert [(row.name, row.days) for row in found.rows] == [("Physics", 1)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("DTSTART;VALUE=DATE:20250414\nDTEND;VALUE=DATE:20250426", ["2025-04-14 2025-04-25"]),
        ("DTSTART;VALUE=DATE:20250507", ["2025-05-07 2025-05-07"]),
        ("DTSTART;VALUE=DATE:20250507\nDURATION:P2D", ["2025-05-07 2025-05-08"]),
        ("DTSTART;VALUE=DATE:20250507\nDTEND;VALUE=DATE:20250507", ["2025-05-07 2025-05-07"]),
        ("DTSTART:20250507T000000\nDTEND:20250509T000000", ["2025-05-07 2025-05-08"]),
        ("DTSTART:20250507T090000\nDTEND:20250507T100000", []),
        (
            "DTSTART;VALUE=DATE:20241225\nDTEND;VALUE=DATE:20241227\nRRULE:FREQ=YEARLY",
            ["2024-12-25 2024-12-26", "2025-12-25 2025-12-26"],
        ),
        (
            "DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY;UNTIL=20260501",
            ["2025-05-01 2025-05-01", "2026-05-01 2026-05-01"],
        ),
        (
            "DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY;COUNT=2\nEXDATE;VALUE=DATE:20250501",
            ["2026-05-01 2026-05-01"],
        ),
    ],
)
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_holidays_are_whole_days_and_end_before_the_day_of_their_end(
    lines: str, expected: list[str], zone: str
) -> None:
    found = holidays_plan(calendar(event(*lines.split("\n"))), school=ZoneInfo(zone), today=date(2025, 3, 1))
    assert [f"{span.since} {span.until}" for span in found.spans] == expected


lines = st.sampled_from(
    [
        *BERLIN.split("\n"),
        *FLOATING.split("\n"),
        "DTSTART;VALUE=DATE:20250303",
        "DTEND;VALUE=DATE:20250305",
        "DURATION:PT1H",
        "DURATION:-P9999999999D",
        "RRULE:FREQ=WEEKLY;COUNT=2",
        "RRULE:FREQ=YEARLY;BYWEEKNO=53;COUNT=2",
        "EXDATE:20250303T080000Z",
        "RDATE;VALUE=DATE:20250304",
        "RDATE;VALUE=PERIOD:20250304T090000/20250304T080000",
        "RECURRENCE-ID:20250310T080000Z",
        "RECURRENCE-ID;VALUE=DATE:20250310",
        "SEQUENCE:x",
        "STATUS:CANCELLED",
        "BEGIN:VALARM",
        "END:VALARM",
        "no line at all",
    ]
)


@given(st.lists(st.lists(lines, max_size=6), min_size=1, max_size=4))
def test_any_lines_come_to_slots_that_do_not_meet_or_are_refused(parts: list[list[str]]) -> None:
    try:
        found: Any = plan(calendar(*(event(*part) for part in parts)))
    except CalendarError:
        return
    slots: list[WeeklyLesson] = list(found.slots)
    assert not any(one.meets(other) for number, one in enumerate(slots) for other in slots[:number])
