"""The journal's database side: committing batches of marks, and looking at what others committed.

Synchronous; `attendance.live.gateway` calls it from the event loop.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from accounts.models import AccountsVersion
from accounts.selectors import names_of
from attendance.enums import Method, SessionState, Status
from attendance.live import statements
from attendance.live.facts import Counts, Marked
from attendance.live.statements import NewMark
from attendance.models import Focus, Mark, Session
from attendance.selectors import session_sheet
from attendance.services import idle_since
from attendance.sheets import Sheet
from classes.selectors import student_names_by_class
from core.database.failures import DATABASE_ERRORS, is_unavailable
from core.database.unit_of_work import unit_of_work
from core.times import now

logger = logging.getLogger(__name__)

#: A session that began and ended between two looks is still seen this long after its end.
RECENT = timedelta(seconds=30)


class Refusal(Enum):
    """Why a mark is not in the journal."""

    SESSION_OVER = "session over"
    FAILED = "failed"


def commit(marks: Sequence[NewMark]) -> list[int | Refusal]:
    """Adds `marks` (their `seq` unset) in one transaction, in order; for each its seq or why it was refused."""
    return commit_units([[mark] for mark in marks])


def commit_units(units: Sequence[Sequence[NewMark]]) -> list[int | Refusal]:
    """Adds units of marks in one transaction, in order; for each its last mark's seq or why it was refused.

    The marks of a unit are of one session, and all of them are added or none. If the transaction fails, each unit is
    tried by itself, so that a bad one refuses only itself. Before that it is looked up by its first mark's id: the
    commit may have been done and only its answer lost.
    """
    try:
        seqs = iter(_add([mark for unit in units for mark in unit]))
        return [[next(seqs) for _ in unit][-1] for unit in units]
    except DATABASE_ERRORS:
        logger.warning("A batch of %d marks failed; trying again one by one.", sum(map(len, units)), exc_info=True)
    outcomes: list[int | Refusal] = []
    for position, unit in enumerate(units):
        try:
            outcomes.append(_add_again(unit))
        except DATABASE_ERRORS as failure:
            if is_unavailable(failure):
                # Waiting for it again for every other mark would help nobody.
                logger.exception("%d marks cannot be committed.", sum(map(len, units[position:])))
                return outcomes + [Refusal.FAILED] * (len(units) - position)
            logger.exception("A mark of session %s cannot be committed.", unit[0].session_id)
            outcomes.append(Refusal.FAILED)
    return outcomes


def _add_again(unit: Sequence[NewMark]) -> int | Refusal:
    connection.close_if_unusable_or_obsolete()
    found: int | None = Mark.objects.filter(pk=unit[0].id).values_list("seq", flat=True).first()
    return found + len(unit) - 1 if found is not None else _add(unit)[-1]


@unit_of_work
def _add(marks: Sequence[NewMark]) -> list[int | Refusal]:
    by_session: dict[str, list[NewMark]] = {}
    for mark in marks:
        by_session.setdefault(mark.session_id, []).append(mark)
    outcomes: dict[str, int | Refusal] = {}
    accepted: list[NewMark] = []
    # Sessions in the order of their ids: two processes that update them in opposite orders lock each other out.
    for session_id, group in sorted(by_session.items()):
        last_seq = statements.raise_seq(session_id, len(group), max(mark.at for mark in group))
        if last_seq is None:
            outcomes.update((mark.id, Refusal.SESSION_OVER) for mark in group)
            continue
        for seq, mark in enumerate(group, start=last_seq - len(group) + 1):
            mark.seq = seq
            outcomes[mark.id] = seq
        accepted += group
    statements.add(accepted)
    return [outcomes[mark.id] for mark in marks]


#: A session's row, by column.
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """How much of a session the process that looks has: marks up to `seq`, the roster of `roster_version`.

    `row` is the session's row as its last look found it, None before that.
    """

    seq: int
    roster_version: int
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session's row, with what the one who looks does not have yet (`roster` None: nothing new)."""

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
    #: Names of others than the roster's who were marked.
    other_names: dict[str, str]
    #: What the records say, once the session has ended.
    sheet: Sheet | None


_LOOK_COLUMNS = (
    "id",
    "class_ref_id",
    "class_ref__name",
    "class_ref__teacher_id",
    "class_ref__teacher__name",
    "class_ref__roster_version",
    "state",
    "started_at",
    "last_seq",
    "last_activity_at",
    "present_count",
    "absent_count",
    "focus_number",
)


