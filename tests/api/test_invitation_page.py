"""The page that an invitation's link opens."""

import re
from typing import Any

import pytest

from accounts.invitations import invitation_mail, invitation_print
from accounts.models import Invitation, User
from core.identity import Role
from tests.support.http import Client

pytestmark = pytest.mark.django_db(transaction=True)

PERSON = {"name": "Asha <b>Rao</b>", "email": "asha@school.example", "password": "correct horse"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.passwords.BcryptHasher.rounds", 4)
    monkeypatch.setattr("accounts.mail._send", lambda message: True)


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True)


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies
    return str(answer.content.decode())


def test_whoever_has_the_link_signs_up_by_the_form(client: Client) -> None:
    secret = invitation_print(role=Role.TEACHER).secret
    html = text(client.get(f"/invitation/{secret}"))
    assert "Sign up as a teacher" in html
    style, action = re.findall(r'(?:href|action)="([^"]+)"', html)
    assert client.get(style).status_code == 200
    assert "You are a teacher now" in text(client.post(action, PERSON), 201)
    user = User.objects.get()
    assert (user.name, user.email, user.role, user.is_proved) == (PERSON["name"], PERSON["email"], "teacher", False)
    assert user.check_password(PERSON["password"])
    assert "This invitation cannot be used" in text(client.get(f"/invitation/{secret}"), 400)
    assert "This invitation cannot be used" in text(client.post(action, PERSON), 400)


def test_a_mailed_invitations_page_has_the_address_and_takes_no_other(client: Client) -> None:
    secret = invitation_mail(role=Role.STUDENT, email="asha@school.example").secret
    html = text(client.get(f"/invitation/{secret}"))
    assert re.search(r'<input type="email" name="email" value="asha@school.example"[^>]* readonly', html)
    url = f"/invitation/{secret}/accept"
    assert "is for another address" in text(client.post(url, {**PERSON, "email": "ben@school.example"}), 400)
    text(client.post(url, PERSON), 201)
    assert User.objects.get().is_proved


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "This field is required."),
        ("email", "nothing", "Enter a valid email address."),
        ("email", "taken@school.example", "Somebody has an account with this address already."),
        ("password", "short", "at least 8 characters"),
        ("password", "password1", "none of the common ones"),
        ("name", "x" * 256, "at most 255 characters"),
        ("name", "a\0b", "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_comes_back_in_the_form_and_the_invitation_stays_good(
    client: Client, field: str, value: str, said: str
) -> None:
    User(name="Taken", email="taken@school.example", password="a hash").save(force_insert=True)
    secret = invitation_print(role=Role.STUDENT).secret
    html = text(client.post(f"/invitation/{secret}/accept", {**PERSON, field: value}), 400)
    assert said in html
    assert PERSON["password"] not in html
    assert "<b>" not in html
    assert User.objects.count() == 1
    assert Invitation.objects.get().used_at is None


@pytest.mark.parametrize("secret", ["unknown", "%00", "x" * 2000, "é"])
def test_an_unknown_invitation_is_a_page_that_says_what_to_do(client: Client, secret: str) -> None:
    assert "Ask your school for a new one" in text(client.get(f"/invitation/{secret}"), 400)
    assert "Ask your school for a new one" in text(client.post(f"/invitation/{secret}/accept", PERSON), 400)


def test_while_sign_up_is_closed_the_page_says_so(client: Client, settings: Any) -> None:
    secret = invitation_print(role=Role.STUDENT).secret
    settings.SIGNUP = "closed"
    assert "sign-up is closed" in text(client.get(f"/invitation/{secret}"), 403)


def test_guessing_links_ends(client: Client) -> None:
    answers = [client.get(f"/invitation/guess{n}") for n in range(301)]
    assert [answer.status_code for answer in answers] == [400] * 300 + [429]
    assert int(answers[-1]["Retry-After"]) >= 1
