"""Upgrading a database from before AttenTrack had tables of its own keeps every row, even during a lesson."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.models import DateTimeField

from accounts.models import User
from attendance.enums import SessionState
from attendance.models import Session
from classes.models import Class
from core.database.unit_of_work import unit_of_work
from core.times import now
from dialects.attentrack.models import CheckIn, TeachingPlace
from tests.dialects.attentrack.app import App
from tests.support.clients import make_token
from tests.support.database import Database, Databases, manage
from tests.support.migrations import interrupt
from tests.support.server import Server

pytestmark = pytest.mark.long

#: The last migrations before AttenTrack had tables of its own.
BEFORE: list[tuple[str, str | None]] = [
    ("accounts", "0004_profiles_codes_limits"),
    ("classes", "0005_rosters_by_time"),
    ("attendance", "0005_records_and_check_in"),
]
DESK = '{"latitude":21.2497,"longitude":81.6050}'
BACK_ROW = {"latitude": 21.2498, "longitude": 81.6051}
HOME = {"latitude": 21.3000, "longitude": 81.6050}

#: The rows of each model, by their keys, by the model's label.
Rows = dict[str, dict[Any, dict[str, Any]]]


def run(*arguments: str, database: Database) -> str:
    done = manage(*arguments, database=database)
    assert done.returncode == 0, done.stderr
    return done.stdout


def core_rows() -> Rows:
    """Every row of accounts, classes and attendance, with the columns of today's models."""
    return {
        model._meta.label: {row["pk"]: row for row in model._default_manager.values("pk", *columns_of(model))}
        for app, _ in BEFORE
        for model in apps.get_app_config(app).get_models()
    }


#: What nobody can know of rows from before: how an account came to be, and how often a class was held.
UNKNOWN = {"accounts.User": {"origin", "made_by_id"}, "classes.Class": {"holds"}}


def without_unknown(rows: Rows) -> Rows:
    """The rows without what is UNKNOWN of them."""
    return {
        label: {
            key: {name: value for name, value in row.items() if name not in UNKNOWN.get(label, ())}
            for key, row in of_model.items()
        }
        for label, of_model in rows.items()
    }


