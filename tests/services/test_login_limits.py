"""Logins are limited by their failures: for an account and for an address, before anything is hashed."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts import passwords, services
from accounts.limits import LOGIN_ACCOUNT, LOGIN_ADDRESS, Limit
from accounts.models import User
from core import errors
from core.identity import Role
from tests.services.conftest import at_once, make_users

pytestmark = pytest.mark.django_db(transaction=True)

GATE = "203.0.113.7"


@pytest.fixture(autouse=True)
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Passwords are compared as they are, without 70 ms of hashing; here is which were."""
    seen: list[str] = []

    def password_matches(password: str, stored: str | None, renew: Any) -> bool:
        seen.append(password)
        return password == stored

    monkeypatch.setattr(passwords, "password_matches", password_matches)
    return seen


def pupils(count: int) -> list[User]:
    """Whose passwords are `secret`."""
    users = make_users(Role.STUDENT, count)
    User.objects.update(password="secret")
    return users


def login(user: User | None, password: str = "secret", address: str | None = GATE) -> str:
    email = "nobody@example.com" if user is None else user.email
    return services.user_login(email=email, password=password, address=address)


def fail(user: User | None, address: str | None = GATE) -> None:
    with pytest.raises(errors.InvalidCredentials):
        login(user, "wrong", address)


def test_three_hundred_pupils_of_one_address_log_in_also_when_each_mistypes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = 10 if connection.vendor == "mongodb" else 1  # a tenth of all there: the stand-in server is slow
    limit = Limit(LOGIN_ADDRESS.name, LOGIN_ADDRESS.number // part, LOGIN_ADDRESS.window)
    monkeypatch.setattr(services, "LOGIN_ADDRESS", limit)
    for user in pupils(300 // part):
        fail(user)
        fail(user)
        assert login(user)


def test_after_ten_failures_an_account_waits_whoever_asks_and_nothing_is_compared(compared: list[str]) -> None:
    user, other = pupils(2)
    for number in range(LOGIN_ACCOUNT.number):
        fail(user, address=f"203.0.113.{number}")
    del compared[:]
    for email in (user.email, user.email.upper()):
        with pytest.raises(errors.TooManyRequests):
            services.user_login(email=email, password="secret", address="198.51.100.1")
    assert compared == []
    assert login(other)


def test_an_email_that_nobody_has_is_limited_alike() -> None:
    for _ in range(LOGIN_ACCOUNT.number):
        fail(None)
    with pytest.raises(errors.TooManyRequests):
        login(None)


def test_an_account_that_logs_in_again_and_again_is_never_refused() -> None:
    (user,) = pupils(1)
    for _ in range(3 * LOGIN_ACCOUNT.number):
        assert login(user)


def test_an_address_that_fails_too_often_waits_for_every_account_and_others_do_not(
    monkeypatch: pytest.MonkeyPatch, compared: list[str]
) -> None:
    monkeypatch.setattr(services, "LOGIN_ADDRESS", Limit(LOGIN_ADDRESS.name, 3, timedelta(minutes=15)))
    user, *others = pupils(4)
    for other in others:
        fail(other)
    del compared[:]
    with pytest.raises(errors.TooManyRequests):
        login(user)
    assert compared == []
    assert login(user, address="198.51.100.1")
    assert login(user, address=None)


def test_an_attempt_that_is_refused_for_its_address_does_not_count_for_the_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "LOGIN_ADDRESS", Limit(LOGIN_ADDRESS.name, 1, timedelta(minutes=15)))
    (user,) = pupils(1)
    fail(user)
    for _ in range(2 * LOGIN_ACCOUNT.number):
        with pytest.raises(errors.TooManyRequests):
            login(user)
    assert login(user, address="198.51.100.1")


def test_of_forty_wrong_passwords_at_once_no_more_than_the_limit_are_compared(compared: list[str]) -> None:
    (user,) = pupils(1)

    def attempt() -> str:
        try:
            return login(user, "wrong")
        except errors.ApiError as error:
            return error.code

    answers = at_once([attempt] * 40)
    assert len(compared) == LOGIN_ACCOUNT.number
    assert sorted(set(answers)) == ["invalid_credentials", "too_many_requests"]
    assert answers.count("invalid_credentials") == LOGIN_ACCOUNT.number


def test_the_first_logins_of_an_address_come_at_once_and_none_is_refused() -> None:
    users = pupils(8)
    for number in range(20):
        address = f"198.51.100.{number}"
        tokens = at_once([partial(login, user, address=address) for user in users])
        assert [token for token in tokens if not isinstance(token, str)] == []
