"""`manage.py demo` fills a database with a class to look at, once, and always prints logins that work."""

import asyncio
import io
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from accounts.services import user_login
from attendance import journal, services
from attendance.enums import SessionState, Status
from attendance.journal import NewMark
from attendance.models import Attendance, Focus, Mark, Session
from classes.models import Class, Enrolment
from core import errors
from core.identity import Role
from tests.support.clients import Api, Socket
from tests.support.database import Databases, manage
from tests.support.server import Server

pytestmark = pytest.mark.django_db


def run() -> dict[str, str]:
    """What the command prints: the two logins and the class."""
    out = io.StringIO()
    call_command("demo", stdout=out)
    return read(out.getvalue())


def read(text: str) -> dict[str, str]:
    found = re.search(
        r"^teacher +(?P<teacher>\S+) +password (?P<teacher_password>\S+)\n"
        r"student +(?P<student>\S+) +password (?P<student_password>\S+) +id (?P<student_id>[0-9a-f]{24})\n"
        r"class +(?P<class_id>[0-9a-f]{24}) ",
        text,
        re.MULTILINE,
    )
    assert found, text
    return {**found.groupdict(), "text": text}


def test_demo_makes_a_class_of_thirty_with_three_finished_sessions_and_a_live_one() -> None:
    shown = run()

    found = Class.objects.get(pk=shown["class_id"])
    assert (found.name, found.teacher.email, found.teacher.name) == ("Demo class", shown["teacher"], "Demo Teacher")
    assert Enrolment.objects.filter(class_ref=found).count() == 30
    finished = list(Session.objects.filter(class_ref=found, state=SessionState.ENDED).order_by("started_at"))
    now = timezone.now()
    assert len(finished) == 3
    for session in finished:
        assert session.ended_at is not None
        assert now - timedelta(days=5) < session.started_at < session.ended_at < now
        statuses = list(Attendance.objects.filter(session=session).values_list("status", flat=True))
        assert len(statuses) == 30
        assert {*Status.values} == {*statuses}
        assert session.present_count == sum(Status(status).as_basic is Status.PRESENT for status in statuses)
        assert session.absent_count == 30 - session.present_count
        marks = list(Mark.objects.filter(session=session).order_by("seq"))
        assert [mark.seq for mark in marks] == list(range(1, session.last_seq + 1))
        assert 20 < len(marks) < 30
        assert all(session.started_at <= mark.at <= session.ended_at for mark in marks)
    live = Session.objects.get(class_ref=found, state=SessionState.OPEN)
    assert 0 < live.last_seq < 30
    assert Mark.objects.filter(session=live).count() == live.last_seq
    assert Focus.objects.get().session_id == live.pk
    assert live.last_activity_at <= timezone.now()


def test_both_logins_work_and_nobody_else_has_a_password() -> None:
    shown = run()
    actor, _ = tokens.authenticate(user_login(email=shown["teacher"], password=shown["teacher_password"]))
    assert actor.role == Role.TEACHER
    actor, _ = tokens.authenticate(user_login(email=shown["student"], password=shown["student_password"]))
    assert actor.role == Role.STUDENT
    assert Enrolment.objects.filter(class_ref_id=shown["class_id"], student_id=actor.id).exists()
    assert sum(user.has_usable_password() for user in User.objects.all()) == 2


def snapshot() -> list[list[dict[str, object]]]:
    people = User.objects.order_by("id").values("id", "name", "email", "role", "roll_number", "is_active", "is_staff")
    tables = (Class, Enrolment, Session, Mark, Attendance, Focus)
    return [list[Any](people), *(list[Any](table._default_manager.order_by("pk").values()) for table in tables)]


def test_running_it_again_changes_nothing_but_the_two_passwords() -> None:
    first = run()
    before = snapshot()

    second = run()

    assert snapshot() == before
    assert {name: second[name] for name in ("teacher", "student", "class_id")} == {
        name: first[name] for name in ("teacher", "student", "class_id")
    }
    assert second["teacher_password"] != first["teacher_password"]
    user_login(email=second["teacher"], password=second["teacher_password"])
    user_login(email=second["student"], password=second["student_password"])
    with pytest.raises(errors.InvalidCredentials):
        user_login(email=first["teacher"], password=first["teacher_password"])


def test_demo_starts_a_live_session_where_the_last_one_has_ended() -> None:
    shown = run()
    old = Session.objects.get(state=SessionState.OPEN)
    services.session_end(session_id=old.pk)

    run()

    new = Session.objects.get(state=SessionState.OPEN)
    assert new.pk != old.pk
    assert new.class_ref_id == shown["class_id"]
    assert new.last_seq > 0
    assert Session.objects.filter(state=SessionState.ENDED).count() == 4


def test_where_a_student_has_the_teachers_e_mail_it_says_so_and_writes_nothing() -> None:
    User(name="Somebody", email="Demo.Teacher@example.com", role=Role.STUDENT, password="!").save()
    with pytest.raises(CommandError, match="is a student's account here"):
        run()
    assert User.objects.count() == 1
    assert not Class.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_where_the_marks_cannot_be_written_no_live_session_is_left_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run()
    old = Session.objects.get(state=SessionState.OPEN)
    services.session_end(session_id=old.pk)

    def fails(marks: Sequence[NewMark], **options: Any) -> Any:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(journal, "append", fails)

    with pytest.raises(CommandError, match="could not be written"):
        run()

    assert not Session.objects.filter(state=SessionState.OPEN).exists()
    assert Session.objects.filter(state=SessionState.ENDED).count() == 4


@pytest.mark.long
async def test_a_running_server_shows_the_live_session_and_tells_nobody_of_the_past_ones(databases: Databases) -> None:
    server = Server(databases.fresh()).start()
    api = Api(server.url)
    try:
        async with Socket(server.ws_url, api.signup("student").token) as bystander:
            made = await asyncio.to_thread(manage, "demo", database=server.database, PORT=str(server.port))
            assert made.returncode == 0, made.stderr
            shown = read(made.stdout)
            assert f"http://127.0.0.1:{server.port}/auth/login" in shown["text"]
            assert f'"ws://127.0.0.1:{server.port}/ws?token=$TOKEN"' in shown["text"]
            login = api.http.post(
                "/auth/login", json={"email": shown["teacher"], "password": shown["teacher_password"]}
            )
            pasted = re.findall(r'^  (\{"event":.*\})$', shown["text"], re.MULTILINE)
            async with Socket(server.ws_url, login.json()["data"]["token"]) as socket:
                for message in pasted:
                    await socket.send_raw(message)
                heard = [await bystander.frame()]
                while heard[-1]["event"] != "TODAY_SUMMARY":
                    heard.append(await bystander.frame())
        total = heard[-1]["data"]["total"]
        assert 0 < total < 30
        assert {frame["event"] for frame in heard[:-1]} == {"ATTENDANCE_MARKED"}
        assert heard[-2]["data"] == {"studentId": shown["student_id"], "status": "present"}
    finally:
        api.close()
        server.close()
