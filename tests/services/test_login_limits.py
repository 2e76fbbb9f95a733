"""Guessing a password: waits that grow, counted before anything is hashed, which nobody can turn on anybody else."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts import limits, passwords, registration, services
from accounts.devices import Device
from accounts.limits import PATIENCE
from accounts.models import Attempts, User
from core import errors
from core.identity import Role
from core.limits import STRANGERS_AT_ADDRESS, STRANGERS_OF_ACCOUNT, Limit
from tests.services.conftest import at_once, make_users

pytestmark = pytest.mark.django_db(transaction=True)

GATE, ELSEWHERE = "203.0.113.7", "198.51.100.1"
SECOND = timedelta(seconds=1)


class Clock:
    """A clock of the test's own, which moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, by: timedelta) -> None:
        self.time += by


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(limits, "now", made)
    return made


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


def login(user: User | None, password: str = "secret", address: str | None = GATE, device: Device | None = None) -> str:
    email = "nobody@example.com" if user is None else user.email
    return services.user_login(email=email, password=password, address=address, device=device)


def fail(user: User | None, address: str | None = GATE, device: Device | None = None) -> None:
    with pytest.raises(errors.InvalidCredentials):
        login(user, "wrong", address, device)


def refused(user: User | None, address: str | None = GATE, device: Device | None = None) -> int:
    """That even the right password is refused; for how long, seconds."""
    with pytest.raises(errors.TooManyRequests) as refusal:
        login(user, "secret", address, device)
    return refusal.value.retry_after


def be_guessed_at(user: User | None, clock: Clock, times: int, address: str | None = GATE) -> None:
    """Wrong passwords, each as soon as it may come."""
    for number in range(times):
        fail(user, address)
        clock.move(limits._delay(number + 1, PATIENCE))


# A class at nine


