"""The admin's doors: the limits of all others, in words, and the hashes' own threads."""

from typing import Any

import pytest
from django.test import Client

from accounts import devices, limits
from accounts.models import User
from core.identity import Role
from core.rest.routes import is_slow
from core.times import in_words, now

pytestmark = pytest.mark.django_db(transaction=True)  # whoever is refused changes nothing

PASSWORD = "correct horse"
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = now()
    monkeypatch.setattr(limits, "now", lambda: moment)


@pytest.fixture
def root() -> User:
    user = User(name="Root", email="root@example.com", role=Role.TEACHER, is_staff=True, is_superuser=True)
    user.set_password(PASSWORD)
    user.save(force_insert=True)
    return user


def sign_in(client: Client, password: str = PASSWORD) -> Any:
    return client.post(LOGIN, {"username": "Root@Example.com", "password": password})


def errors_of(answer: Any) -> str:
    return str(answer.context["form"].errors)


def test_who_guesses_at_the_admin_waits_and_is_told_how_long_in_words(root: User) -> None:
    phone = Client()
    assert sign_in(phone).status_code == 302
    for _ in range(limits.PATIENCE):
        answer = sign_in(Client(), "wrong")
        assert answer.status_code == 200
        assert "Please enter the correct email and password" in errors_of(answer)
    answer = sign_in(Client())
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Too many wrong passwords. Please try again in 1 second." in answer.content.decode()
    assert sign_in(phone).status_code == 302  # a device that is known


def test_the_admin_and_the_routes_have_one_count(root: User) -> None:
    for number in range(limits.PATIENCE):
        if number % 2:
            assert sign_in(Client(), "wrong").status_code == 200
        else:
            body = {"email": root.email, "password": "wrong"}
            assert Client().post("/auth/login", body, "application/json").status_code == 400
    assert sign_in(Client()).status_code == 429


def test_a_device_that_signs_in_keeps_the_cookie_and_one_that_does_not_gets_none(root: User) -> None:
    assert devices.COOKIE not in sign_in(Client(), "wrong").cookies
    assert sign_in(Client()).cookies[devices.COOKIE]["httponly"] is True


def test_the_page_of_ones_own_password_counts_wrong_old_ones(root: User) -> None:
    client = Client()
    client.force_login(root)
    form = {"old_password": "wrong", "new_password1": "another horse", "new_password2": "another horse"}
    for _ in range(limits.PATIENCE):
        answer = client.post("/admin/password_change/", form)
        assert answer.status_code == 200
        assert "Your old password was entered incorrectly" in errors_of(answer)
    answer = client.post("/admin/password_change/", {**form, "old_password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Please try again in 1 second." in errors_of(answer)


def test_ones_own_password_is_changed_by_who_knows_it_to_one_that_is_long_and_uncommon(root: User) -> None:
    client = Client()
    client.force_login(root)
    for new, said in (("short12", "at least 8 characters"), ("password1", "too common")):
        form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
        assert said in errors_of(client.post("/admin/password_change/", form))
    form = {"old_password": PASSWORD, "new_password1": "another horse", "new_password2": "another horse"}
    assert client.post("/admin/password_change/", form).status_code == 302
    assert sign_in(Client(), "another horse").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        LOGIN,
        "/admin/password_change/",
        "/admin/accounts/user/add/",
        f"/admin/accounts/user/{'a' * 24}/password/",
        "/auth/login",
        "/auth/signup",
    ],
)
def test_every_page_and_route_that_hashes_waits_among_its_like(path: str) -> None:
    assert is_slow("POST", path)
    assert not is_slow("GET", path)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (61, "2 minutes"), (900, "15 minutes")],
)
def test_a_wait_is_said_in_seconds_or_whole_minutes(seconds: int, words: str) -> None:
    assert in_words(seconds) == words
