"""What a growth curve is measured on: a new database, people and marks in it, and this server over it.

The databases are made where DATABASE_URL points (SQLite files without it), beside what is there, and are dropped in the
end. The server has the first core, and the load the others: neither takes the other's time.
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from accounts.models import User
from attendance.enums import Method, Status
from attendance.models import Focus, Mark, Session
from bench.cores import for_the_server
from bench.fanout import Participants
from bench.results import ROOT
from classes.models import Class, Enrolment
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from core.ids import new_id
from core.times import now
from tests.support.clients import make_token
from tests.support.database import Database, Databases, databases_of_a_run
from tests.support.server import Server

#: `sqlite`, `postgresql` or `mongodb`.
DATABASE_KIND: str = connection.vendor

#: Rows in one statement when a database is filled.
BATCH = 5000


@contextlib.contextmanager
def databases() -> Iterator[Databases]:
    """Makes new databases; SQLite's files are in the same folder as the default database, so on the same disk."""
    place = ROOT / "var"
    place.mkdir(exist_ok=True)
    with databases_of_a_run(place) as made:
        yield made


# People


@dataclass(frozen=True)
class Lesson:
    """A class with its teacher, students (ids), and its open session, if any."""

    class_id: str
    teacher_id: str
    student_ids: list[str]
    session_id: str | None

    @property
    def teacher_token(self) -> str:
        return make_token(self.teacher_id, "teacher")

    @property
    def student_tokens(self) -> list[str]:
        return [make_token(student_id, "student") for student_id in self.student_ids]

    @property
    def participants(self) -> Participants:
        return Participants([self.teacher_token, *self.student_tokens], self.student_ids)


def fill(
    database: Database, *, classes: int = 1, students: int = 33, people: int = 0, started: bool = True
) -> list[Lesson]:
    """Makes classes of `students` each, with a teacher each and an open session if `started`. Nobody has a password.

    There are `people` students altogether, who are dealt out to the classes in turn. By default each class has its own.
    """
    return database.ask(lambda: _fill(classes, students, people or classes * students, started))


@unit_of_work
def _fill(classes: int, students: int, people: int, started: bool) -> list[Lesson]:
    pool = _make_people(Role.STUDENT, people)
    teachers = _make_people(Role.TEACHER, classes)
    lessons = [
        Lesson(
            new_id(),
            teacher,
            [pool[(number * students + place) % people] for place in range(students)],
            new_id() if started else None,
        )
        for number, teacher in enumerate(teachers)
    ]
    made = [
        Class(id=lesson.class_id, name="Bench", teacher_id=lesson.teacher_id, roster_version=1) for lesson in lessons
    ]
    Class.objects.bulk_create(made, batch_size=BATCH)
    enrolled = [
        Enrolment(class_ref_id=lesson.class_id, student_id=key, since=None)
        for lesson in lessons
        for key in lesson.student_ids
    ]
    Enrolment.objects.bulk_create(enrolled, batch_size=BATCH)
    if started:
        sessions = [Session(id=r.session_id, class_ref_id=r.class_id, started_by_id=r.teacher_id) for r in lessons]
        Session.objects.bulk_create(sessions, batch_size=BATCH)
        Focus.objects.create(session_id=lessons[-1].session_id)
        Session.objects.filter(pk=lessons[-1].session_id).update(focus_number=1)
    return lessons


def _make_people(role: Role, count: int) -> list[str]:
    keys = [new_id() for _ in range(count)]
    emails = [f"{key}@example.com" for key in keys]
    User.objects.bulk_create(
        [
            User(id=key, name=f"{role} {key}", email=email, email_key=email, role=role, password="!")
            for key, email in zip(keys, emails, strict=True)
        ],
        batch_size=BATCH,
    )
    return keys


def fill_journal(database: Database, lesson: Lesson, marks: int) -> None:
    """Marks the students of the lesson in the order of the roster, again and again, without the server."""
    database.ask(lambda: _fill_journal(lesson, marks))


@unit_of_work
def _fill_journal(lesson: Lesson, marks: int) -> None:
    assert lesson.session_id is not None
    moment = now()
    rows = (
        Mark(
            id=new_id(),
            session_id=lesson.session_id,
            seq=seq,
            student_id=lesson.student_ids[(seq - 1) % len(lesson.student_ids)],
            status=Status.PRESENT,
            at=moment,
            by_id=lesson.teacher_id,
            method=Method.TEACHER,
        )
        for seq in range(1, marks + 1)
    )
    Mark.objects.bulk_create(rows, batch_size=BATCH)
    Session.objects.filter(pk=lesson.session_id).update(last_seq=marks)


# This server


@contextlib.contextmanager
def serving(database: Database, command: list[str] | None = None, *, per_class: bool = False) -> Iterator[Server]:
    """`manage.py serve`, or another command that serves, on its core. AssertionError if its log has an error."""
    serve = command or [sys.executable, "manage.py", "serve", "--port", "{port}"]
    mode = "per-class" if per_class else "single"
    server = Server(database, [*for_the_server(), *serve], LIVE_SESSIONS=mode, LIMITS="False")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.close()
    server.assert_clean()
