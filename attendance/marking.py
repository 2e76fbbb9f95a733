"""What somebody asks to be marked, and the rules of it that need no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from attendance.enums import Method, Status
from attendance.journal import NewMark
from core import errors
from core.ids import new_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mark that somebody asks for."""

    student_id: str
    status: Status
    note: str = ""
    #: When the student was marked, where that is known to be another time than now.
    at: datetime | None = None
    #: The client's name for the mark. Sent again, it makes no second one.
    key: str | None = None


def new_marks(
    wanted: Sequence[Wanted], *, session_id: str, started_at: datetime, by_id: str, method: Method, moment: datetime
) -> list[NewMark]:
    """The marks as rows of the journal, made at `moment`; together they are one action.

    Raises `TimeOutsideLesson` for a time of its own that is before the session's start or after `moment`.
    """
    if any(mark.at is not None and not started_at <= mark.at <= moment for mark in wanted):
        raise errors.TimeOutsideLesson
    action = new_id() if len(wanted) > 1 else None
    return [
        NewMark(
            session_id,
            mark.student_id,
            mark.status,
            mark.at or moment,
            by_id,
            method,
            mark.note,
            mark.key,
            action,
        )
        for mark in wanted
    ]
