"""Fixtures: the routes of `/api/v2`, and a school."""

import pytest

from tests.dialects.v2.rest import School, V2Rest


@pytest.fixture
def rest(db: None) -> V2Rest:
    """The routes below `/api/v2`, with Django's test client."""
    return V2Rest()


@pytest.fixture
def school(db: None) -> School:
    """A class with an owner, a co-teacher and two students; and people who have nothing to do with it."""
    return School()
