"""`manage.py demo`: a class to look at, with a past and a live session."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts.models import User
from accounts.passwords import password_make
from accounts.services import user_add
from accounts.standing import school_as_author
from attendance import journal, services
from attendance.enums import Method, SessionState, Status
from attendance.journal import NewMark
from attendance.models import Session
from classes.models import Class, Enrolment
from classes.rosters.entries import entries_of
from classes.rosters.errors import RosterError
from classes.rosters.sources import read_csv
from classes.rosters.write import roster_import
from classes.selectors import student_ids
from classes.services import class_create
from core.commands import ExplainedCommand
from core.database.failures import DATABASE_ERRORS
from core.database.unit_of_work import unit_of_work
from core.identity import Actor, Role

ROSTER = Path(__file__).resolve().parents[2] / "data" / "demo_roster.csv"
TEACHER_NAME, TEACHER_EMAIL = "Demo Teacher", "demo.teacher@example.com"
CLASS_NAME = "Demo class"
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
#: So many students have a mark in the live session.
MARKED_LIVE = 12

WELCOME = r"""
teacher   {teacher}   password {teacher_password}
student   {student}   password {student_password}
class     {class}   ({name})

Try it, with the server running:
  TOKEN=$(curl -s http://{host}/auth/login -H 'Content-Type: application/json' \
    -d '{"email":"{teacher}","password":"{teacher_password}"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -s http://{host}/attendance/start -H "Authorization: $TOKEN" \
    -H 'Content-Type: application/json' -d '{"classId":"{class}"}'
  .venv/bin/python -m websockets "ws://{host}/ws?token=$TOKEN"
  and type: {"event":"TODAY_SUMMARY"}
"""

EXAMPLE = """\
  python manage.py demo
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = (
        f"Makes a teacher ({TEACHER_EMAIL}), the class “{CLASS_NAME}” of 30 invented students, three finished\n"
        "sessions and a live one, and prints how to sign in. Run again it only gives the teacher and one student\n"
        "new passwords, and opens a live session where none is open any more. While one session is live at a\n"
        "time, the one it opens is the one that /ws means from then on."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(total=4 + len(DAYS_AGO), desc="Demo", disable=None) as progress:
            teacher_password = password_make()
            actor = _teacher(teacher_password)
            progress.update()
            class_id = _class(actor)
            progress.update()
            student_email, student_password = _student(class_id)
            progress.update()
            missing = DAYS_AGO[_finished(class_id) :]
            progress.update(len(DAYS_AGO) - len(missing))
            try:
                for days in missing:
                    _past_session(actor, class_id, days)
                    progress.update()
                _live_session(actor, class_id)
                progress.update()
            except DATABASE_ERRORS as failure:
                raise CommandError(
                    "The demo's marks could not be written. Is the database busy or full? Run it again."
                ) from failure
        self.welcome(class_id, teacher_password, student_email, student_password)

    def welcome(self, class_id: str, teacher_password: str, student_email: str, student_password: str) -> None:
        values = {
            "{host}": f"{settings.HOST}:{settings.PORT}",
            "{teacher}": TEACHER_EMAIL,
            "{teacher_password}": teacher_password,
            "{student}": student_email,
            "{student_password}": student_password,
            "{class}": class_id,
            "{name}": CLASS_NAME,
        }
        text = WELCOME
        for place, value in values.items():
            text = text.replace(place, value)
        self.stdout.write(text)


def _teacher(password: str) -> Actor:
    """The demo's teacher, with this password from now on."""
    user = User.objects.by_email(TEACHER_EMAIL)
    if user is None:
        user = user_add(name=TEACHER_NAME, email=TEACHER_EMAIL, password=password, role=Role.TEACHER)
    else:
        if user.role != Role.TEACHER:
            raise CommandError(f"{TEACHER_EMAIL} is a student's account here. Delete or rename it in the admin first.")
        user.set_password(password)
        user.save(update_fields=["password"])
    return Actor(id=user.id, role=Role.TEACHER, name=user.name, email=user.email)


def _class(teacher: Actor) -> str:
    """The id of the demo's class, in which at least the students of the roster file are."""
    found = Class.objects.filter(teacher_id=teacher.id, name=CLASS_NAME, removed_at=None).first()
    class_id = (found or class_create(teacher=teacher, name=CLASS_NAME)).id
    try:
        entries = entries_of(read_csv(ROSTER))
        plan = roster_import(class_id=class_id, entries=entries, author=school_as_author(teacher.id))
    except RosterError as failure:
        raise CommandError(str(failure)) from None
    for row in plan.refused:
        raise CommandError(f"{row.entry.name} of the demo's roster cannot be enrolled: {row.reason}.")
    Enrolment.objects.filter(class_ref_id=class_id).update(since=None)  # its finished sessions were held before today
    return class_id


def _student(class_id: str) -> tuple[str, str]:
    """E-mail and new password of the first student on the roster."""
    student = User.objects.get(pk=student_ids(class_id)[0])
    password = password_make()
    student.set_password(password)
    student.save(update_fields=["password"])
    return student.email, password


def _finished(class_id: str) -> int:
    return Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED).count()


@unit_of_work
def _past_session(teacher: Actor, class_id: str, days: int) -> None:
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
def _live_session(teacher: Actor, class_id: str) -> None:
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
