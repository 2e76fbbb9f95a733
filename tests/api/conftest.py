"""Fixtures of the API tests: Django's test client on the routes, and a school."""

import pytest

from tests.api.rest import Rest, School


@pytest.fixture
def rest(db: None) -> Rest:
    """The routes, with Django's test client: a crash is an answer, as it is for a real client."""
    return Rest()


@pytest.fixture
def school(db: None) -> School:
    """A teacher's class with one student, another teacher and another student."""
    return School()
