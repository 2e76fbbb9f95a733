"""The lessons of a day: what timetables have planned, with the sessions in which attendance was taken."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError
from django.db.models import QuerySet

from attendance.enums import SessionState
from attendance.models import Session
from attendance.services import EARLY, is_over, session_open_planned
from classes.models import Class
from classes.selectors import class_names
from classes.timetables import Planned, planned_on
from core.database.prepared import Prepared
from core.identity import Actor
from core.names import by_name
from core.times import day_of, midnight

#: No lesson is longer.
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LessonOfDay:
    """A lesson. `end` is None for an open session in no slot; `session_id` is None while nobody has begun it."""

    class_id: str
    class_name: str
    start: datetime
    end: datetime | None
    room: str
    session_id: str | None


@functools.lru_cache(maxsize=16)
def _held(since: datetime, before: datetime) -> "Prepared[tuple[str, str, datetime, datetime | None]]":
    """The sessions of classes that began then, in that order: most ask for today's."""

    def build(*class_ids: str) -> "QuerySet[Session, tuple[str, str, datetime, datetime | None]]":
        rows = Session.objects.filter(class_ref_id__in=class_ids, started_at__gte=since, started_at__lt=before)
        held = rows.exclude(state=SessionState.VOIDED).order_by("started_at", "id")
        return held.values_list("id", "class_ref_id", "started_at", "ended_at")

    return Prepared(build)


def lessons_on(*, actor: Actor, day: date) -> list[LessonOfDay]:
    """The lessons of a day of the school, by time, of the classes that `actor` teaches, or attends on that day."""
    names = class_names(actor=actor, day=day)
    first, last = midnight(day), midnight(day, days_after=1)
    sessions = _held(first - EARLY, last).rows(*names)
    found, used = [], set()
    for planned in planned_on(day, names):
        session_id = next(
            (
                key
                for key, class_id, began, _ in sessions
                if class_id == planned.class_id and key not in used and planned.start - EARLY <= began < planned.end
            ),
            None,
        )
        used.add(session_id)
        name = names[planned.class_id]
        found.append(LessonOfDay(planned.class_id, name, planned.start, planned.end, planned.room, session_id))
    found += [
        LessonOfDay(class_id, names[class_id], began, ended, "", key)
        for key, class_id, began, ended in sessions
        if key not in used and began >= first
    ]
    return sorted(found, key=lambda lesson: (lesson.start, by_name(lesson.class_name, lesson.class_id)))


@dataclass(frozen=True, slots=True)
class Due:
    """What is to happen by itself: planned lessons that have begun, and the ids of sessions whose time is over."""

    begun: Sequence[Planned]
    over: Sequence[str]


def lessons_due(moment: datetime) -> Due:
    """What is due at `moment`, also what was missed while no server ran. Two queries where no class asks for it."""
    open_now = Session.objects.filter(state=SessionState.OPEN)
    over = list(open_now.filter(is_over(moment)).values_list("id", flat=True))
    asking = Class.objects.filter(opens_by_itself=True, removed_at=None, archived_at=None)
    class_ids = list(asking.values_list("id", flat=True))
    planned = planned_on(day_of(moment), class_ids) if class_ids else []
    held = (
        set(
            Session.objects.filter(
                class_ref_id__in=class_ids, planned_for__lte=moment, planned_for__gt=moment - DAY
            ).values_list("class_ref_id", "planned_for")
        )
        if planned
        else set()
    )
    begun = [one for one in planned if one.start <= moment < one.end and (one.class_id, one.start) not in held]
    return Due(begun, over)


def lesson_open(planned: Planned, *, moment: datetime) -> bool:
    """Opens the session of a lesson that has begun; False where it had one, or another process was faster."""
    try:
        return session_open_planned(
            class_id=planned.class_id, planned_for=planned.start, ends_at=planned.end, moment=moment
        )
    except IntegrityError:
        return False
