"""What the events of a calendar file come to: moments and days, with repetitions, exceptions and changes applied."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from time import thread_time
from typing import Any
from zoneinfo import ZoneInfo

from classes.calendars.reasons import CalendarError, Reason, Why
from classes.calendars.rules import BROKEN, Ends, settled
from classes.calendars.scanning import RawEvent, Scanned, scan
from core.times import is_far

#: All events together come to so many lessons or days at most.
MOST_HAPPENINGS = 5_000
#: Seconds of a processor that reading may take. A term of a whole school takes one.
_LONGEST = 10.0
#: What an event may say more than once.
_REPEATED = ("RRULE", "RDATE", "EXDATE")
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")


@dataclass(frozen=True, slots=True)
class Happening:
    """One time that an event takes place: both ends are moments, or both are days and the second is not included."""

    start: date | datetime
    end: date | datetime
    place: str
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Series:
    """An event with all of its repetitions and changes, by time. `fault`: why it is not read, and comes to nothing."""

    line: int
    uid: str
    name: str
    happenings: Sequence[Happening] = ()
    fault: Reason | None = None
    note: Reason | None = None


def read_calendar(data: bytes, *, school: tzinfo, today: date, last_day: date | None = None) -> list[Series]:
    """The events of a file, in its order. Times without a zone are of the zone `school`.

    What has no end is taken until `last_day`, or for a year.
    Raises `CalendarError` for a file that cannot be read, and one that comes to too much.
    """
    started, scanned = thread_time(), scan(data)
    events: dict[str, list[tuple[RawEvent, Any]]] = {}
    found: list[Series] = []
    for raw in scanned.events:
        event = _parsed(raw)
        fault = event if isinstance(event, Reason) else _localised(event, scanned, school)
        if isinstance(event, Reason) or fault is not None:
            uid, name = (
                ("", "") if isinstance(event, Reason) else (_text(event.get("UID")), _text(event.get("SUMMARY")))
            )
            found.append(Series(raw.line, uid, name, fault=fault))
        else:
            events.setdefault(_text(event.get("UID")) or f"line {raw.line}", []).append((raw, event))
    left = MOST_HAPPENINGS
    for parts in events.values():
        series = _series(parts, scanned, Ends(today, last_day, left))
        if series.fault is not None and series.fault.why is Why.MANY_DAYS:
            raise CalendarError(Why.MANY_DAYS, MOST_HAPPENINGS)
        left -= len(series.happenings)
        found.append(series)
        if thread_time() - started > _LONGEST:
            raise CalendarError(Why.TOO_LONG)
    return sorted(found, key=lambda series: series.line)


def _parsed(raw: RawEvent) -> Any:
    """The library's event, or a `Reason` if it has no start, or a property that the library skips in silence.

    Its properties are `Any` here: to the library's types each may be any of all that there are.
    """
    from icalendar import Event  # noqa: PLC0415  slow to import, and used only where a calendar is read

    try:
        event: Any = Event.from_ical(raw.text)
    except BROKEN:
        return Reason(Why.UNREADABLE, "text")
    doubles = [name for name, value in event.items() if isinstance(value, list) and name not in _REPEATED]
    broken = (
        [name or "text" for name, _ in event.errors] + doubles + [name for name in ["DTSTART"] if name not in event]
    )
    return Reason(Why.UNREADABLE, broken[0]) if broken else event


def _localised(event: Any, scanned: Scanned, school: tzinfo) -> Reason | None:
    """Gives each time of an event its zone: its own, by the file, else the school's. A reason for one that has none."""
    for name in _TIMES:
        properties = event.get(name, [])
        for one in properties if isinstance(properties, list) else [properties]:
            zone_name = str(one.params.get("TZID", ""))
            for value in getattr(one, "dts", [one]):
                try:
                    value.dt = _in_zone(value.dt, zone_name, scanned, school)
                except LookupError:
                    return Reason(Why.UNKNOWN_ZONE, zone_name)
                except BROKEN:
                    return Reason(Why.UNREADABLE, name)
    # The library would swap the two.
    end: Any = event["DTEND"].dt if "DTEND" in event else None
    is_turned = type(end) is type(event["DTSTART"].dt) and end < event["DTSTART"].dt
    return Reason(Why.UNREADABLE, "DTEND") if is_turned else None


