"""Codes, limits and registration where many come at once. The answers, one by one, are AttenTrack's tests' matter."""

from datetime import timedelta
from typing import Any

import pytest

from accounts import codes, limits, registration
from accounts.codes import Purpose
from accounts.models import Attempts, OneTimeCode, User
from accounts.registration import Newcomer
from core import errors
from core.identity import Role
from core.limits import Limit
from core.times import now
from tests.services.conftest import at_once, make_users

pytestmark = pytest.mark.django_db(transaction=True)

FEW = Limit("few", 3, timedelta(minutes=1))


def finish(user: User, token: str, code: int, password: str) -> Any:
    return registration.registration_finish(
        role=Role.STUDENT, otp_token=token, email=user.email, password=password, code=str(code)
    )


def test_of_many_who_use_a_code_at_once_one_registers() -> None:
    user = make_users(Role.STUDENT, 1)[0]
    issued = codes.issue(user=user, purpose=Purpose.REGISTER)
    outcomes = at_once([lambda n=n: finish(user, issued.token, issued.code, f"password {n}") for n in range(4)])  # type: ignore[misc]
    won = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, User)]
    assert len(won) == 1, outcomes
    assert all(isinstance(outcome, (User, errors.ApiError)) for outcome in outcomes), outcomes
    assert User.objects.get(pk=user.pk).check_password(f"password {won[0]}")


def test_of_many_guesses_at_once_five_are_looked_at() -> None:
    user = make_users(Role.STUDENT, 1)[0]
    codes.issue(user=user, purpose=Purpose.RECOVER)

    def guess() -> str:
        return codes.check(user_id=user.id, purpose=Purpose.RECOVER, code="000000")

    outcomes = at_once([guess] * 8)
    assert all(isinstance(outcome, errors.InvalidCode) for outcome in outcomes), outcomes
    assert OneTimeCode.objects.get().tries_left == 0


def test_a_used_code_is_used_up_even_when_it_was_checked_before() -> None:
    user = make_users(Role.STUDENT, 1)[0]
    issued = codes.issue(user=user, purpose=Purpose.RECOVER)
    checked = codes.check(user_id=user.id, purpose=Purpose.RECOVER, code=str(issued.code))
    codes.use(checked)
    with pytest.raises(errors.InvalidCode):
        codes.use(checked)


def test_a_limit_holds_however_many_come_at_once() -> None:
    outcomes = at_once([lambda: limits.take(FEW, "somebody")] * 8)
    assert outcomes.count(None) == 3
    assert sum(isinstance(outcome, errors.TooManyRequests) for outcome in outcomes) == 5, outcomes
    limits.take(FEW, "somebody else")


def test_a_limit_counts_from_zero_once_its_window_is_over() -> None:
    for _ in range(3):
        limits.take(FEW, "somebody")
    with pytest.raises(errors.TooManyRequests):
        limits.refuse_if_full(FEW, "somebody")
    Attempts.objects.update(until=now())
    limits.refuse_if_full(FEW, "somebody")
    limits.take(FEW, "somebody")
    assert Attempts.objects.get().number == 1


def test_an_attempt_that_succeeds_is_not_counted() -> None:
    for _ in range(10):
        with limits.failures_counted((FEW, "somebody"), (FEW, None)):
            pass
    with pytest.raises(KeyError), limits.failures_counted((FEW, "somebody")):
        raise KeyError
    assert Attempts.objects.get().number == 1


def test_old_counts_are_forgotten_and_show_nobody() -> None:
    limits.take(FEW, "somebody@example.com")
    Attempts.objects.update(until=now() - timedelta(days=2))
    limits.take(FEW, "another")
    assert Attempts.objects.count() == 1
    assert "another" not in str(Attempts.objects.values_list().get())


def test_a_teacher_who_is_added_twice_at_once_is_one_teacher() -> None:
    una = Newcomer("una@example.com", "Una", "Maths")
    outcomes = at_once([lambda: registration.teachers_add([una])] * 4)
    assert sorted(outcomes) == [0, 0, 0, 1], outcomes  # type: ignore[type-var]
    assert User.objects.filter(email_key="una@example.com").count() == 1


def test_a_code_is_secret_where_it_is_printed_by_mistake() -> None:
    issued = codes.issue(user=make_users(Role.STUDENT, 1)[0], purpose=Purpose.REGISTER)
    assert str(issued.code) not in repr(issued)
