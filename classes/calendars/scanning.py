"""The lines of a calendar file: its events, each by itself with its line, and the time zones that it brings.

The library reads a file as one piece. It names no lines, stops at the first line that is none, keeps every time zone
for all files to come, and follows rules of zones however many moments they have. So the file is taken apart first, and
only what says when something is goes on to the library.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from io import StringIO

from dateutil.tz import tzical

from classes.calendars.reasons import CalendarError, Why
from classes.calendars.rules import happens

#: The largest file that is read, bytes. A request has no room for more.
LARGEST = 1024 * 1024
MOST_EVENTS = 2_000
#: Zones and their changes of clocks. A zone with its whole history has a hundred.
_MOST_CHANGES = 500
#: An alarm lies in an event, and an event in a calendar.
_DEEPEST = 10

_EVENT, _ZONE = ["VCALENDAR", "VEVENT"], ["VCALENDAR", "VTIMEZONE"]
_WHEN = frozenset(("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"))
_OF_EVENT = _WHEN | {"UID", "SEQUENCE", "STATUS", "SUMMARY", "LOCATION"}
_OF_ZONE = frozenset(("TZID", "DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"))
#: One change of clocks a year, or a handful of moments of which one is it.
_ZONE_RULE = re.compile(
    r"(?:(?:FREQ=YEARLY|BYMONTH=\d+|BYDAY=[+-]?\d?[A-Z]{2}|BYMONTHDAY=-?\d+(?:,-?\d+){0,6}|INTERVAL=1|WKST=[A-Z]{2}"
    r"|UNTIL=[\dTZ]+|COUNT=\d{1,3})(?:;|\Z))+"
)


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event's own properties, each a whole line; `line` is where it begins, from 1."""

    line: int
    properties: Sequence[str]

    @property
    def text(self) -> str:
        return "\r\n".join(("BEGIN:VEVENT", *self.properties, "END:VEVENT", ""))


@dataclass(slots=True)
class Scanned:
    """A file: its events, the zones by their names in it, whether all of it is called off, and its own zone's name."""

    events: list[RawEvent] = field(default_factory=list)
    zones: dict[str, tzinfo] = field(default_factory=dict)
    is_cancelled: bool = False
    zone_name: str = ""


def scan(data: bytes) -> Scanned:
    """Takes a file apart. Raises `CalendarError` for one that is no calendar, is cut off, or is too large."""
    if len(data) > LARGEST:
        raise CalendarError(Why.TOO_LARGE, LARGEST // 1024)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        is_calendar = b"BEGIN:VCALENDAR" in data.upper()
        raise CalendarError(Why.NOT_UTF8 if is_calendar else Why.NO_CALENDAR) from None
    scanner = _Scanner()
    for number, line in _unfolded(text):
        scanner.take(number, line)
    if scanner.within or not scanner.has_begun:
        raise CalendarError(Why.CUT_OFF if scanner.has_begun else Why.NO_CALENDAR)
    if not scanner.found.events:
        raise CalendarError(Why.NO_EVENTS)
    return scanner.found


class _Scanner:
    """Takes a file's lines one by one. `within`: the parts that are open, the outermost first."""

    def __init__(self) -> None:
        self.found = Scanned()
        self.within: list[str] = []
        self.has_begun = False
        self._first = self._changes = 0
        self._properties: list[str] = []

    def take(self, number: int, line: str) -> None:
        name, value = _parted(line)
        if name == "BEGIN":
            self._begin(number, value.upper())
        elif not self.within:
            raise CalendarError(Why.CUT_OFF if self.has_begun else Why.NO_CALENDAR)
        elif name == "END":
            self._end(value.upper())
        elif self.within == ["VCALENDAR"]:
            self.found.is_cancelled = self.found.is_cancelled or (name, value.upper()) == ("METHOD", "CANCEL")
            self.found.zone_name = value if name == "X-WR-TIMEZONE" else self.found.zone_name
        elif self.within == _EVENT and name in _OF_EVENT:
            self._properties.append(line)
        elif self.within[:2] == _ZONE and name in _OF_ZONE:
            self._properties.append(f"{name}:{value}")

    def _begin(self, number: int, part: str) -> None:
        self.within.append(part)
        if self.within[0] != "VCALENDAR":
            raise CalendarError(Why.NO_CALENDAR)
        self.has_begun = True
        if self.within in (_EVENT, _ZONE):
            self._properties, self._first = [], number
        if self.within[:2] == _ZONE:
            self._changes += 1
            self._properties.append(f"BEGIN:{part}")
        if len(self.within) > _DEEPEST or self._changes > _MOST_CHANGES:
            raise CalendarError(Why.TOO_LONG)

    def _end(self, part: str) -> None:
        if self.within[-1] != part:
            raise CalendarError(Why.CUT_OFF)
        if self.within[:2] == _ZONE:
            self._properties.append(f"END:{part}")
        if self.within == _EVENT:
            self.found.events.append(RawEvent(self._first, tuple(self._properties)))
        elif self.within == _ZONE:
            self.found.zones.update([_zone(self._properties)])
        if len(self.found.events) > MOST_EVENTS:
            raise CalendarError(Why.MANY_EVENTS, MOST_EVENTS)
        self.within.pop()


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The file's lines, each with its number. A line that begins with a blank goes on with the one before."""
    number, parts = 0, list[str]()
    for at, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
            continue
        if parts:
            yield number, "".join(parts)
        number, parts = at, [line] if line.strip() else []
    if parts:
        yield number, "".join(parts)


def _parted(line: str) -> tuple[str, str]:
    """A property's name and value, without parameters; a value in quotes may have a colon."""
    found = re.match(r'([A-Za-z0-9-]+)(?:;(?:"[^"]*"|[^":])*)?:', line)
    return (found[1].upper(), line[found.end() :].strip()) if found else ("", "")


def _zone(properties: Sequence[str]) -> tuple[str, tzinfo]:
    """A zone that the file brings, by its name."""
    parted = [_parted(line) for line in properties]
    name = next((value for key, value in parted if key == "TZID"), "")
    start = ""
    try:
        for key, value in parted:
            start = value if key == "DTSTART" else start
            if key == "RRULE" and not (_ZONE_RULE.fullmatch(value) and "BYMONTH=" in value and happens(value, start)):
                raise CalendarError(Why.BAD_ZONE, name)
        zone = tzical(StringIO("\n".join(properties))).get()
    except (ValueError, TypeError, LookupError, OverflowError):
        zone = None
    if zone is None:
        raise CalendarError(Why.BAD_ZONE, name)
    return name, zone
