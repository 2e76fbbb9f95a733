"""The journal's rows as facts."""

from collections.abc import Iterable
from typing import Any

from attendance.enums import Method, Status
from attendance.live.facts import Marked

#: What is read of a row for `marked`.
COLUMNS = ("session_id", "seq", "student_id", "status", "at", "by_id", "method", "note", "key")


def marked(row: Iterable[Any]) -> tuple[str, Marked]:
    """The session of a row of these columns, and the fact."""
    session_id, seq, student_id, status, at, by_id, method, note, key = row
    return session_id, Marked(seq, student_id, Status(status) if status else None, at, by_id, Method(method), note, key)
