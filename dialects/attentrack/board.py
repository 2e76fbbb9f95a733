"""The current attendance, as AttenTrack calls it: that of the session with the focus.

It stands in the database, so that a restart loses nothing and every process has it. The app of each student in a class
asks for it once a second, so a process keeps what it has read for a second, or until something changes here.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from attendance.check_in import Circle, Place
from attendance.selectors import FocusedSession, session_in_focus
from attendance.signals import session_changed
from core import strict_json
from dialects.attentrack import selectors

#: The age up to which the board shows what it has read, seconds: another process may have changed it since.
MAX_AGE = 1.0


@dataclass(frozen=True, slots=True)
class Current:
    """The live session, how students mark themselves in it, and where its teacher teaches.

    Code, countdown, location and radius are as the teacher's app sent them.
    """

    session: FocusedSession | None = None
    #: None: students may not mark themselves.
    code: Any = None
    countdown: Any = 1
    location: Any = None
    radius: Any = None


class Board:
    """The current attendance, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: Current | None = None
        self._read_at = float("-inf")

    def current(self) -> Current:
        """The current attendance. May read the database; of many threads that ask at once, only one does."""
        with self._lock:
            if self._current is None or time.monotonic() - self._read_at > MAX_AGE:
                read_at = time.monotonic()
                self._current, self._read_at = _read(), read_at
            return self._current

    def forget(self, **signal: Any) -> None:
        """Something has changed: the next call of `current` reads the database."""
        with self._lock:
            self._current = None


def _read() -> Current:
    session = session_in_focus()
    if session is None:
        return Current()
    code, countdown = selectors.check_in_of(session.session_id)
    location, radius = place_told_by(session.teacher_id)
    return Current(
        session=session,
        code=_loaded(code),
        countdown=_loaded(countdown) if countdown else 1,
        location=location,
        radius=radius,
    )


def place_told_by(teacher_id: str) -> tuple[Any, Any]:
    """The location and the radius that a teacher last told, None for what was never told. Reads the database."""
    location, radius = selectors.place_of_teacher(teacher_id, or_of_anybody=settings.ATTENTRACK_OPEN)
    return _loaded(location), _loaded(radius)


def _loaded(text: str) -> Any:
    return strict_json.loads(text) if text else None


def place_of(location: Any) -> Place | None:
    """The place that a client's `{latitude, longitude}` names; None if it names none."""
    if not isinstance(location, dict):
        return None
    return Place.of(location.get("latitude"), location.get("longitude"))


def radius_of(value: Any) -> float | None:
    """The range that a client sent as a number or as its digits, in metres; None if it sent none."""
    try:
        radius = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except ValueError:
        return None
    return radius if 0 < radius < float("inf") else None


def circle_of(current: Current) -> Circle | None:
    """Where students must be; None if the teacher has told no place or no range."""
    centre, radius = place_of(current.location), radius_of(current.radius)
    return Circle(centre, radius) if centre is not None and radius is not None else None


#: The board of this process.
board = Board()
session_changed.connect(board.forget)
