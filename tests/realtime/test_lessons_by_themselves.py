"""A running server follows timetables; of two over one database one opens the lesson."""

import time
from datetime import UTC, datetime

import pytest

from accounts.models import User
from attendance.models import Session
from classes.models import Class, Slot
from tests.support.database import Databases
from tests.support.server import not_under, two_servers

pytestmark = pytest.mark.one_database("What decides is a unique constraint, which tests/services has on each database.")

#: A timetable is followed every ten seconds.
PATIENCE = 40.0


def make_lesson(weekday: int) -> None:
    """A class with a lesson that lasts the whole day, and opens by itself."""
    teacher = User(name="Tara", email="tara@example.com", role="teacher", password="!")
    teacher.save(force_insert=True)
    physics = Class.objects.create(name="Physics", teacher=teacher, opens_by_itself=True)
    Slot.objects.create(class_ref=physics, weekday=weekday, start="00:00", end="23:59")


@not_under("daphne", "runserver", reason="it starts nothing before somebody asks")
def test_of_two_servers_one_opens_the_lesson_that_is_under_way(databases: Databases) -> None:
    database = databases.fresh()
    moment = datetime.now(UTC)
    # In this zone it is noon or so: the day does not end during the test.
    zone = f"Etc/GMT{moment.hour - 12:+d}"
    weekday = moment.isoweekday()  # noon of the same day, everywhere within twelve hours
    database.ask(lambda: make_lesson(weekday))
    with two_servers(database, TIME_ZONE=zone):
        until = time.monotonic() + PATIENCE
        while not database.ask(Session.objects.count):
            assert time.monotonic() < until, "nobody opened the lesson"
            time.sleep(0.1)
        found = database.ask(lambda: list(Session.objects.values_list("class_ref__name", "state")))
    assert found == [("Physics", "open")]
    assert database.ask(Session.objects.count) == 1