def _in_zone(value: Any, zone_name: str, scanned: Scanned, school: tzinfo) -> Any:
    if isinstance(value, tuple):  # a period: its end is a moment, or a length
        return tuple(_in_zone(one, zone_name, scanned, school) for one in value)
    if isinstance(value, date) and is_far(value):
        raise ValueError(value)
    if not isinstance(value, datetime):
        return value
    if isinstance(value.tzinfo, ZoneInfo | timezone) or not (zone_name or value.tzinfo is None):
        return value
    if not zone_name:
        return value.replace(tzinfo=school)
    zones = {name.strip("/"): zone for name, zone in scanned.zones.items()}
    return value.replace(tzinfo=zones[zone_name.strip("/")])


def _series(parts: Sequence[tuple[RawEvent, Any]], scanned: Scanned, ends: Ends) -> Series:
    """One event with its changes. Two of one UID and number are a mistake: the library would drop one."""
    masters = [(raw, event) for raw, event in parts if "RECURRENCE-ID" not in event]
    raw, event = (masters or list(parts))[0]
    made = Series(raw.line, _text(event.get("UID")), _text(event.get("SUMMARY")))
    known: dict[int, int] = {}
    for other, one in masters:
        number = int(one.get("SEQUENCE", -1))
        if number in known:
            return replace(made, line=other.line, fault=Reason(Why.SAME_UID, str(known[number])))
        known[number] = other.line
    note, moments = None, 0
    for _, one in parts:
        moments += sum(len(dates.dts) for dates in _listed(one.get("RDATE")))
        for rule in _listed(one.get("RRULE")):
            said = settled(rule, one["DTSTART"].dt, replace(ends, most=max(ends.most - moments, 0)))
            if said is not None and said.why is not Why.ENDLESS:
                return replace(made, fault=said)
            note = said or note
    try:
        happenings = _happenings([one for _, one in parts], scanned) if moments <= ends.most else []
    except BROKEN:
        return replace(made, fault=Reason(Why.UNREADABLE, "DTSTART"))
    if moments > ends.most or len(happenings) > ends.most:
        return replace(made, fault=Reason(Why.MANY_DAYS))
    return replace(made, happenings=happenings, note=note)


def _happenings(events: Iterable[Any], scanned: Scanned) -> list[Happening]:
    import recurring_ical_events  # noqa: PLC0415  as in `_parsed`
    from icalendar import Calendar  # noqa: PLC0415

    calendar = Calendar()
    if _is_known(scanned.zone_name):
        calendar.add("X-WR-TIMEZONE", scanned.zone_name)  # what is repeated in UTC is meant in this zone
    for event in events:
        calendar.add_component(event)
    found = recurring_ical_events.of(calendar).between(datetime(1900, 1, 1), datetime(9000, 1, 1))  # noqa: DTZ001
    happenings = [
        Happening(
            one["DTSTART"].dt,
            _end(one),
            _text(one.get("LOCATION")),
            scanned.is_cancelled or _text(one.get("STATUS")).upper() == "CANCELLED",
        )
        for one in found
    ]
    return sorted(happenings, key=lambda happening: str(happening.start))


def _end(event: Any) -> date | datetime:
    """The end of an occurrence. Whole days without an end are one day."""
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    if not isinstance(start, datetime) and end <= start:
        end = start + timedelta(days=1)
    return end  # type: ignore[no-any-return]


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _is_known(name: str) -> bool:
    try:
        return bool(ZoneInfo(name)) if name else False
    except (ValueError, LookupError, OSError):
        return False


def _text(value: Any) -> str:
    """A property as one line that can be shown and stored."""
    words = " ".join(str(value or "").split())
    return "".join(letter for letter in words if letter.isprintable())[:255]
