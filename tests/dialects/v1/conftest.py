"""Fixtures: the routes of `/api/v1`, and a school."""

import pytest

from tests.api.conftest import school
from tests.api.rest import Rest

__all__ = ["school"]


@pytest.fixture
def rest(db: None) -> Rest:
    """The routes below `/api/v1`, with Django's test client."""
    return Rest("/api/v1", successes=("data", "ExistingClass"), failures=("error", "message"))