def columns_of(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def old_models() -> Any:
    """The models as of the migrations in BEFORE."""
    return MigrationLoader(connection).project_state(cast(Any, BEFORE)).apps


def migrate_to(targets: list[tuple[str, str | None]]) -> None:
    MigrationExecutor(connections[DEFAULT_DB_ALIAS]).migrate(targets)


@unit_of_work
def fill(rows: Rows) -> None:
    """Writes rows of today's models into a database of the old models."""
    models = old_models()
    for label, by_key in rows.items():
        if not by_key:
            continue  # its table may have come to be since
        model = models.get_model(label)
        columns = columns_of(model)
        for field in model._meta.fields:
            if isinstance(field, DateTimeField):
                field.auto_now = field.auto_now_add = False  # the rows bring their own times
        old = [model(**{name: row[name] for name in columns if name in row}) for row in by_key.values()]
        model._default_manager.bulk_create(old)


def old_database(databases: Databases, rows: Rows) -> Database:
    database = databases.empty()
    database.ask(lambda: migrate_to(BEFORE))
    database.ask(lambda: fill(rows))
    return database


def teach(session_id: str, others: Iterable[str]) -> None:
    """Writes AttenTrack's lesson in an open session as the old code did."""
    models = old_models()
    sessions, places = (models.get_model("attendance", name).objects for name in ("Session", "TeachingPlace"))
    session = sessions.select_related("class_ref").get(pk=session_id)
    sessions.filter(pk=session_id).update(check_in_code='"048213"', countdown="60")
    sessions.filter(pk__in=list(others)[:1]).update(check_in_code="7", countdown="")
    sessions.filter(pk__in=list(others)[1:2]).update(check_in_code="", countdown='"30"')
    places.create(key=session.class_ref.teacher_id, location=DESK, radius='"50"', told_at=now())
    places.create(key="anybody", location='""', radius='""', told_at=now() - timedelta(days=1))


async def test_an_upgrade_that_was_interrupted_keeps_every_row_and_the_lesson_goes_on(
    databases: Databases, make_server: Callable[..., Server]
) -> None:
    new = databases.fresh()
    run("demo", database=new)
    rows: Rows = new.ask(core_rows)
    sessions = rows["attendance.Session"].values()
    (lesson,) = [row for row in sessions if row["state"] == SessionState.OPEN]
    finished = [row["id"] for row in sessions if row["state"] == SessionState.ENDED]
    database = old_database(databases, rows)
    database.ask(lambda: teach(lesson["id"], finished))

    for step in range(3):
        database.ask(partial(interrupt, ("attendance", "0006_attentracks_tables_apart"), step))
    run("migrate", "--verbosity", "0", database=database)

    upgraded = database.ask(core_rows)
    assert without_unknown(upgraded) == without_unknown(rows)
    origins = {row["email"]: row["origin"] for row in upgraded["accounts.User"].values()}
    with_password = {row["email"] for row in rows["accounts.User"].values() if not row["password"].startswith("!")}
    assert len(with_password) == 2
    assert origins == {email: "self" if email in with_password else "school" for email in origins}
    assert database.ask(lambda: {tuple(row) for row in CheckIn.objects.values_list()}) == {
        (lesson["id"], '"048213"', "60"),
        (finished[0], "7", ""),
        (finished[1], "", '"30"'),
    }
    teacher = lesson["started_by_id"]
    assert database.ask(
        lambda: {tuple(row) for row in TeachingPlace.objects.values_list("key", "location", "radius")}
    ) == {
        (teacher, DESK, '"50"'),
        ("anybody", '""', '""'),
    }
    await finish(make_server(database), lesson, teacher)


async def finish(server: Server, lesson: dict[str, Any], teacher: str) -> None:
    """The rest of the lesson: a student without a mark checks in, and the teacher sends in the record."""
    class_id = lesson["class_ref_id"]
    marked = {student_id for _, student_id, _ in server.database.journal(class_id, lesson["id"])}

    def student_without_a_mark() -> tuple[str, str]:
        student = User.objects.filter(enrolments__class_ref=class_id).exclude(pk__in=marked).earliest("pk")
        User.objects.filter(pk=student.pk).update(roll_number="R 1")
        return student.pk, "R 1"

    student, roll_number = server.database.ask(student_without_a_mark)
    desk, phone = App(server.url, make_token(teacher, "teacher")), App(server.url, make_token(student, "student"))
    shown = {"currentOTP": "048213", "finalTime": 60, "currentId": class_id}
    assert desk.ask("GET", "/getAttendance") == shown
    assert phone.ask("GET", "/getAttendance") == {**shown, "currentOTP": None}
    async with phone.socket() as socket:
        await socket.send("attendance", rollNumber=roll_number, otp="048214", location=BACK_ROW)
        assert await socket.error() == "Incorrect OTP"
        await socket.send("attendance", rollNumber=roll_number, otp="048213", location=HOME)
        assert await socket.error() == "Location not within range"
        await socket.send("attendance", rollNumber=roll_number, otp="048213", location=BACK_ROW)
        assert await socket.frame() == {"type": "attendance2", "rollNumber": roll_number}
    record = {"class_id": class_id, "date": "2025-05-17T10:00:00.000Z", "records": {roll_number: True}}
    desk.ask("POST", "/api/attendance/createAttendance", record, status=201)
    seq, marked_student, status = server.database.journal(class_id, lesson["id"])[-1]
    assert (seq, marked_student, status) == (lesson["last_seq"] + 1, student, "present")
    assert server.database.ask(lambda: Session.objects.get(pk=lesson["id"]).state) == SessionState.ENDED
    desk.close()
    phone.close()


def test_the_way_back_keeps_the_rows_too(databases: Databases) -> None:
    database = databases.fresh()

    def there() -> str:
        teacher = User(name="Tess", email="tess@example.com", role="teacher", password="!")
        teacher.save(force_insert=True)
        physics = Class.objects.create(name="Physics", teacher=teacher)
        session = Session.objects.create(class_ref=physics, started_by=teacher)
        CheckIn.objects.create(session_id=session.id, code='"1"', countdown="2")
        TeachingPlace.objects.create(key="anybody", location=DESK, radius="5", told_at=now())
        migrate_to([("attentrack", None), BEFORE[-1]])
        return session.id

    session_id = database.ask(there)

    def and_back() -> tuple[Any, Any]:
        models = old_models()
        sessions, places = (models.get_model("attendance", name).objects for name in ("Session", "TeachingPlace"))
        told = sessions.values_list("check_in_code", "countdown").get(pk=session_id)
        place = places.values_list("key", "location", "radius").get()
        executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
        executor.migrate(executor.loader.graph.leaf_nodes())
        return told, place

    assert database.ask(and_back) == (('"1"', "2"), ("anybody", DESK, "5"))
    assert database.ask(lambda: CheckIn.objects.values_list().get()) == (session_id, '"1"', "2")
    assert database.ask(lambda: TeachingPlace.objects.values_list("key", "radius").get()) == ("anybody", "5")
