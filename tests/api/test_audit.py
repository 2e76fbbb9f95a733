"""The audit log: who signed in, read, exported, changed or was refused, without names, secrets or waiting."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.urls import reverse

from accounts.models import User
from accounts.services import user_add
from audit.models import Action, Entry, Outcome
from audit.trail import LONGEST, Trail, prune, trail
from core import asking
from core.asking import Asking
from core.identity import Role
from core.times import now
from tests.api.rest import Rest, School, raiser, token_of
from tests.realtime.contract import marked
from tests.support.clients import FRAME_LIMIT, PASSWORD, Api, Socket
from tests.support.http import Client
from tests.support.server import Server

#: `(action, outcome, way, actor, thing)` of an entry.
Told = tuple[str, str, str, str, str]


@pytest.fixture
def told(db: None) -> Iterator[Callable[[], list[Told]]]:
    """What the log has from now on, in the order in which it was noted."""
    trail.flush()
    Entry.objects.all().delete()

    def read() -> list[Told]:
        trail.flush()
        columns = ("action", "outcome", "way", "actor", "thing")
        return list(Entry.objects.order_by("at", "id").values_list(*columns))

    yield read
    trail.flush()


def test_sign_ins_are_told_with_the_account_if_there_is_one(
    rest: Rest, told: Callable[[], list[Told]], school: School
) -> None:
    user = user_add(name="Asha", email="asha@example.com", password=PASSWORD, role=Role.STUDENT)
    rest.post("/auth/login", {"email": user.email, "password": "wrong secret"})
    rest.post("/auth/login", {"email": "nobody@example.com", "password": PASSWORD})
    rest.post("/auth/login", {"email": user.email, "password": PASSWORD})
    assert told() == [
        ("sign_in", "refused", "password", user.id, ""),
        ("sign_in", "refused", "password", "", ""),
        ("sign_in", "done", "password", user.id, ""),
    ]


def test_changes_are_told_with_what_they_are_about_and_refused_ones_too(
    rest: Rest, told: Callable[[], list[Told]], school: School
) -> None:
    path = f"/class/{school.class_id}/add-student"
    body = {"studentId": school.other_student.id}
    for person, status in ((school.student, 403), (school.owner, 200)):
        assert rest.post(path, body, token=token_of(person)).status == status
    rest.post(path, body).is_failure(401, "Unauthorized, token missing or invalid")
    assert rest.post(path, {}, token=token_of(school.owner)).status == 400
    assert told() == [
        ("change", "refused", "POST class-add-student", school.student.id, school.class_id),
        ("change", "done", "POST class-add-student", school.owner.id, school.class_id),
        ("change", "refused", "POST class-add-student", "", school.class_id),
    ]


def test_teachers_reads_of_people_are_told_and_nobodys_read_of_themself(
    rest: Rest, told: Callable[[], list[Told]], school: School
) -> None:
    for path in (f"/class/{school.class_id}", "/students", "/auth/me", "/healthz"):
        assert rest.get(path, token=token_of(school.owner)).status == 200
    for path in (f"/class/{school.class_id}", "/auth/me", f"/class/{school.class_id}/my-attendance"):
        assert rest.get(path, token=token_of(school.student)).status == 200
    assert told() == [
        ("read", "done", "GET class-detail", school.owner.id, school.class_id),
        ("read", "done", "GET students", school.owner.id, ""),
    ]


def test_the_admins_pages_are_told(told: Callable[[], list[Told]], school: School) -> None:
    boss = User.objects.create_superuser("boss@example.com", PASSWORD, name="Boss")
    client = Client()
    client.force_login(boss)
    told()
    Entry.objects.all().delete()
    page = reverse("admin:accounts_user_change", args=[school.student.id])
    for path in (reverse("admin:index"), reverse("admin:accounts_user_changelist"), page):
        assert client.get(path).status_code == 200
    client.post(reverse("admin:logout"))
    assert told() == [
        ("read", "done", "GET admin:accounts_user_changelist", boss.id, ""),
        ("read", "done", "GET admin:accounts_user_change", boss.id, school.student.id),
        ("change", "done", "POST admin:logout", boss.id, ""),
    ]


def test_nobody_changes_the_log_in_the_admin(told: Callable[[], list[Told]]) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.com", PASSWORD, name="Boss"))
    trail.note(Action.READ, "GET class-detail", actor="a" * 24)
    told()
    entry = Entry.objects.get()
    page = reverse("admin:audit_entry_change", args=[entry.pk])
    shown = client.get(page).content.decode()
    assert "GET class-detail" in shown
    assert 'name="_save"' not in shown
    assert client.get(reverse("admin:audit_entry_changelist")).status_code == 200
    assert client.post(page, {"way": "nothing"}).status_code == 403
    assert client.post(reverse("admin:audit_entry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:audit_entry_add")).status_code == 403
    assert Entry.objects.filter(pk=entry.pk, way="GET class-detail").exists()


def test_an_export_by_the_command_is_told_before_anything_is_written(
    told: Callable[[], list[Told]], school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("export_attendance", school.class_id)
    assert told() == [("export", "done", "manage.py export_attendance", "", school.class_id)]


def test_a_file_that_a_page_gives_away_is_an_export_and_the_narrowest_thing_is_told(
    told: Callable[[], list[Told]], school: School
) -> None:
    client = Client()
    client.force_login(school.owner)
    page = f"/app/classes/{school.class_id}"
    for path in (f"{page}/reports.csv", f"{page}/students/{school.student.id}"):
        assert client.get(path).status_code == 200
    assert told() == [
        ("export", "done", "GET web:class-report-file", school.owner.id, school.class_id),
        ("read", "done", "GET web:class-student", school.owner.id, school.student.id),
    ]


def test_an_invitations_secret_is_never_told(rest: Rest, told: Callable[[], list[Told]], school: School) -> None:
    client = Client()
    client.get("/invitation/a-secret-of-nobody", headers={"Authorization": token_of(school.owner)})
    client.post("/invitation/a-secret-of-nobody/accept", {})
    assert "a-secret" not in str(list(Entry.objects.values())) + str(told())


def test_what_is_the_same_within_a_second_is_one_row_with_a_number(told: Callable[[], list[Told]]) -> None:
    asking.current.set(Asking(request_id="0123abcd", address="192.0.2.7"))
    for _ in range(500):
        trail.note(Action.READ, "GET class-detail", actor="a" * 24, thing="b" * 24)
    trail.note(Action.READ, "GET class-detail", actor="c" * 24, thing="b" * 24)
    assert len(told()) == 2
    entry = Entry.objects.get(actor="a" * 24)
    assert (entry.times, entry.address, entry.request_id) == (500, "192.0.2.7", "0123abcd")
    asking.current.set(Asking())


def test_while_the_database_is_away_entries_wait(
    told: Callable[[], list[Told]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writing = Trail()
    writing.note(Action.CHANGE, "first")
    with monkeypatch.context() as away:
        away.setattr("audit.trail._write", raiser(OperationalError("away")))
        away.setattr("audit.trail.connection", SimpleNamespace(close=lambda: None))
        writing.flush()
    assert not Entry.objects.filter(way="first").exists()
    writing.note(Action.CHANGE, "second")
    writing.flush()
    assert list(Entry.objects.order_by("id").values_list("way", flat=True)) == ["first", "second"]


def test_more_than_can_wait_is_dropped_and_the_log_says_so(
    told: Callable[[], list[Told]], caplog: pytest.LogCaptureFixture
) -> None:
    writing = Trail()
    for number in range(LONGEST + 3):
        writing.note(Action.CONNECT, "socket", actor=str(number), outcome=Outcome.REFUSED)
    with caplog.at_level(logging.ERROR):
        writing.flush()
    assert Entry.objects.count() == LONGEST
    assert "3 entries of the audit log could not be kept" in caplog.text


def test_entries_are_kept_for_as_long_as_the_setting_says(told: Callable[[], list[Told]], settings: Any) -> None:
    settings.AUDIT_DAYS = 30
    for days in (0, 29, 31, 400):
        Entry.objects.create(at=now() - timedelta(days=days), action=Action.READ, outcome=Outcome.DONE, way=str(days))
    prune()
    assert sorted(Entry.objects.values_list("way", flat=True)) == ["0", "29"]


def test_the_office_finds_what_somebody_did_and_what_was_done_about_them(
    page: Client, told: Callable[[], list[Told]]
) -> None:
    key = "a" * 24
    for number, about in enumerate(({"actor": key}, {"thing": key}, {"actor": "b" * 24}, {"way": key})):
        Entry.objects.create(action=Action.READ, outcome=Outcome.DONE, request_id=str(number), **about)
    shown = page.get("/admin/audit/entry/", {"q": f" {key} "}).context["cl"].result_list
    assert {entry.request_id for entry in shown} == {"0", "1"}


async def test_a_server_writes_what_happens_and_marks_leave_nothing(make_server: Callable[..., Server]) -> None:
    server = make_server()
    api = Api(server.url)
    room = api.make_room(1)
    student = room.students[0]

    def entries(way: str) -> list[tuple[str, str, str]]:
        rows = Entry.objects.filter(way=way).order_by("id")
        return server.database.ask(lambda: list(rows.values_list("actor", "thing", "outcome")))

    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.mark(student.id)
        assert await teacher.frame() == marked(student.id, "present")
        await teacher.send("DONE")
        assert (await teacher.frame())["event"] == "DONE"
    (session,) = server.database.sessions(room.class_id)
    async with asyncio.timeout(FRAME_LIMIT):
        while not (ended := await asyncio.to_thread(entries, "end of a session")):
            await asyncio.sleep(0.05)
    assert ended == [(room.teacher.id, session.pk, "done")]
    answer = student.post("/class", {"className": "Art"})
    api.close()
    server.stop()  # what waits is written before the end
    assert entries("POST class-create") == [(room.teacher.id, "", "done"), (student.id, "", "refused")]
    ways = server.database.ask(lambda: set(Entry.objects.values_list("way", flat=True)))
    assert ways == {"POST class-create", "POST class-add-student", "POST attendance-start", "end of a session"}
    refused = server.database.ask(lambda: Entry.objects.get(outcome=Outcome.REFUSED))
    assert (refused.request_id, refused.address) == (answer.headers["x-request-id"], "127.0.0.1")
