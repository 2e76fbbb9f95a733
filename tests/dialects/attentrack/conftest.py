"""Fixtures of AttenTrack's tests: its routes, a school, both trust modes, and the codes that were mailed."""

from typing import Any

import pytest

from accounts import mail
from accounts.models import User
from dialects.attentrack.board import board
from tests.dialects.attentrack.bare import AttenTrackSchool, Bare


@pytest.fixture(autouse=True)
def fresh_board() -> None:
    """What one test has left on the board is no other's: their databases are rolled back without a signal."""
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


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes that were to be mailed, in order. That they are, test_mail.py proves."""
    sent: list[int] = []

    def send_code(*, user: User, code: int) -> None:
        sent.append(code)

    monkeypatch.setattr(mail, "send_code", send_code)
    return sent


def without(answer: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in keys}
