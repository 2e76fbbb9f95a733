"""`manage.py invite` mails invitations or prints them, all checked before the first goes out."""

import io
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts import mail
from accounts.invitations import invitation_accept, invitation_find, invitation_mail
from accounts.models import Invitation, Origin, User
from core import errors, running
from core.identity import Role
from tests.services.conftest import at_once
from tests.support.clients import Api
from tests.support.database import Databases, manage
from tests.support.processes import free_port
from tests.support.server import Server
from tests.support.smtp import smtp_server

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = re.compile(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){5}\b")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.passwords.BcryptHasher.rounds", 4)


def invite(*arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("invite", *arguments, stdout=out)
    return out.getvalue().splitlines()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as failure:
        invite(*arguments)
    return str(failure.value)


def accept(secret: str, email: str = "asha@school.example", name: str = "Asha") -> User:
    return invitation_accept(secret=secret, name=name, email=email, password="secret1")


def test_printed_invitations_are_shown_once_and_stored_as_hashes() -> None:
    *lines, total = invite("teacher", "--print", "3")
    secrets = [SECRET.match(line) for line in lines]
    assert total == "3 invited as teacher, for 14 days."
    assert all(secrets)
    assert len({str(secret) for secret in secrets}) == 3
    stored = str(list(Invitation.objects.values_list()))
    for line in lines:
        assert line.partition(" ")[0] not in stored
        assert line.partition(" ")[0].replace("-", "") not in stored
        assert line.endswith("whoever has it")
    assert accept(lines[0].split()[0]).role == Role.TEACHER


def test_a_link_begins_with_the_public_address(settings: Any) -> None:
    settings.PUBLIC_URL = "https://attendance.school.example"
    line = invite("student", "asha@school.example", "--print", "1")[0]
    assert re.fullmatch(r"https://attendance\.school\.example/invitation/[a-z2-9-]{29}  asha@school\.example", line), (
        line
    )


@pytest.mark.parametrize("public", ["", "https://attendance.school.example"])
def test_printed_and_mailed_links_begin_with_the_address_of_the_server_that_runs_here_unless_a_setting_says_another(
    settings: Any, monkeypatch: pytest.MonkeyPatch, public: str
) -> None:
    settings.PUBLIC_URL = public
    here = running.Running(own="https://localhost:3443", public="https://192.0.2.7:3443", authority="")
    mailed: list[str] = []

    def deliver(message: Any) -> bool:
        mailed.append(message.body)
        return True

    monkeypatch.setattr(running, "found", lambda: here)
    monkeypatch.setattr(mail, "_send", deliver)
    link = re.compile(rf"{re.escape(public or here.public)}/invitation/{SECRET.pattern[2:]}")
    assert link.match(invite("student", "--print", "1")[0])
    invite("student", "asha@school.example")
    assert link.search(mailed[0])
    assert public == settings.PUBLIC_URL


def test_without_an_address_that_others_reach_there_is_no_link_and_it_is_said_why(databases: Databases) -> None:
    with Server(databases.fresh()) as server:
        done = manage("invite", "student", "--print", "1", database=server.database)
    assert SECRET.match(done.stdout)
    assert "These have no link: no server runs here that others reach, and PUBLIC_URL is not set." in done.stderr


def test_addresses_of_a_file_are_invited_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def deliver(message: Any) -> bool:
        sent.extend(message.to)
        return True

    monkeypatch.setattr(mail, "_send", deliver)
    path = tmp_path / "people.txt"
    path.write_text("\ufeffasha@school.example\n\n  ben@school.example \nASHA@school.example\n", encoding="utf-8")
    assert invite("student", "chen@school.example", "--file", str(path)) == ["3 invited as student, for 14 days."]
    assert sorted(sent) == ["asha@school.example", "ben@school.example", "chen@school.example"]
    assert Invitation.objects.filter(is_mailed=True).count() == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["teacher"], "Name at least one address, or a --file of addresses, or --print N."),
        (["teacher", "--print", "0"], "--print takes a number from 1 on"),
        (["teacher", "a@school.example", "--print", "2"], "and 1 where addresses are given"),
        (
            ["teacher", "good@school.example", "bad", "b\x1bd"],
            "These are no e-mail addresses, correct them: bad, b\ufffdd",
        ),
        (["teacher", "--file", "/nowhere/people.txt"], "Cannot read /nowhere/people.txt: No such file"),
    ],
)
def test_what_cannot_be_is_said_and_nobody_is_invited(arguments: list[str], said: str) -> None:
    assert said in refusal(*arguments)
    assert not Invitation.objects.exists()


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "people.txt"
    path.write_bytes("josé@school.example".encode("latin-1"))
    assert "is not UTF-8" in refusal("teacher", "--file", str(path))


