"""A class with a past, to look at and to play with: thirty invented students, and lessons of the last days.

`manage.py demo` makes one for a teacher of its own, and the pages one for a teacher who has no class yet.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path

from django.utils import timezone

from accounts.standing import school_as_author
from attendance import journal, services
from attendance.enums import Method, SessionState, Status
from attendance.journal import NewMark
from attendance.models import Session
from classes.models import Class, Enrolment
from classes.rosters.entries import entries_of
from classes.rosters.errors import RosterError
from classes.rosters.sources import read_path
from classes.rosters.write import roster_import
from classes.selectors import student_ids
from classes.services import class_create
from core.database.unit_of_work import unit_of_work
from core.identity import Actor

ROSTER = Path(__file__).parent / "data" / "demo_roster.csv"
#: The finished sessions began at nine on each of these days before today.
DAYS_AGO = (3, 2, 1)
LESSON = timedelta(minutes=50)
#: How the students were marked, over and over down the roster; None is no mark at all.
PATTERN = (
    Status.PRESENT,
    Status.PRESENT,
    Status.LATE,
    Status.PRESENT,
    Status.ABSENT,
    Status.PRESENT,
    None,
    Status.PRESENT,
    Status.EXCUSED,
    Status.PRESENT,
    Status.PRESENT,
)
#: So many students have a mark in a live session.
MARKED_LIVE = 12


def sample_class(teacher: Actor, *, name: str) -> str:
    """The id of the teacher's class of this name, in which at least the invented students are.

    Raises `RosterError` where one of them cannot be enrolled.
    """
    found = Class.objects.filter(teacher_id=teacher.id, name=name, removed_at=None).first()
    class_id = (found or class_create(teacher=teacher, name=name)).id
    plan = roster_import(class_id=class_id, entries=entries_of(read_path(ROSTER)), author=school_as_author(teacher.id))
    for row in plan.refused:
        raise RosterError(f"{row.entry.name} of the invented students cannot be enrolled: {row.reason}.")
    Enrolment.objects.filter(class_ref_id=class_id).update(since=None)  # its finished sessions were held before today
    return class_id


def sample_school(teacher: Actor, *, name: str) -> str:
    """The id of a `sample_class` with its finished sessions."""
    class_id = sample_class(teacher, name=name)
    for days in days_missing(class_id):
        past_session(teacher, class_id, days)
    return class_id


def days_missing(class_id: str) -> tuple[int, ...]:
    """On which of DAYS_AGO the class had no lesson yet."""
    return DAYS_AGO[Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED).count() :]


@unit_of_work
def past_session(teacher: Actor, class_id: str, days: int) -> None:
    """A finished session `days` ago, as one unit: a running server never sees it live, and tells nobody."""
    began = timezone.localtime().date() - timedelta(days=days)
    started_at = timezone.make_aware(datetime.combine(began, time(9)))
    session = services.session_start(actor=teacher, class_id=class_id)
    roster = student_ids(class_id)
    marked = [(student, PATTERN[(place + 4 * days) % len(PATTERN)]) for place, student in enumerate(roster)]
    _mark(session, teacher, marked, began=started_at, pace=timedelta(seconds=2))
    services.session_end(session_id=session.id)
    Session.objects.filter(pk=session.id).update(
        started_at=started_at, last_activity_at=started_at + LESSON, ended_at=started_at + LESSON
    )


@unit_of_work
def live_session(teacher: Actor, class_id: str) -> None:
    """An open session with some marks. A session that is open already stays as it is, and so do other live sessions.

    One unit, too: a running server finds the session and its marks in one look, never the session alone.
    """
    session = Session.objects.filter(
        class_ref_id=class_id, state=SessionState.OPEN, last_activity_at__gte=services.idle_since()
    ).first()
    if session is None:
        session = services.session_start(actor=teacher, class_id=class_id)
    if session.last_seq == 0:
        marked = list(zip(student_ids(class_id)[:MARKED_LIVE], PATTERN * 2, strict=False))
        _mark(session, teacher, marked, began=timezone.now(), pace=timedelta())


def _mark(
    session: Session,
    teacher: Actor,
    marked: Iterable[tuple[str, Status | None]],
    *,
    began: datetime,
    pace: timedelta,
) -> None:
    """Adds the marks to the journal: the teacher calls the roll from `began` on, a student each `pace`.

    For a unit of work.
    """
    marks = [
        NewMark(session.id, student_id, status, began + place * pace, teacher.id, Method.TEACHER)
        for place, (student_id, status) in enumerate(marked)
        if status is not None
    ]
    journal.append(marks, is_activity=True)
