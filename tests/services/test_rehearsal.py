"""`serve --rehearsal`: a restored database is looked at, and nothing leaves the server, whatever `.env` says."""

import re
from collections.abc import Callable
from queue import Empty

import httpx
import pytest
from pytest_django import Settings

from attendance.services import session_end
from notices.loop import INTERVAL
from notices.models import Delivery, Due
from notices.sending import Outcome, send_due
from notices.webhooks import webhook_create
from tests.services.conftest import commit_marks, make_room, new_mark
from tests.support.clients import PASSWORD
from tests.support.database import Database, Databases, manage
from tests.support.processes import free_port
from tests.support.server import SERVE, Server, only_serve
from tests.support.smtp import smtp_server
from tests.support.webhooks import Receiver

pytestmark = [pytest.mark.django_db(transaction=True), only_serve]

TEACHER = "teacher@example.com"
REHEARSAL = [*SERVE, "--rehearsal", "--port", "{port}"]


def with_something_due(database: Database, receiver: Receiver) -> Database:
    """A teacher who can sign in, a webhook, and a lesson of which both are to be told by now."""

    def make() -> None:
        room = make_room()
        room.teacher.email = room.teacher.email_key = TEACHER
        room.teacher.set_password(PASSWORD)
        room.teacher.save()
        webhook_create(actor=room.actor, url=receiver.url, events=["session.ended"])
        session = room.start()
        commit_marks([new_mark(room, session, 0, "absent"), new_mark(room, session, 1)])
        session_end(session_id=session.id)

    database.ask(make)
    return database


@pytest.mark.long
def test_a_rehearsal_tells_nobody_and_people_sign_in_and_see_their_classes(
    databases: Databases, settings: Settings
) -> None:
    settings.NOTICE_DELAY_MINUTES, settings.WEBHOOK_PRIVATE = 0, True
    receiver = Receiver()
    database = with_something_due(databases.fresh(), receiver)
    real = {"NOTICE_TO": "teachers", "NOTICE_ABSENCES": "1", "NOTICE_TEACHERS_AT": "", "WEBHOOK_PRIVATE": "1"}
    elsewhere = {
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
        "WORKERS": "2",
        "HOST": "0.0.0.0",
        "ALLOWED_HOSTS": "attendance.example.org",
        "HSTS_SECONDS": "31536000",
        "PUBLIC_URL": "https://attendance.example.org",
        "OIDC_ISSUER": f"http://127.0.0.1:{free_port()}",
        "OIDC_CLIENT_ID": "attendance",
        "OIDC_CLIENT_SECRET": "secret",
    }
    with smtp_server() as (address, mailbox):
        with Server(database, REHEARSAL, EMAIL_URL=address, **real, **elsewhere) as server:
            assert "A REHEARSAL: no mail, no notice and no webhook leaves this server." in server.log_text()
            with httpx.Client(base_url=server.url, timeout=60) as browser:
                page = browser.get("/app/sign-in")
                assert "/app/sign-in/school" not in page.text
                token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[0]
                form = {"csrfmiddlewaretoken": token, "login": TEACHER, "password": PASSWORD}
                assert browser.post("/app/sign-in", data=form).headers["Location"] == "/app/"
                assert "Physics" in browser.get("/app/").text
                assert browser.post("/auth/forgot", json={"login": TEACHER}).status_code == 200
            with pytest.raises(Empty):
                receiver.next(INTERVAL + 1)
        assert "A rehearsal sends no mail." in server.log_text()
        server.assert_clean()
        assert database.ask(Due.objects.count) == 1
        assert mailbox.sent(TEACHER) == []

        # It was due, and everything above was set so that it goes.
        done = manage("send_notices", database=database, EMAIL_URL=address, **real)
        assert done.stdout == "1 session looked at, 3 notices sent, 0 failed.\n", done.stderr
        assert len(mailbox.sent(TEACHER)) == len(receiver.got) == 1
    receiver.close()


def test_in_a_rehearsal_what_is_due_stays_due(settings: Settings) -> None:
    settings.NOTICE_DELAY_MINUTES, settings.REHEARSAL = 0, True
    room = make_room()
    session_end(session_id=room.start().id)
    assert send_due() == Outcome()
    assert (Due.objects.count(), Delivery.objects.count()) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--rehearsal", "--workers", "2"], "A rehearsal has one worker"),
        (["--rehearsal", "--lan"], "is not on the school's network"),
        (["--rehears"], "Write --rehearsal in full, or set REHEARSAL=1."),
    ],
)
def test_what_a_rehearsal_cannot_be_is_refused_in_words(databases: Databases, arguments: list[str], why: str) -> None:
    done = manage("serve", "--port", "0", *arguments, database=databases.fresh())
    assert done.returncode == 1
    assert why in done.stderr


def test_a_rehearsal_is_refused_where_a_server_runs_on_the_same_database(make_server: Callable[..., Server]) -> None:
    server = make_server()
    done = manage("serve", "--port", "0", "--rehearsal", database=server.database)
    assert done.returncode == 1
    assert "A server runs on this DATA_DIR and this database." in done.stderr
