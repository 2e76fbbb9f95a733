"""Why a calendar file, or one of its events, is not taken as it stands."""

from dataclasses import dataclass
from enum import Enum


class Why(Enum):
    """A reason, and its sentence. `{detail}` is a number, a day or a name of the file."""

    # The whole file.
    NO_CALENDAR = "This is no calendar file. Export the calendar as iCalendar (.ics)."
    CUT_OFF = "The file ends in the middle of a calendar. Export it once more."
    NOT_UTF8 = "The file is not in UTF-8. Export the calendar as iCalendar (.ics)."
    NO_EVENTS = "The calendar has no events."
    TOO_LARGE = "The file is larger than {detail} KB. Export one term, or one class."
    MANY_EVENTS = "The file has more than {detail} events. Export one term, or one class."
    MANY_DAYS = "The events come to more than {detail} lessons or days. Export one term, or one class."
    MANY_SLOTS = "The lessons come to more than {detail} weekly slots."
    TOO_LONG = "The file takes too long to read. Export one term, or one class."
    BAD_ZONE = "The time zone “{detail}”, which the file brings, cannot be read."

    # An event that is left out.
    ALL_DAY = "An event of whole days is no lesson."
    NOT_ALL_DAY = "An event with a time is no holiday."
    CANCELLED = "It is cancelled."
    NO_LENGTH = "It has no length."
    OVER_MIDNIGHT = "It does not end on the day on which it begins."
    OUTSIDE = "It is not in these days."

    # An event that is refused.
    UNREADABLE = "Its {detail} cannot be read."
    UNKNOWN_ZONE = "The time zone “{detail}” is not known, and the file does not bring it."
    OFTEN = "It is repeated within a day, and not by day, week, month or year."
    SAME_UID = "It has the UID of the event in line {detail}."
    MEETS = "It is at the time of the event in line {detail}."

    # An event that is taken.
    ENDLESS = "It has no end, and is taken until {detail}."


@dataclass(frozen=True, slots=True)
class Reason:
    why: Why
    detail: str = ""

    def __str__(self) -> str:
        return self.why.value.format(detail=self.detail)


class CalendarError(Exception):
    """The file cannot be taken at all; `reason` says why."""

    def __init__(self, why: Why, detail: object = "") -> None:
        super().__init__()
        self.reason = Reason(why, str(detail))

    def __str__(self) -> str:
        return str(self.reason)
