"""Timetables: the weekly lessons of a class, and what they come to on a day. Days and times are the school's."""

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import combinations

from django.utils.translation import gettext as _

from classes.holidays import is_holiday
from classes.models import Class, Slot, covers
from core import errors
from core.database.prepared import Prepared
from core.database.unit_of_work import unit_of_work
from core.times import local_instant, now

#: A class has so many slots at most.
MOST_SLOTS = 100
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WeeklyLesson:
    """A slot. `weekday` is 1 for Monday; `since` and `until` are included, and None is without end."""

    weekday: int
    start: time
    end: time
    since: date | None = None
    until: date | None = None
    left_out: Sequence[date] = ()
    room: str = ""

    def is_on(self, day: date) -> bool:
        is_within = covers(since=self.since, until=self.until, day=day)
        return day.isoweekday() == self.weekday and is_within and day not in self.left_out

    def instants(self, day: date) -> tuple[datetime, datetime]:
        """When the lesson of this day begins and ends. One in an hour that does not exist is as long as ever."""
        start, end = local_instant(day, self.start), local_instant(day, self.end)
        if end <= start:
            end = start + (datetime.combine(day, self.end) - datetime.combine(day, self.start))
        return start, end

    def meets(self, other: "WeeklyLesson") -> bool:
        """Whether both are at one time on some day. Two that take turns by weeks do not meet."""
        if self.weekday != other.weekday or self.end <= other.start or other.end <= self.start:
            return False
        day = max(self.since or date.min, other.since or date.min)
        last = min(self.until or date.max, other.until or date.max)
        day += timedelta(days=(self.weekday - day.isoweekday()) % 7)
        while day <= last and (day in self.left_out or day in other.left_out):
            day += WEEK
        return day <= last


@dataclass(frozen=True, slots=True)
class Planned:
    """A lesson of a day, as a timetable has it."""

    class_id: str
    start: datetime
    end: datetime
    room: str


def timetable(class_id: str) -> list[WeeklyLesson]:
    """The class's slots, by weekday and time."""
    return [_lesson(slot) for slot in Slot.objects.filter(class_ref_id=class_id)]


@unit_of_work
def timetable_replace(
    *, class_id: str, slots: Sequence[WeeklyLesson], seen: Sequence[WeeklyLesson] | None = None
) -> list[WeeklyLesson]:
    """The class has these slots from now on. With `seen` only if it still has those, else `Changed`.

    Raises `InvalidSchema`, by slot, for one that ends before it begins, or is at the time of another.
    """
    _check(slots)
    # The class's row is taken first: of two who replace the slots at once, the second one sees the first one's.
    Class.objects.filter(pk=class_id).update(updated_at=now())
    if seen is not None and timetable(class_id) != list(seen):
        raise errors.Changed
    Slot.objects.filter(class_ref_id=class_id).delete()
    Slot.objects.bulk_create(
        [
            Slot(
                class_ref_id=class_id,
                weekday=slot.weekday,
                start=f"{slot.start:%H:%M}",
                end=f"{slot.end:%H:%M}",
                since=slot.since,
                until=slot.until,
                left_out=" ".join(str(day) for day in sorted(set(slot.left_out))),
                room=slot.room,
            )
            for slot in slots
        ]
    )
    return timetable(class_id)


def _check(slots: Sequence[WeeklyLesson]) -> None:
    fields: dict[str, list[str]] = {}
    for number, slot in enumerate(slots):
        if slot.end <= slot.start:
            fields[f"slots.{number}.end"] = [_("Not after `start`.")]
        if slot.since and slot.until and slot.until < slot.since:
            fields[f"slots.{number}.until"] = [_("A day before `from`.")]
    for (first, one), (second, other) in combinations(enumerate(slots), 2):
        if one.meets(other):
            fields.setdefault(f"slots.{second}.start", [_("At the time of slot %d.") % (first + 1)])
    if fields:
        raise errors.InvalidSchema(fields)


@functools.cache
def _slots_on(weekday: int) -> "Prepared[Slot]":
    return Prepared(lambda *class_ids: Slot.objects.filter(class_ref_id__in=class_ids, weekday=weekday))


def planned_on(day: date, class_ids: Collection[str]) -> list[Planned]:
    """The lessons of a day that the classes' timetables have, by time; none on a holiday."""
    found = []
    for slot in _slots_on(day.isoweekday()).rows(*class_ids):
        lesson = _lesson(slot)
        if lesson.is_on(day):
            found.append(Planned(slot.class_ref_id, *lesson.instants(day), slot.room))
    if found and is_holiday(day):
        return []
    return sorted(found, key=lambda planned: (planned.start, planned.class_id))


def _lesson(slot: Slot) -> WeeklyLesson:
    return WeeklyLesson(
        slot.weekday,
        time.fromisoformat(slot.start),
        time.fromisoformat(slot.end),
        slot.since,
        slot.until,
        tuple(date.fromisoformat(day) for day in slot.left_out.split()),
        slot.room,
    )
