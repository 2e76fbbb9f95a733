"""Fixtures of the API tests: Django's test client on the routes and in the admin, and schools."""

import pytest

from accounts.models import User
from core.identity import Role
from tests.api.rest import Rest, School
from tests.support.admin import World, make_user, sign_in
from tests.support.http import Client


@pytest.fixture
def rest(db: None) -> Rest:
    """The routes, with Django's test client: a crash is an answer, as it is for a real client."""
    return Rest()


@pytest.fixture
def school(db: None) -> School:
    """A teacher's class with one student, another teacher and another student."""
    return School()


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def root(db: None) -> User:
    return make_user("Root", Role.TEACHER, is_staff=True, is_superuser=True)


@pytest.fixture
def page(root: User) -> Client:
    """A superuser's browser in the admin."""
    return sign_in(root)