@pytest.mark.long
def test_three_hundred_pupils_of_one_address_log_in_also_when_a_third_mistypes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part = 10 if connection.vendor == "mongodb" else 1  # a tenth of all there: the stand-in server is slow
    limit = Limit(STRANGERS_AT_ADDRESS.name, STRANGERS_AT_ADDRESS.number // part, STRANGERS_AT_ADDRESS.window)
    monkeypatch.setattr(limits, "STRANGERS_AT_ADDRESS", limit)
    for number, user in enumerate(pupils(300 // part)):
        if number % 3 == 0:
            fail(user)
            fail(user)
        assert login(user)


def test_an_account_that_logs_in_again_and_again_is_never_refused() -> None:
    (user,) = pupils(1)
    for _ in range(3 * PATIENCE):
        assert login(user)


def test_the_first_logins_of_an_address_come_at_once_and_none_is_refused() -> None:
    users = pupils(8)
    for number in range(20):
        address = f"198.51.100.{number}"
        tokens = at_once([partial(login, user, address=address) for user in users])
        assert [token for token in tokens if not isinstance(token, str)] == []


# Waits that grow


def test_after_ten_wrong_passwords_the_wait_doubles_up_to_a_quarter_of_an_hour_and_nothing_is_compared_meanwhile(
    clock: Clock, compared: list[str]
) -> None:
    (user,) = pupils(1)
    for _ in range(PATIENCE):
        fail(user)
    for wait in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        del compared[:]
        assert refused(user) == wait
        clock.move(timedelta(seconds=wait) - timedelta(milliseconds=1))
        assert refused(user) == 1
        assert compared == []
        clock.move(timedelta(milliseconds=1))
        fail(user)


def test_a_right_password_forgives_the_wrong_ones(clock: Clock) -> None:
    (user,) = pupils(1)
    be_guessed_at(user, clock, PATIENCE + 3)
    assert login(user)
    for _ in range(PATIENCE):
        fail(user)


def test_wrong_passwords_are_forgotten_after_a_day(clock: Clock) -> None:
    (user,) = pupils(1)
    be_guessed_at(user, clock, PATIENCE + 3)
    clock.move(limits.FORGOTTEN)
    for _ in range(PATIENCE):
        fail(user)


def test_a_refused_attempt_makes_the_wait_no_longer(clock: Clock) -> None:
    (user,) = pupils(1)
    for _ in range(PATIENCE):
        fail(user)
    for _ in range(20):
        assert refused(user) == 1
    clock.move(SECOND)
    assert login(user)


def test_an_email_that_nobody_has_is_answered_alike(clock: Clock) -> None:
    for _ in range(PATIENCE):
        fail(None)
    assert refused(None) == 1
    clock.move(SECOND)
    fail(None)
    assert refused(None) == 2


def test_of_forty_wrong_passwords_at_once_no_more_than_ten_are_compared(compared: list[str]) -> None:
    (user,) = pupils(1)

    def attempt() -> str:
        try:
            return login(user, "wrong")
        except errors.ApiError as error:
            return error.code

    answers = at_once([attempt] * 40)
    assert len(compared) == PATIENCE
    assert set(answers) == {"invalid_credentials", "too_many_requests"}
    assert answers.count("invalid_credentials") == PATIENCE


def test_all_doors_have_one_count() -> None:
    (user,) = pupils(1)
    User.objects.update(roll_number="9")
    for number in range(PATIENCE):
        if number % 2:
            fail(user)
        else:
            with pytest.raises(errors.InvalidPassword):
                registration.sign_in(role=Role.STUDENT, roll_number="9", password="wrong", address=GATE)
    assert refused(user) == 1
    with pytest.raises(errors.TooManyRequests):
        registration.sign_in(role=Role.STUDENT, roll_number="9", password="secret", address=GATE)


# Nobody is locked out by others


def test_a_guesser_elsewhere_locks_nobody_out_where_the_account_has_signed_in_before(clock: Clock) -> None:
    (user,) = pupils(1)
    assert login(user)
    for number in range(STRANGERS_OF_ACCOUNT.number):
        fail(user, f"198.51.100.{number}")
    assert refused(user, "192.0.2.1") > 60
    fail(user)
    assert login(user)


def test_a_guesser_at_the_same_address_locks_no_device_out_that_has_signed_in_before(clock: Clock) -> None:
    user, other = pupils(2)
    phone = Device()
    assert login(user, device=phone)
    be_guessed_at(user, clock, PATIENCE + 5)
    fail(user)
    assert refused(user) > 1
    fail(user, device=phone)
    assert login(user, device=phone)
    assert login(user, address=ELSEWHERE, device=phone)
    assert refused(user, device=Device()) > 1
    assert phone.id_for(other.id) is None


def test_a_device_is_known_only_to_the_accounts_that_signed_in_on_it(clock: Clock) -> None:
    owner, victim = pupils(2)
    mine = Device()
    assert login(owner, device=mine)
    for _ in range(PATIENCE):
        fail(victim, device=mine)
    assert refused(victim, device=mine) == 1
    assert login(owner, device=mine)


def test_a_known_device_that_guesses_waits_as_others_do(clock: Clock) -> None:
    (user,) = pupils(1)
    tablet = Device()
    assert login(user, device=tablet)
    for _ in range(PATIENCE):
        fail(user, device=tablet)
    assert refused(user, device=tablet) == 1
    assert login(user)


def test_strangers_have_forty_guesses_an_hour_of_one_account_over_all_addresses(
    clock: Clock, compared: list[str]
) -> None:
    user, other = pupils(2)
    for number in range(STRANGERS_OF_ACCOUNT.number):
        fail(user, f"198.51.100.{number}")
    del compared[:]
    assert refused(user, "192.0.2.1") == 3600
    assert compared == []
    assert login(other, address="192.0.2.1")
    clock.move(STRANGERS_OF_ACCOUNT.window)
    assert login(user, address="192.0.2.1")


def test_right_passwords_at_new_addresses_are_no_guesses_of_strangers() -> None:
    (user,) = pupils(1)
    for number in range(2 * STRANGERS_OF_ACCOUNT.number):
        assert login(user, address=f"198.51.100.{number}")


def test_an_address_that_guesses_at_many_accounts_is_locked_for_nobody(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STRANGERS_AT_ADDRESS", Limit("few", 3, timedelta(minutes=15)))
    user, newcomer, *others = pupils(5)
    assert login(user)
    for other in others:
        fail(other)
    assert login(user)  # the account is known here
    fail(user)
    fail(user)
    fail(newcomer)  # strangers have one try without a wait, there alone …
    assert refused(newcomer) == 1
    fail(newcomer, ELSEWHERE)
    clock.move(SECOND)
    assert login(newcomer)  # … and then wait as others do after ten


def test_a_household_of_ipv6_is_one_address_and_a_mapped_ipv4_is_itself(clock: Clock) -> None:
    (user,) = pupils(1)
    for number in range(PATIENCE):
        fail(user, f"2001:db8:0:1::{number:x}")
    assert refused(user, "2001:db8:0:1:ffff::1") == 1
    assert login(user, address="2001:db8:0:2::1")
    other = pupils(1)[0]
    for _ in range(PATIENCE):
        fail(other, f"::ffff:{GATE}")
    assert refused(other, GATE) == 1


def test_an_address_is_known_for_ninety_days_after_the_last_sign_in(clock: Clock) -> None:
    (user,) = pupils(1)
    assert login(user)
    for _ in range(2):
        clock.move(limits.ADDRESS_KNOWN - SECOND)
        for number in range(STRANGERS_OF_ACCOUNT.number):
            fail(user, f"198.51.100.{number}")
        assert login(user)
    clock.move(limits.ADDRESS_KNOWN)
    for number in range(STRANGERS_OF_ACCOUNT.number):
        fail(user, f"198.51.100.{number}")
    assert refused(user) > 60


# Clocks


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=3650)])
def test_a_clock_that_was_ahead_and_is_set_right_leaves_nobody_waiting(clock: Clock, jump: timedelta) -> None:
    (user,) = pupils(1)
    clock.move(jump)
    be_guessed_at(user, clock, PATIENCE + 5)
    for number in range(STRANGERS_OF_ACCOUNT.number):
        fail_or_wait(user, f"198.51.100.{number}")
    assert refused(user) > 1
    clock.move(-jump)
    assert login(user)
    assert login(user, address="192.0.2.1")


def fail_or_wait(user: User, address: str) -> None:
    with pytest.raises((errors.InvalidCredentials, errors.TooManyRequests)):
        login(user, "wrong", address)


@pytest.mark.parametrize("jump", [timedelta(minutes=-20), timedelta(hours=-2), timedelta(days=-400)])
def test_a_clock_that_goes_back_makes_no_wait_longer_and_forgets_no_wrong_password(
    clock: Clock, jump: timedelta
) -> None:
    (user,) = pupils(1)
    be_guessed_at(user, clock, PATIENCE + 3)
    clock.move(jump)
    fail(user)
    assert refused(user) == 16


def test_the_clocks_of_two_machines_need_not_agree_to_the_second(clock: Clock) -> None:
    (user,) = pupils(1)
    for _ in range(PATIENCE):
        fail(user)
    clock.move(-2 * SECOND)
    assert refused(user) == 1


# Lifted


def test_without_limits_nobody_waits_and_nothing_is_written(settings: Any) -> None:
    settings.LIMITS = False
    (user,) = pupils(1)
    for _ in range(STRANGERS_OF_ACCOUNT.number + 1):
        fail(user)
    assert login(user)
    assert not Attempts.objects.exists()
