"""The lessons of a day: what timetables have planned, with the sessions in which attendance was taken."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from attendance.enums import SessionState
from attendance.models import Session
from classes.models import Class, Enrolment
from classes.selectors import classes_taught
from classes.timetables import planned_on
from core.identity import Actor, Role
from core.times import midnight

#: A session that begins so long before its lesson is the lesson's.
EARLY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LessonOfDay:
    """A lesson. `end` is None for an open session in no slot; `session_id` is None while nobody has begun it."""

    class_id: str
    class_name: str
    start: datetime
    end: datetime | None
    room: str
    session_id: str | None


def lessons_on(*, actor: Actor, day: date) -> list[LessonOfDay]:
    """The lessons of a day of the school, by time, of the classes that `actor` teaches, or attends on that day."""
    names = dict(_classes(actor, day))
    first, last = midnight(day), midnight(day, days_after=1)
    rows = Session.objects.filter(class_ref_id__in=list(names), started_at__gte=first - EARLY, started_at__lt=last)
    held = rows.exclude(state=SessionState.VOIDED).order_by("started_at", "id")
    sessions = list(held.values_list("id", "class_ref_id", "started_at", "ended_at"))
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
    return sorted(found, key=lambda lesson: (lesson.start, lesson.class_name, lesson.class_id))


def _classes(actor: Actor, day: date) -> list[tuple[str, str]]:
    if actor.role == Role.TEACHER:
        rows = classes_taught(actor=actor, archived=False)
    else:
        enrolled = Enrolment.objects.on(day).filter(student_id=actor.id).values_list("class_ref_id", flat=True)
        rows = Class.objects.filter(pk__in=list(enrolled), removed_at=None, archived_at=None)
    return list(rows.values_list("id", "name"))
