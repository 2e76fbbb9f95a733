"""The journal of a session folded: each student's last mark. A student whose marks were all undone has none."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from attendance.enums import Method, Status
from attendance.models import Mark


class LastMark(NamedTuple):
    """What the journal says of a student now."""

    status: Status
    method: Method
    at: datetime
    by_id: str
    note: str


def last_marks(session_id: str) -> dict[str, LastMark]:
    """Student's id → the student's last mark."""
    return last_marks_by_session([session_id])[session_id]


def last_marks_by_session(session_ids: Collection[str]) -> dict[str, dict[str, LastMark]]:
    """For each session: student's id → the student's last mark. One query."""
    found: dict[str, dict[str, LastMark]] = {session_id: {} for session_id in session_ids}
    marks = Mark.objects.filter(session_id__in=list(found)).order_by("session_id", "seq")
    columns = marks.values_list("session_id", "student_id", "status", "method", "at", "by_id", "note")
    for session_id, student_id, status, method, at, by_id, note in columns:
        if status:
            found[session_id][student_id] = LastMark(Status(status), Method(method), at, by_id, note)
        else:
            found[session_id].pop(student_id, None)
    return found
