"""The view: what a look at the database found, as plain data. The replica is brought up to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from attendance.check_in import CheckInView
from attendance.enums import SessionState
from attendance.live.facts import Counts, Marked
from attendance.sheets import Sheet

#: A session that began and ended between two looks is still seen this long after its end.
RECENT = timedelta(seconds=30)

#: A session's row, by column.
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """How much of a session the replica has: its marks up to `seq`, and the roster of `roster_version`.

    `row` is the session's row as the last look found it, None before the first.
    """

    seq: int
    roster_version: int
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session's row, with the marks and the roster that the replica does not have yet (`roster` None: it has it)."""

    id: str
    class_id: str
    teacher_id: str
    state: SessionState
    started_at: datetime
    last_seq: int
    counts: Counts
    focus_number: int
    roster_version: int
    #: Names by id, in the order of enrolment.
    roster: dict[str, str] | None
    marks: list[Marked]
    class_name: str
    teacher_name: str
    #: Names of marked students who are not on the roster.
    other_names: dict[str, str]
    #: What the records say, once the session has ended.
    sheet: Sheet | None
    #: How often the session was opened.
    openings: int = 1
    #: The teachers besides the owner; known with the roster only.
    co_teachers: frozenset[str] = frozenset()
    #: How students mark themselves, where that has changed.
    check_in: CheckInView | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What the database says now about everything live."""

    focus_id: str | None
    accounts_version: int
    #: All sessions that were looked at, by id, in the order of their starts.
    rows: dict[str, Row]
    #: The sessions of which the replica lacks something, in the same order.
    sessions: list[SessionView]
    #: The open sessions that nobody has used for so long that they should end.
    idle: list[str]
