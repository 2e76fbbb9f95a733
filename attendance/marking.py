"""What somebody asks to be marked, and the rules of it that need no database."""

from collections.abc import Container, Sequence
from datetime import datetime

import msgspec

from attendance.enums import Method, Status
from attendance.journal import NewMark
from core import errors
from core.ids import new_id


class Wanted(msgspec.Struct, frozen=True):
    """A mark that somebody asks for."""

    student_id: str
    status: Status
    note: str = ""
    #: When the student was marked, where that is known to be another time than now.
    at: datetime | None = None
    #: The client's name for the mark. Sent again, it makes no second one.
    key: str | None = None


def strangers_of(wanted: Sequence[Wanted], roster: Container[str]) -> frozenset[str]:
    """Students of `wanted` who are not on `roster`. Their marks have keys, and may be in the journal from before.

    Raises `StudentNotEnrolled` for a mark without a key, which is a new one.
    """
    of_strangers = [mark for mark in wanted if mark.student_id not in roster]
    if any(mark.key is None for mark in of_strangers):
        raise errors.StudentNotEnrolled
    return frozenset(mark.student_id for mark in of_strangers)


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
