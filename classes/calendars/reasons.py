"""Why a calendar file, or one of its events, is not taken as it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Why(Enum):
    """A reason."""

    # The whole file.
    NO_CALENDAR = "no_calendar"
    CUT_OFF = "cut_off"
    NOT_UTF8 = "not_utf8"
    NO_EVENTS = "no_events"
    TOO_LARGE = "too_large"
    MANY_EVENTS = "many_events"
    MANY_DAYS = "many_days"
    MANY_SLOTS = "many_slots"
    TOO_LONG = "too_long"
    BAD_ZONE = "bad_zone"

    # An event that is left out.
    ALL_DAY = "all_day"
    NOT_ALL_DAY = "not_all_day"
    CANCELLED = "cancelled"
    NO_LENGTH = "no_length"
    OVER_MIDNIGHT = "over_midnight"
    OUTSIDE = "outside"

    # An event that is refused.
    UNREADABLE = "unreadable"
    UNKNOWN_ZONE = "unknown_zone"
    OFTEN = "often"
    SAME_UID = "same_uid"
    MEETS = "meets"

    # An event that is taken.
    ENDLESS = "endless"


#: The sentence of each reason. `{detail}` is a number, a day or a name of the file.
SENTENCES: Mapping[Why, Any] = {
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


@dataclass(frozen=True, slots=True)
class Reason:
    why: Why
    detail: str = ""

    def __str__(self) -> str:
        """The sentence, in the language of the running code."""
        return str(SENTENCES[self.why]).format(detail=self.detail)


class CalendarError(Exception):
    """The file cannot be taken at all; `reason` says why."""

    def __init__(self, why: Why, detail: object = "") -> None:
        super().__init__()
        self.reason = Reason(why, str(detail))

    def __str__(self) -> str:
        return str(self.reason)
