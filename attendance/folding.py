"""The journal of a session folded: each student's last mark. A student whose marks were all undone has none."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from attendance.enums import Method, Status
from attendance.models import Mark
from core.database.prepared import Prepared

_Row = tuple[str, str, str, str, datetime, str, str]


class LastMark(NamedTuple):
    """What the journal says of a student now."""

    status: Status
    method: Method
    at: datetime
    by_id: str
    note: str


def last_marks(session_id: str) -> dict[str, LastMark]:
    """Student's id → the student's last mark."""
    return _folded([session_id], _marks.rows(session_id))[session_id]


def last_marks_by_session(session_ids: Collection[str]) -> dict[str, dict[str, LastMark]]:
    """For each session: student's id → the student's last mark. One query."""
    return _folded(session_ids, _marks_of(*session_ids))


def _marks_of(*session_ids: str) -> "QuerySet[Mark, _Row]":
    marks = Mark.objects.filter(session_id__in=session_ids).order_by("session_id", "seq")
    return marks.values_list("session_id", "student_id", "status", "method", "at", "by_id", "note")


_marks = Prepared(_marks_of)


def _folded(session_ids: Collection[str], marks: Iterable[_Row]) -> dict[str, dict[str, LastMark]]:
    found: dict[str, dict[str, LastMark]] = {session_id: {} for session_id in session_ids}
    for session_id, student_id, status, method, at, by_id, note in marks:
        if status:
            found[session_id][student_id] = LastMark(Status(status), Method(method), at, by_id, note)
        else:
            found[session_id].pop(student_id, None)
    return found
