"""Which tests run on one database only: whoever may get at one otherwise runs on each. Each test asks about itself."""

import re

import pytest

from tests.support.database import Databases, Unblock
from tests.support.one_database import runs_on_one
from tests.support.processes import ROOT


def test_who_asks_for_no_database_runs_on_one(request: pytest.FixtureRequest) -> None:
    assert runs_on_one(request.node)


@pytest.mark.one_database("It shows what the mark does.")
def test_who_says_why_runs_on_one(request: pytest.FixtureRequest, db: None) -> None:
    assert runs_on_one(request.node)


def test_who_asks_for_the_database_runs_on_each(request: pytest.FixtureRequest, db: None) -> None:
    assert not runs_on_one(request.node)


@pytest.mark.django_db
def test_who_is_marked_for_the_database_runs_on_each(request: pytest.FixtureRequest) -> None:
    assert not runs_on_one(request.node)


def test_who_asks_for_a_fixture_that_may_go_to_databases_runs_on_each(
    request: pytest.FixtureRequest, databases: Databases
) -> None:
    assert not runs_on_one(request.node)


def test_who_may_go_to_databases_runs_on_each(request: pytest.FixtureRequest, unblock: Unblock) -> None:
    assert not runs_on_one(request.node)


@pytest.mark.parametrize(
    "mark", [pytest.mark.one_database, pytest.mark.one_database(3), pytest.mark.one_database(why="It may.")]
)
def test_a_mark_that_does_not_say_why_is_refused(request: pytest.FixtureRequest, mark: pytest.MarkDecorator) -> None:
    request.node.add_marker(mark)
    with pytest.raises(pytest.UsageError, match="say why"):
        runs_on_one(request.node)


def test_pytest_djangos_blocker_is_asked_for_in_one_place() -> None:
    """Tests that need another fixture which asks for it would be taken for some that need no database."""
    asking = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("*.py")
        if re.search(r"def \w+\([^)]*\bdjango_db_(blocker|setup)\b", path.read_text())
    }
    assert asking == {"tests/conftest.py"}
