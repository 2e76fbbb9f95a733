"""What is asked of a school costs no more with each year that is behind it, and the measuring of it measures."""

from collections.abc import Callable
from dataclasses import asdict

import pytest
from django.db import connection
from pytest_django import Settings

from bench.asked import Taken, counted, everything
from bench.school import Plan, find_school, make_school
from bench.sizes import sizes
from bench.year_table import table_of_sizes
from tests.support.database import empty_tables

pytestmark = pytest.mark.django_db(transaction=True)

#: Small years; the last one is of the same size, however many there are.
YEAR = {"students": 30, "teachers": 2, "classes": 10, "lasting": 0, "roster": 5, "days": 30}
#: Pages, routes and steps of a lesson that are not about the whole past.
ASKED = {
    "teacher: /app/",
    "teacher: /app/classes/",
    "teacher: /app/sessions/{session}/",
    "student: /app/",
    "student: /api/v2/lessons",
    "student: /class/{class}/my-attendance",
    "office: /app/",
    "office: /app/classes/",
    "office: /app/office/report",
    "office: /api/v2/lessons",
    "office: /api/v2/reports/school?from={since}",
    "admin: /admin/attendance/session/",
    "admin: /admin/attendance/mark/",
    "admin: /admin/attendance/attendance/",
    "admin: /admin/attendance/mark/?q={session}",
    "opening of a session",
    "`DONE`, and opening again",
    "the look, once a second",
    "planned lessons that are due",
}


@pytest.fixture
def taken(settings: Settings) -> Callable[[int], dict[str, Taken]]:
    """What each of ASKED takes in a school with so many years behind it."""
    settings.LIMITS = False

    def take(years: int) -> dict[str, Taken]:
        empty_tables()
        school = make_school(Plan(years=years, **YEAR))
        return {name: counted(ask) for name, ask in everything(school) if name in ASKED}

    return take


@pytest.mark.long
def test_what_is_asked_costs_no_more_with_each_year_that_is_behind(taken: Callable[[int], dict[str, Taken]]) -> None:
    young, old = taken(1), taken(4)
    assert young.keys() == old.keys() == ASKED
    assert {name: of.statements for name, of in old.items()} == {name: of.statements for name, of in young.items()}
    if connection.vendor == "sqlite":  # it alone says how much it did for its answers
        steps = {name: (young[name].steps or 0, of.steps or 0) for name, of in old.items()}
        assert {name: both for name, both in steps.items() if both[1] > 1.5 * both[0] + 700} == {}


def test_the_sizes_are_the_databases_own(db: None) -> None:
    school = make_school(Plan(years=1, **YEAR))
    found = {size.table: size for size in sizes()}
    assert found["attendance_mark"].rows == school.marks == 600
    assert found["attendance_session"].rows == school.lessons == 120
    assert found["attendance_mark"].bytes > 600 * 50  # a mark has four ids
    if connection.vendor != "mongodb":  # the stand-in has no size of indexes
        assert found["attendance_mark"].index_bytes > 600 * 50
    head, *lines = table_of_sizes([{"tables": [asdict(size) for size in found.values()]}])
    assert head[:2] == ("table", "rows")
    assert lines[-1][:2] == ("together", f"{sum(size.rows for size in found.values()):,}")


def test_a_school_that_was_made_is_found_again(db: None) -> None:
    assert find_school() is None
    school = make_school(Plan(years=1, **YEAR))
    assert find_school() == school
