"""Fixtures: the routes of `/api/v2`, and a school."""

from collections.abc import Iterator

import pytest

from tests.dialects.v2.rest import School, V2Rest
from tests.realtime.conftest import People, make_people
from tests.support.server import Server


@pytest.fixture
def rest(db: None) -> V2Rest:
    """The routes below `/api/v2`, with Django's test client."""
    return V2Rest()


@pytest.fixture
def school(db: None) -> School:
    """A class with an owner, a co-teacher and two students; and people who have nothing to do with it."""
    return School()


@pytest.fixture(scope="module")
def people(server: Server) -> Iterator[People]:
    """A teacher and students of a running server."""
    made = make_people(server)
    yield made
    made.teacher.http.close()
