"""What pages say of a calendar file's events, in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from classes.calendars.reasons import Reason, Why
from classes.calendars.rows import Outcome, Row

WHY: Mapping[Why, Any] = {
    Why.NO_CALENDAR: _("This is no calendar file. Export the calendar as iCalendar (.ics)."),
    Why.CUT_OFF: _("The file ends in the middle of a calendar. Export it once more."),
    Why.NOT_UTF8: _("The file is not in UTF-8. Export the calendar as iCalendar (.ics)."),
    Why.NO_EVENTS: _("The calendar has no events."),
    Why.TOO_LARGE: _("The file is larger than {detail} KB. Export one term, or one class."),
    Why.MANY_EVENTS: _("The file has more than {detail} events. Export one term, or one class."),
    Why.MANY_DAYS: _("The events come to more than {detail} lessons or days. Export one term, or one class."),
    Why.MANY_SLOTS: _("The lessons come to more than {detail} weekly slots."),
    Why.TOO_LONG: _("The file takes too long to read. Export one term, or one class."),
    Why.BAD_ZONE: _("The time zone “{detail}”, which the file brings, cannot be read."),
    Why.ALL_DAY: _("An event of whole days is no lesson."),
    Why.NOT_ALL_DAY: _("An event with a time is no holiday."),
    Why.CANCELLED: _("It is cancelled."),
    Why.NO_LENGTH: _("It has no length."),
    Why.OVER_MIDNIGHT: _("It does not end on the day on which it begins."),
    Why.OUTSIDE: _("It is not in these days."),
    Why.UNREADABLE: _("Its {detail} cannot be read."),
    Why.UNKNOWN_ZONE: _("The time zone “{detail}” is not known, and the file does not bring it."),
    Why.OFTEN: _("It is repeated within a day, and not by day, week, month or year."),
    Why.SAME_UID: _("It has the UID of the event in line {detail}."),
    Why.MEETS: _("It is at the time of the event in line {detail}."),
    Why.ENDLESS: _("It has no end, and is taken until {detail}."),
}
OUTCOMES: Mapping[Outcome, Any] = {
    Outcome.TAKEN: _("taken"),
    Outcome.LEFT_OUT: _("left out"),
    Outcome.REFUSED: _("cannot be taken"),
}
#: The colour of an outcome, by the statuses' colours.
_KINDS = {Outcome.TAKEN: "present", Outcome.LEFT_OUT: "unmarked", Outcome.REFUSED: "absent"}


def said(reason: Reason) -> str:
    """The sentence of a reason."""
    return str(WHY[reason.why]).format(detail=reason.detail)


def rows_shown(rows: Iterable[Row]) -> list[tuple[Row, Any, str, str]]:
    """Each row, the word for what becomes of it, that word's colour, and why."""
    return [(row, OUTCOMES[row.outcome], _KINDS[row.outcome], said(row.reason) if row.reason else "") for row in rows]


def counts_shown(rows: Sequence[Row]) -> list[tuple[Any, int, str]]:
    """How many events have which outcome."""
    numbers = {one: sum(row.outcome is one for row in rows) for one in Outcome}
    return [(OUTCOMES[one], number, _KINDS[one]) for one, number in numbers.items() if number]