@dataclass(frozen=True, slots=True)
class View:
    """What the database says now about everything live."""

    focus_id: str | None
    accounts_version: int
    #: All sessions that were looked at, by id, the first to start first.
    rows: dict[str, Row]
    #: Those of them of which the one who looks does not have everything, in the same order.
    sessions: list[SessionView]
    #: The open sessions that nobody has used for so long that they should end.
    idle: list[str]


def look(known: Mapping[str, Known], finished: frozenset[str]) -> View:
    """Reads what changed: the open sessions, the known ones, and those that ended just now and are not `finished`.

    What a look reads may be older than what its reader has by the time it returns; the reader's gate sorts
    that out.
    """
    idle_limit = idle_since()
    accounts_version = AccountsVersion.current()
    found = (
        # The focus in the same statement: whoever hears a mark is decided by it.
        Session.objects.filter(
            Q(state=SessionState.OPEN)
            | Q(pk__in=list(known))
            | Q(state=SessionState.ENDED, ended_at__gte=now() - RECENT)
        )
        .order_by("started_at", "id")
        .annotate(focused=Exists(Focus.objects.filter(session_id=OuterRef("pk"))))
        .values(*_LOOK_COLUMNS, "focused")
    )
    rows: dict[str, Row] = {row["id"]: row for row in found}
    # Once a second nearly all of many sessions are as they were: of those nothing but their rows is looked at.
    news = [
        (row, has)
        for key, row in rows.items()
        if key not in finished and ((has := known.get(key, _NOTHING)).row != row or has.seq < row["last_seq"])
    ]
    rosters = student_names_by_class({row["class_ref_id"] for row, has in news if _has_old_roster(row, has)})
    marks = marks_since({row["id"]: has.seq for row, has in news if row["last_seq"] > has.seq})
    return View(
        focus_id=next((key for key, row in rows.items() if row["focused"]), None),
        accounts_version=accounts_version,
        rows=rows,
        sessions=[
            _view(
                row,
                rosters[row["class_ref_id"]] if _has_old_roster(row, has) else None,
                # What was committed after the rows were read belongs to the next look.
                [mark for mark in marks.get(row["id"], ()) if mark.seq <= row["last_seq"]],
            )
            for row, has in news
        ],
        idle=[
            key
            for key, row in rows.items()
            if row["state"] == SessionState.OPEN and row["last_activity_at"] < idle_limit and key not in finished
        ],
    )


_NOTHING = Known(seq=0, roster_version=-1)


def _has_old_roster(row: Row, has: Known) -> bool:
    return bool(row["class_ref__roster_version"] != has.roster_version)


def _view(row: Row, roster: dict[str, str] | None, marks: list[Marked]) -> SessionView:
    state = SessionState(row["state"])
    others = {mark.student_id for mark in marks} - roster.keys() if roster is not None else set()
    return SessionView(
        id=row["id"],
        class_id=row["class_ref_id"],
        teacher_id=row["class_ref__teacher_id"],
        state=state,
        started_at=row["started_at"],
        last_seq=row["last_seq"],
        counts=Counts(row["present_count"] or 0, row["absent_count"] or 0),
        focus_number=row["focus_number"],
        roster_version=row["class_ref__roster_version"],
        roster=roster,
        marks=marks,
        class_name=row["class_ref__name"],
        teacher_name=row["class_ref__teacher__name"],
        other_names=names_of(others) if others else {},
        sheet=session_sheet(row["id"]) if state is SessionState.ENDED else None,
    )


def marks_since(seqs: Mapping[str, int]) -> dict[str, list[Marked]]:
    """The journal's rows of sessions, by id, after these seqs, in order."""
    # One query for many sessions: at a start all of them are read from their beginning.
    together: dict[int, list[str]] = {}
    for session_id, seq in seqs.items():
        together.setdefault(seq, []).append(session_id)
    found: dict[str, list[Marked]] = {session_id: [] for session_id in seqs}
    for seq, session_ids in together.items():
        rows = Mark.objects.filter(session_id__in=session_ids, seq__gt=seq).order_by("session_id", "seq")
        columns = rows.values_list("session_id", "seq", "student_id", "status", "at", "by_id", "method")
        for session_id, number, student_id, status, at, by_id, method in columns:
            found[session_id].append(Marked(number, student_id, Status(status), at, by_id, Method(method)))
    return found
