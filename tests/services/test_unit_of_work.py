"""core.database.unit_of_work: all of a unit is done or nothing, and who loses a race finds what the winner made."""

import pytest
from django.db import IntegrityError, OperationalError, connection

from accounts.models import User
from core.database.unit_of_work import (
    RACES,
    WouldWrite,
    after_commit,
    driver_unit_of_work,
    in_unit_of_work,
    only_reading,
    retry_races,
    unit_of_work,
)
from core.identity import Role
from core.ids import new_id
from tests.services.conftest import make_room, make_users

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


sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="the transaction is Django's there")


def rename(person: User, name: str) -> None:
    """As the journal's writer writes: past Django."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        connection.connection.execute("UPDATE accounts_user SET name = ? WHERE id = ?", (name, person.id))


@sqlite_only
def test_a_drivers_unit_of_work_is_done_wholly_or_not_at_all() -> None:
    (person,) = make_users(Role.TEACHER, 1)

    @driver_unit_of_work
    def write(name: str, *, fails: bool) -> str:
        assert in_unit_of_work()
        rename(person, name)
        if fails:
            raise ValueError("in the middle")
        return User.objects.get(pk=person.pk).name

    assert write("First", fails=False) == "First"
    with pytest.raises(ValueError, match="in the middle"):
        write("Second", fails=True)
    assert not in_unit_of_work()
    assert User.objects.get(pk=person.pk).name == "First"
    assert write("Third", fails=False) == "Third"


@sqlite_only
def test_a_commit_that_the_database_refuses_leaves_no_transaction_open() -> None:
    room = make_room(students=0)
    (person,) = make_users(Role.STUDENT, 1)

    @driver_unit_of_work
    def write() -> None:
        rename(person, "Renamed")
        # There is no such teacher: SQLite looks at references at the commit.
        connection.connection.execute("UPDATE classes_class SET teacher_id = ? WHERE id = ?", (new_id(), room.class_id))

    with pytest.raises(IntegrityError):
        write()
    assert not connection.connection.in_transaction
    assert User.objects.get(pk=person.pk).name != "Renamed"


@sqlite_only
def test_a_drivers_unit_of_work_is_part_of_the_unit_around_it() -> None:
    (person,) = make_users(Role.TEACHER, 1)
    told: list[str] = []

    @unit_of_work
    def outer() -> None:
        driver_unit_of_work(rename)(person, "Renamed")
        after_commit(lambda: told.append("committed"))
        raise ValueError("after it")

    with pytest.raises(ValueError, match="after it"):
        outer()
    assert User.objects.get(pk=person.pk).name != "Renamed"
    assert told == []

    driver_unit_of_work(lambda: unit_of_work(rename)(person, "Renamed"))()
    assert User.objects.get(pk=person.pk).name == "Renamed"


@sqlite_only
def test_what_a_drivers_unit_of_work_cannot_do_it_refuses() -> None:
    (person,) = make_users(Role.TEACHER, 1)

    def write_by_django() -> None:
        rename(person, "Renamed")
        User.objects.bulk_create([User(name="Another", email="another@example.com", role=Role.TEACHER)])

    with only_reading(), pytest.raises(WouldWrite):
        driver_unit_of_work(rename)(person, "Renamed")
    with pytest.raises(RuntimeError, match="follows from its commit"):
        driver_unit_of_work(lambda: after_commit(lambda: None))()
    with pytest.raises(OperationalError, match="within a transaction"):
        driver_unit_of_work(write_by_django)()
    assert not connection.connection.in_transaction
    assert User.objects.get(pk=person.pk).name != "Renamed"


@sqlite_only
def test_a_connection_that_cannot_undo_is_closed_and_the_next_unit_has_another() -> None:
    (person,) = make_users(Role.TEACHER, 1)

    @driver_unit_of_work
    def write() -> None:
        rename(person, "Renamed")
        connection.connection.set_progress_handler(lambda: 1, 1)  # from here on every statement is interrupted
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        write()
    assert not in_unit_of_work()
    assert User.objects.get(pk=person.pk).name != "Renamed"
    driver_unit_of_work(rename)(person, "Renamed")
    assert User.objects.get(pk=person.pk).name == "Renamed"


@sqlite_only
def test_reading_at_one_moment_is_part_of_a_drivers_unit_of_work() -> None:
    (person,) = make_users(Role.TEACHER, 1)

    @driver_unit_of_work
    def write() -> None:
        rename(person, "Renamed")
        with only_reading():
            assert User.objects.get(pk=person.pk).name == "Renamed"

    write()
    assert User.objects.get(pk=person.pk).name == "Renamed"
