"""core.database.unit_of_work: a unit of work that loses a race is run again, and finds what the winner made."""

import pytest
from django.db import IntegrityError

from accounts.models import User
from core.database.unit_of_work import RACES, retry_races, unit_of_work
from core.identity import Role
from tests.services.conftest import make_users

pytestmark = pytest.mark.django_db(transaction=True)


class Raced:
    """A unit of work that makes an account whose e-mail somebody takes at the same time, again and again."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.runs = 0
        self.taken = make_users(Role.STUDENT, 1)[0]

    def __call__(self) -> int:
        self.runs += 1
        make_users(Role.TEACHER, 1)
        if self.runs <= self.losses:
            User.objects.create(email=self.taken.email, email_key=self.taken.email_key, name="Late", role=Role.TEACHER)
        return self.runs


@pytest.mark.parametrize("losses", [0, 1, RACES])
def test_races_that_are_lost_are_run_again_and_leave_nothing(losses: int) -> None:
    work = Raced(losses)
    assert retry_races(unit_of_work(work))() == losses + 1
    assert User.objects.filter(role=Role.TEACHER).count() == 1


def test_a_unit_of_work_that_loses_every_race_is_given_up() -> None:
    work = Raced(1000)
    with pytest.raises(IntegrityError):
        retry_races(unit_of_work(work))()
    assert work.runs == RACES + 1
    assert User.objects.filter(role=Role.TEACHER).count() == 0


def test_a_race_lost_within_a_unit_of_work_runs_the_outer_unit_again() -> None:
    work = Raced(2)
    inner = retry_races(unit_of_work(work))
    assert retry_races(unit_of_work(inner))() == 3
    assert User.objects.filter(role=Role.TEACHER).count() == 1
