"""The look: reads what the database has of the live sessions and the replica does not have yet.

Synchronous; `attendance.live.watcher` calls it through the gateway.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import AccountsVersion
from accounts.selectors import names_of
from attendance.check_in import CheckInView
from attendance.check_in_rules import check_in_views
from attendance.enums import SessionState
from attendance.live import rows
from attendance.live.facts import Counts, Marked
from attendance.live.view import RECENT, Known, Row, SessionView, View
from attendance.models import Focus, Mark, Session
from attendance.selectors import session_sheet
from attendance.services import idle_since
from classes.selectors import co_teachers_by_class, student_names_by_class
from core.database.prepared import Prepared
from core.times import now

_COLUMNS = (
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
    "openings",
    "check_in_version",
    "focused",
)


def _sessions_of(recent: datetime, *known: str) -> "QuerySet[Session, tuple[Any, ...]]":
    """The open sessions, those that are known, and those that ended since `recent`, by _COLUMNS.

    The focus is read in the same statement, because it decides who hears the marks.
    """
    return (
        Session.objects.filter(
            Q(state=SessionState.OPEN) | Q(pk__in=known) | Q(state=SessionState.ENDED, ended_at__gte=recent)
        )
        .order_by("started_at", "id")
        .annotate(focused=Exists(Focus.objects.filter(session_id=OuterRef("pk"))))
        .values_list(*_COLUMNS)
    )


#: Once a second, so Django does not build it each time.
_sessions = Prepared(_sessions_of)


def look(known: Mapping[str, Known], finished: Mapping[str, int]) -> View:
    """Reads what changed: the open sessions, the known ones, and those that ended just now and are not `finished`.

    `finished`: the sessions that ended, and how often each of them had been opened by then.

    By the time the look returns, the replica may have later marks than the look; the replica's gate passes over those
    that it has.
    """
    idle_limit = idle_since()
    accounts_version = AccountsVersion.current()
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in _sessions.rows(now() - RECENT, *known)]
    read: dict[str, Row] = {row["id"]: row for row in found}
    # Most sessions have not changed since the last look. Of those, only the rows are read.
    news = [
        (row, has)
        for key, row in read.items()
        if _may_be_news(row, finished.get(key))
        and ((has := known.get(key, _NOTHING)).row != row or has.seq < row["last_seq"])
    ]
    old_rosters = {row["class_ref_id"] for row, has in news if _has_old_roster(row, has)}
    rosters, co_teachers = student_names_by_class(old_rosters), co_teachers_by_class(old_rosters)
    changed = [row["id"] for row, has in news if row["check_in_version"] != _check_in_of(has)]
    check_ins = check_in_views(changed)
    marks = marks_since({row["id"]: has.seq for row, has in news if row["last_seq"] > has.seq})
    return View(
        focus_id=next((key for key, row in read.items() if row["focused"]), None),
        accounts_version=accounts_version,
        rows=read,
        sessions=[
            _view(
                row,
                rosters[row["class_ref_id"]] if _has_old_roster(row, has) else None,
                co_teachers.get(row["class_ref_id"], frozenset()),
                check_ins.get(row["id"]),
                # Marks that were committed after the rows were read belong to the next look.
                [mark for mark in marks.get(row["id"], ()) if mark.seq <= row["last_seq"]],
            )
            for row, has in news
        ],
        idle=[
            key
            for key, row in read.items()
            if row["state"] == SessionState.OPEN
            and row["last_activity_at"] < idle_limit
            and _may_be_news(row, finished.get(key))
        ],
    )


_NOTHING = Known(seq=0, roster_version=-1)


def _check_in_of(has: Known) -> int:
    """The version of the check-in that the replica has."""
    return has.row["check_in_version"] if has.row is not None else 0


def _may_be_news(row: Row, finished_opening: int | None) -> bool:
    """Whether the replica does not know yet that this is over: it never ended there, or was opened again since."""
    return finished_opening is None or bool(row["openings"] > finished_opening)


def _has_old_roster(row: Row, has: Known) -> bool:
    return bool(row["class_ref__roster_version"] != has.roster_version)


def _view(
    row: Row,
    roster: dict[str, str] | None,
    co_teachers: frozenset[str],
    check_in: CheckInView | None,
    marks: list[Marked],
) -> SessionView:
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
        openings=row["openings"],
        roster_version=row["class_ref__roster_version"],
        roster=roster,
        co_teachers=co_teachers,
        check_in=check_in,
        marks=marks,
        class_name=row["class_ref__name"],
        teacher_name=row["class_ref__teacher__name"],
        other_names=names_of(others) if others else {},
        sheet=session_sheet(row["id"]) if state is SessionState.ENDED else None,
    )


def marks_since(seqs: Mapping[str, int]) -> dict[str, list[Marked]]:
    """The journal's rows of sessions, by id, after these seqs, in order."""
    # One query for many sessions, because at a start all sessions are read from their beginning.
    together: dict[int, list[str]] = {}
    for session_id, seq in seqs.items():
        together.setdefault(seq, []).append(session_id)
    found: dict[str, list[Marked]] = {session_id: [] for session_id in seqs}
    for seq, session_ids in together.items():
        found_rows = Mark.objects.filter(session_id__in=session_ids, seq__gt=seq).order_by("session_id", "seq")
        for row in found_rows.values_list(*rows.COLUMNS):
            session_id, mark = rows.marked(row)
            found[session_id].append(mark)
    return found
