"""`manage.py demo`: a class to look at, with a past and a live session."""

import shlex
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from tqdm import tqdm

from accounts.models import User
from accounts.passwords import password_make
from accounts.services import user_add
from attendance.samples import DAYS_AGO, days_missing, live_session, past_session, sample_class
from classes.rosters.errors import RosterError
from classes.selectors import student_ids
from core import running
from core.commands import ExplainedCommand
from core.database.failures import DATABASE_ERRORS
from core.hosts import addresses_to_open
from core.identity import Actor, Role
from core.program import near, python
from core.running import Running

TEACHER_NAME, TEACHER_EMAIL = "Demo Teacher", "demo.teacher@example.com"
CLASS_NAME = "Demo class"

WELCOME = r"""
teacher   {teacher}   password {teacher_password}
student   {student}   password {student_password}   id {student_id}
class     {class}   ({name})

{open}
  as the teacher, go on with the live lesson, then look at the class's reports;
  as the student, see whether you are in.

Or as a program. The student listens, in one terminal:
  TOKEN=$({curl} {url}/auth/login -H 'Content-Type: application/json' \
    -d '{"email":"{student}","password":"{student_password}"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  {websockets} "{ws_url}/ws?token=$TOKEN"

The teacher takes the class's attendance, in another:
  TOKEN=$({curl} {url}/auth/login -H 'Content-Type: application/json' \
    -d '{"email":"{teacher}","password":"{teacher_password}"}' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  {curl} {url}/attendance/start -H "Authorization: $TOKEN" \
    -H 'Content-Type: application/json' -d '{"classId":"{class}"}'
  {websockets} "{ws_url}/ws?token=$TOKEN"
and pastes there, to mark that student, and to be told the counts:
  {"event":"ATTENDANCE_MARKED","data":{"studentId":"{student_id}","status":"present"}}
  {"event":"TODAY_SUMMARY"}
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
            student, student_password = _student(class_id)
            progress.update()
            missing = days_missing(class_id)
            progress.update(len(DAYS_AGO) - len(missing))
            try:
                for days in missing:
                    past_session(actor, class_id, days)
                    progress.update()
                live_session(actor, class_id)
                progress.update()
            except DATABASE_ERRORS as failure:
                raise CommandError(
                    "The demo's marks could not be written. Is the database busy or full? Run it again."
                ) from failure
        self.welcome(class_id, teacher_password, student, student_password)

    def welcome(self, class_id: str, teacher_password: str, student: User, student_password: str) -> None:
        server = running.found()
        url = server.own if server else addresses_to_open(settings.HOST, settings.PORT)[0]
        authority = shlex.quote(near(Path(server.authority))) if server and server.authority else ""
        trusting = f"SSL_CERT_FILE={authority} " if authority else ""
        values = {
            "{open}": _where_to_open(url, server),
            "{url}": url,
            "{curl}": f"curl -s --cacert {authority}" if authority else "curl -s",
            "{websockets}": f"{trusting}{shlex.quote(python())} -m websockets",
            "{ws_url}": url.replace("http", "ws", 1),
            "{teacher}": TEACHER_EMAIL,
            "{teacher_password}": teacher_password,
            "{student}": student.email,
            "{student_id}": student.id,
            "{student_password}": student_password,
            "{class}": class_id,
            "{name}": CLASS_NAME,
        }
        text = WELCOME
        for place, value in values.items():
            text = text.replace(place, value)
        self.stdout.write(text)


def _where_to_open(url: str, server: Running | None) -> str:
    if server is None:
        return f"Open {url}/app/ with the server running:"
    if server.public in ("", url):
        return f"Open {url}/app/ in a browser:"
    return f"Open {url}/app/ on this machine, or {server.public}/app/ on any device:"


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
    try:
        return sample_class(teacher, name=CLASS_NAME)
    except RosterError as failure:
        raise CommandError(str(failure)) from None


def _student(class_id: str) -> tuple[User, str]:
    """The first student on the roster, and the student's new password."""
    student = User.objects.get(pk=student_ids(class_id)[0])
    password = password_make()
    student.set_password(password)
    student.save(update_fields=["password"])
    return student, password
