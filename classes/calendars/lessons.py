"""The lessons of a calendar file, as slots of a timetable.

Each lesson is taken as the file has it, day by day, and lessons of one weekday, time and room become one slot again: so
a rule with its exceptions, and events that were written out one by one, come to the same slots. A lesson of a single
day is a slot that begins and ends on that day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo
from itertools import groupby
from operator import attrgetter

from classes.calendars.reading import Happening, Series, read_calendar
from classes.calendars.reasons import CalendarError, Reason, Why
from classes.calendars.rows import Outcome, Row, row_of
from classes.calendars.walls import wall
from classes.timetables import MOST_SLOTS, WEEK, WeeklyLesson

#: After a longer break a lesson is another slot, which begins then.
_LONGEST_BREAK = 9 * WEEK
#: A slot's room has so many characters at most.
_LONGEST_ROOM = 64


@dataclass(frozen=True, slots=True)
class TimetablePlan:
    """What a file comes to: a row for each of its events, and the slots of those that are taken."""

    rows: Sequence[Row]
    slots: Sequence[WeeklyLesson]

    @property
    def refused(self) -> list[Row]:
        return [row for row in self.rows if row.outcome is Outcome.REFUSED]


@dataclass(frozen=True, slots=True)
class _Lesson:
    day: date
    start: time
    end: time
    room: str
    line: int

    @property
    def kind(self) -> tuple[int, time, time, str]:
        return self.day.isoweekday(), self.start, self.end, self.room


def lessons_plan(
    data: bytes, *, school: tzinfo, today: date, since: date | None = None, until: date | None = None
) -> TimetablePlan:
    """What the file comes to from `since` to `until`, both included; None is without end.

    `school`: the zone of times without one, and of the slots.
    Raises `CalendarError` for a file that cannot be read, and for lessons of more than `MOST_SLOTS` slots.
    """
    rows, lessons = [], list[_Lesson]()
    for series in read_calendar(data, school=school, today=today, last_day=until):
        row, taken = _row(series, school, since or date.min, until or date.max)
        rows.append(row)
        lessons += taken
    meeting = _meeting(lessons)
    rows = [_refused(row, meeting[row.line]) if row.line in meeting else row for row in rows]
    slots = sorted(_slots(lesson for lesson in lessons if lesson.line not in meeting), key=_place)
    if len(slots) > MOST_SLOTS:
        raise CalendarError(Why.MANY_SLOTS, MOST_SLOTS)
    return TimetablePlan(rows, slots)


def _row(series: Series, school: tzinfo, since: date, until: date) -> tuple[Row, list[_Lesson]]:
    found = [_lesson(one, series.line, school) for one in series.happenings]
    lessons = [one for one in found if isinstance(one, _Lesson) and since <= one.day <= until]
    return row_of(series, [one for one in found if isinstance(one, Why)], len(lessons)), lessons


def _lesson(happening: Happening, line: int, school: tzinfo) -> _Lesson | Why:
    """The lesson in the school's time, or why there is none. Seconds are left out."""
    if happening.is_cancelled:
        return Why.CANCELLED
    if not isinstance(happening.start, datetime) or not isinstance(happening.end, datetime):
        return Why.ALL_DAY
    start, end = (wall(moment, school).replace(second=0, microsecond=0) for moment in (happening.start, happening.end))
    if start.date() != end.date():
        return Why.OVER_MIDNIGHT
    if end <= start:
        return Why.NO_LENGTH
    return _Lesson(start.date(), start.time(), end.time(), happening.place[:_LONGEST_ROOM].strip(), line)


def _meeting(lessons: Iterable[_Lesson]) -> dict[int, int]:
    """The lines of events with a lesson at the time of another, each with the line of that other event."""
    found: dict[int, int] = {}
    before: _Lesson | None = None
    for lesson in sorted(lessons, key=attrgetter("day", "start", "line")):
        if before is not None and before.day == lesson.day and lesson.start < before.end:
            found.setdefault(max(lesson.line, before.line), min(lesson.line, before.line))
        if before is None or (lesson.day, lesson.end) > (before.day, before.end):
            before = lesson
    return found


def _refused(row: Row, line: int) -> Row:
    return replace(row, outcome=Outcome.REFUSED, reason=Reason(Why.MEETS, str(line)), days=0)


def _slots(lessons: Iterable[_Lesson]) -> Iterable[WeeklyLesson]:
    by_kind = groupby(sorted(lessons, key=attrgetter("kind", "day")), key=attrgetter("kind"))
    for (weekday, start, end, room), of_kind in by_kind:
        for days in _runs([lesson.day for lesson in of_kind]):
            held = set(days)
            weeks = range((days[-1] - days[0]) // WEEK)
            left_out = [day for day in (days[0] + week * WEEK for week in weeks) if day not in held]
            yield WeeklyLesson(weekday, start, end, days[0], days[-1], tuple(left_out), room)


def _runs(days: Sequence[date]) -> Iterable[list[date]]:
    """Days in order, cut at long breaks."""
    run: list[date] = []
    for day in days:
        if run and day - run[-1] > _LONGEST_BREAK:
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _place(slot: WeeklyLesson) -> tuple[int, time, date]:
    return slot.weekday, slot.start, slot.since or date.min
