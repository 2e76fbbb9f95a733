"""The holidays of a calendar file: its events of whole days. The end of such an event is the day after its last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from classes.calendars.reading import Happening, read_calendar
from classes.calendars.reasons import Why
from classes.calendars.rows import Outcome, Row, row_of
from classes.calendars.walls import wall

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Holidays from `since` to `until`, both included."""

    since: date
    until: date
    name: str


@dataclass(frozen=True, slots=True)
class HolidaysPlan:
    """What a file comes to: a row for each of its events, and the holidays, by day."""

    rows: Sequence[Row]
    spans: Sequence[Span]

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.outcome is Outcome.REFUSED]


def holidays_plan(data: bytes, *, school: tzinfo, today: date) -> HolidaysPlan:
    """What the file comes to. Raises `CalendarError` for a file that cannot be read."""
    rows, spans = [], set[Span]()
    for series in read_calendar(data, school=school, today=today):
        found = [_span(one, series.name, school) for one in series.happenings]
        taken = [one for one in found if isinstance(one, Span)]
        rows.append(row_of(series, [one for one in found if isinstance(one, Why)], len(taken)))
        spans.update(taken)
    return HolidaysPlan(rows, sorted(spans))


def _span(happening: Happening, name: str, school: tzinfo) -> Span | Why:
    """The days of an event. From midnight to midnight, as some programs write whole days, is whole days, too."""
    if happening.is_cancelled:
        return Why.CANCELLED
    start, end = happening.start, happening.end
    if isinstance(start, datetime) and isinstance(end, datetime):
        start, end = wall(start, school), wall(end, school)
        if (start.time(), end.time()) != (time.min, time.min) or start == end:
            return Why.NOT_ALL_DAY
        start, end = start.date(), end.date()
    return Span(start, end - _DAY, name)
