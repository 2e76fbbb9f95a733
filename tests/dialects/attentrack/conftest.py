"""Fixtures of AttenTrack's tests: its routes, a school, both and both trust modes."""

from typing import Any

import pytest

from dialects.attentrack.board import board
from tests.dialects.attentrack.bare import AttenTrackSchool, Bare


@pytest.fixture(autouse=True)
def fresh_board() -> None:
    """The board forgets the test before: that test's database was rolled back, which sends no signal."""
    board.forget()


@pytest.fixture
def rest(db: None) -> Bare:
    return Bare()


@pytest.fixture
def school(db: None) -> AttenTrackSchool:
    return AttenTrackSchool()


@pytest.fixture
def open_mode(settings: Any) -> None:
    settings.ATTENTRACK_OPEN = True


def without(answer: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in keys}
