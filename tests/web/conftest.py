"""A small school, and a browser's session for each of its people."""

from collections.abc import Callable

import pytest

from accounts.models import User
from tests.api.rest import School
from tests.support.http import Client
from tests.web.people import signed_in


@pytest.fixture
def school(db: None) -> School:
    return School()


@pytest.fixture
def owner(school: School) -> Client:
    """The browser of the class's teacher."""
    return signed_in(school.owner)


@pytest.fixture
def student(school: School) -> Client:
    """The browser of the class's student."""
    return signed_in(school.student)


@pytest.fixture
def make_boss(db: None) -> Callable[[], User]:
    """Makes somebody of the school's office."""

    def make() -> User:
        boss = User(name="Boss", email="boss@example.com", role="teacher", password="!")
        boss.is_staff = boss.is_superuser = True
        boss.save(force_insert=True)
        return boss

    return make