def test_while_sign_up_is_closed_nobody_is_invited(settings: Any) -> None:
    settings.SIGNUP = "closed"
    assert "Set SIGNUP=invited" in refusal("teacher", "--print", "1")


def test_who_has_an_account_is_named_and_the_others_are_invited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_send", lambda message: True)
    User(name="Asha", email="asha@school.example", password="a hash").save(force_insert=True)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2 is not invited"):
        call_command("invite", "teacher", "asha@school.example", "ben@school.example", stdout=out)
    assert "asha@school.example: not invited: somebody has this address already" in out.getvalue()
    assert list(Invitation.objects.values_list("email", flat=True)) == ["ben@school.example"]


def test_a_mail_server_that_takes_nothing_leaves_no_invitation_open(databases: Databases) -> None:
    database = databases.fresh()
    done = manage(
        *("invite", "teacher", "asha@school.example"), database=database, EMAIL_URL=f"smtp://127.0.0.1:{free_port()}"
    )
    assert done.returncode == 1
    assert "asha@school.example: not invited: the mail server did not take the mail" in done.stdout
    assert "1 of 1 is not invited" in done.stderr
    assert database.ask(lambda: Invitation.objects.get().voided_at) is not None


def test_help_has_an_example(databases: Databases) -> None:
    done = manage("invite", "--help", database=databases.fresh())
    assert "python manage.py invite teacher --print 3" in done.stdout


def test_a_mailed_invitation_is_plain_text_and_whoever_has_it_signs_up_on_a_running_server(
    databases: Databases, make_server: Any
) -> None:
    with smtp_server() as (email_url, mailbox):
        server = make_server(SIGNUP="invited", EMAIL_URL=email_url)
        done = manage(*("invite", "teacher", "Asha@school.example"), database=server.database, EMAIL_URL=email_url)
        assert done.returncode == 0, done.stderr
        message = mailbox.wait("asha@school.example")
    assert (message.get_content_type(), message["Subject"]) == ("text/plain", "Your invitation to take attendance")
    found = SECRET.search(message.get_content())
    assert found is not None
    assert found[0] not in done.stdout + done.stderr
    person = {"name": "Asha", "email": "asha@school.example", "password": "secret1", "role": "teacher"}
    api = Api(server.url)
    assert api.http.post("/auth/signup", json=person).status_code == 403
    answer = api.http.post("/auth/signup", json={**person, "invitation": found[0]})
    assert (answer.status_code, answer.json()["data"]["role"]) == (201, "teacher")
    api.close()
    assert found[0] not in server.log_text()
    user = server.database.ask(lambda: User.objects.get())
    assert (user.is_proved, user.origin) == (True, Origin.INVITED)


# Accepting


def test_of_many_who_accept_at_once_one_gets_in() -> None:
    secret = invite("student", "--print", "1")[0].split()[0]
    works = [partial(accept, secret, f"s{n}@school.example") for n in range(4)]
    outcomes = at_once(works)
    assert sum(isinstance(outcome, User) for outcome in outcomes) == 1, outcomes
    assert sum(isinstance(outcome, errors.InvalidInvitation) for outcome in outcomes) == 3, outcomes
    assert User.objects.count() == 1


def test_an_address_that_is_taken_leaves_the_invitation_good() -> None:
    secret = invite("student", "--print", "1")[0].split()[0]
    User(name="Asha", email="asha@school.example", password="a hash").save(force_insert=True)
    with pytest.raises(errors.EmailTaken):
        accept(secret)
    assert accept(secret, "ben@school.example").email == "ben@school.example"


@pytest.mark.parametrize("role", [Role.STUDENT, Role.TEACHER])
def test_who_is_on_a_sheet_already_gets_that_account(role: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_send", lambda message: True)
    sheet = User(name="A. Rao", email="asha@school.example", roll_number="7", password="!", origin=Origin.SHEET)
    sheet.save(force_insert=True)
    made = invitation_mail(role=role, email="Asha@school.example")
    user = accept(made.secret)
    assert (user.pk, user.name, user.role, user.is_proved, user.roll_number) == (sheet.pk, "Asha", role, True, "7")
    with pytest.raises(errors.InvalidInvitation):
        invitation_find(secret=made.secret)
