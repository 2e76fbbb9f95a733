"""Rules by which events are repeated: that following them ends, and comes to no more than can be held.

The library follows a rule moment by moment. A rule that never comes to one, such as each 30 February, is followed until
the year 9999, and one for every second comes to millions.
"""

from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice, takewhile
from math import prod
from typing import TYPE_CHECKING, Any

from dateutil.rrule import rrulestr

from classes.calendars.reasons import Reason, Why

if TYPE_CHECKING:
    from icalendar import vRecur

#: Where no last day is named, a rule without an end is followed for so long from today, or from a later start.
ENDLESS = timedelta(days=366)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
#: A rule may name so many times of a day.
_MOST_TIMES = 24
#: What the library raises for properties that say nothing, or contradict each other.
BROKEN = (ValueError, TypeError, LookupError, AttributeError, OverflowError, AssertionError)
#: After so many years the days of the week and of the months are the same again.
_CYCLE = 400


def happens(rule: str, start: str | datetime) -> bool:
    """Whether a rule comes to any moment at all. `start`: a local time, as a text `20250303T090000`.

    The rule is moved by whole cycles to where the calendar of the library ends soon.
    """
    first = datetime.strptime(start[:8], "%Y%m%d") if isinstance(start, str) else start  # noqa: DTZ007
    late = first.replace(year=first.year + (MAXYEAR - first.year) // _CYCLE * _CYCLE, tzinfo=None)
    endless = ";".join(part for part in rule.split(";") if not part.upper().startswith("UNTIL="))
    return next(iter(rrulestr(endless, dtstart=late)), None) is not None


@dataclass(frozen=True, slots=True)
class Ends:
    """Where following a rule ends: after `most` moments, and for one without an end after `last_day`.

    Without a last day that is a year after `today`, or after a later start.
    """

    today: date
    last_day: date | None
    most: int

    def endless(self, start: date) -> date:
        return self.last_day or max(start, self.today) + ENDLESS


def settled(rule: "vRecur", start: date | datetime, ends: Ends) -> Reason | None:
    """Gives the rule of an event that begins at `start` an end, in UTC.

    A reason that refuses the rule, or says where it is cut (`Why.ENDLESS`); None for a rule that means what it did.
    """
    try:
        return _settled(rule, start, ends)
    except BROKEN:
        return Reason(Why.UNREADABLE, "RRULE")


def _settled(rule: "vRecur", start: date | datetime, ends: Ends) -> Reason | None:
    from icalendar import vRecur  # noqa: PLC0415  slow to import, and used only where a calendar is read

    if not rule.get("FREQ") or any(int(number) < 1 for number in rule.get("INTERVAL", [1])):
        return Reason(Why.UNREADABLE, "RRULE")
    if rule["FREQ"][0] not in _FREQUENCIES or prod(len(rule.get(name, [0])) for name in _TIMES) > _MOST_TIMES:
        return Reason(Why.OFTEN)
    zone = start.tzinfo if isinstance(start, datetime) else None
    first = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time.min)
    endless, last = None, first
    if "UNTIL" in rule:
        last = _until(rule["UNTIL"][0], zone)
    elif "COUNT" not in rule:
        day = ends.endless(first.date())
        last, endless = datetime.combine(day, time.max), Reason(Why.ENDLESS, str(day))
    if "COUNT" not in rule or "UNTIL" in rule:
        # In UTC: the library would write a local time without its zone.
        rule["UNTIL"] = [last.replace(tzinfo=zone, microsecond=0).astimezone(UTC) if zone else last.date()]
    unended: Any = vRecur({name: value for name, value in rule.items() if name != "UNTIL"})
    plain = unended.to_ical().decode()
    if not happens(plain, first):
        return Reason(Why.UNREADABLE, "RRULE")
    moments = iter(rrulestr(plain, dtstart=first))
    if "UNTIL" in rule:
        moments = takewhile(lambda moment: moment <= last, moments)
    if len(list(islice(moments, ends.most + 1))) > ends.most:
        return Reason(Why.MANY_DAYS)
    return endless


def _until(value: date | datetime, zone: tzinfo | None) -> datetime:
    """The last moment of a rule, as a local time of `zone`; a day is meant whole."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time.max)
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo and zone else value.replace(tzinfo=None)
