"""Codes go out as mail with two bodies, to the console with DEBUG on and by SMTP with EMAIL_URL."""

import time
from collections.abc import Callable

import pytest

from tests.dialects.attentrack.app import App
from tests.dialects.attentrack.people import make_school
from tests.support.database import Databases, manage
from tests.support.processes import free_port
from tests.support.server import Server
from tests.support.smtp import smtp_server

pytestmark = pytest.mark.one_database("Mail goes out past the database.")

LIMIT = 15.0  # seconds


def ask_for_code(server: Server) -> App:
    """A teacher of a new school asks for a code; returns the teacher's app."""
    school = make_school(server)
    card = school.teacher.ask("GET", "/api/teacher/token-login")
    school.close()
    app = App(server.url)
    assert list(app.ask("POST", "/api/teacher/otp-generate", {"email": card["email"]})) == ["otpToken"]
    app.traffic.append(card["email"])
    return app


def wait_for_log(server: Server, text: str) -> None:
    until = time.monotonic() + LIMIT
    while text not in server.log_text():
        assert time.monotonic() < until, server.log_text()


def test_a_code_is_mailed_with_a_text_and_an_html_body(make_server: Callable[..., Server]) -> None:
    with smtp_server() as (email_url, mailbox):
        server = make_server(EMAIL_URL=email_url, EMAIL_FROM="School <school@example.com>")
        app = ask_for_code(server)
        message = mailbox.wait(app.traffic[-1])
        server.stop()
    assert (message["From"], message["Subject"]) == ("School <school@example.com>", "Your one-time code")
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    code = str(mailbox.code(app.traffic[-1]))
    assert f"your one-time code is {code}." in text.get_content()
    assert f"<strong>{code}</strong>" in html.get_content()
    assert code not in server.log_text()
    app.close()


def test_a_name_brings_no_words_links_or_headers_of_its_own_into_a_mail(make_server: Callable[..., Server]) -> None:
    with smtp_server() as (email_url, mailbox):
        server = make_server(SIGNUP="students", EMAIL_URL=email_url)
        name = "You won, see https://evil.example/win or a@evil.example\r\nBcc: b@school.example\r\n\r\n" + "x" * 150
        body = {"name": name, "email": "asha@school.example", "password": "secret1", "role": "student"}
        app = App(server.url)
        app.ask("POST", "/auth/signup", body, status=201)
        message = mailbox.wait("asha@school.example")
        server.stop()
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines()[0] == "Hello You won see httpsevilexamplewin or aevil,"
    for content in (text.get_content(), html.get_content()):
        assert "evil.example" not in content
        assert "Bcc" not in content
        assert "xx" not in content
    assert message["Bcc"] is None
    app.close()


def test_mail_goes_to_the_console_by_default_with_debug_on(make_server: Callable[..., Server]) -> None:
    server = make_server(DEBUG="1")
    app = ask_for_code(server)
    wait_for_log(server, "your one-time code is")
    app.close()


@pytest.mark.parametrize("given", [{}, {"EMAIL_URL": "console:"}])
def test_no_code_stands_in_the_log_of_a_server_without_debug(
    make_server: Callable[..., Server], given: dict[str, str]
) -> None:
    server = make_server(**given)
    app = ask_for_code(server)
    wait_for_log(server, "A mail could not be sent: ConnectionError: EMAIL_URL names no mail server.")
    assert "one-time code is" not in server.log_text()
    app.close()


def test_a_missing_mail_server_delays_no_answer_and_is_logged_without_the_code(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(EMAIL_URL=f"smtp://127.0.0.1:{free_port()}")
    app = ask_for_code(server)
    wait_for_log(server, "A mail could not be sent: ConnectionRefusedError")
    assert "one-time code is" not in server.log_text()
    app.close()


def test_an_unknown_kind_of_mail_server_stops_the_start(databases: Databases) -> None:
    done = manage("check", database=databases.fresh(), EMAIL_URL="pigeon://post")
    assert done.returncode != 0
    assert "EMAIL_URL must begin with" in done.stderr
