"""The journal's one writer: whoever makes marks, live, as a service or as an import, adds them here.

On SQL databases a batch of marks is two statements, made once and given to the driver itself. Through the ORM a lone
mark costs the server three times the CPU, and needs a third statement to read its seq. MongoDB speaks no SQL; there the
ORM remains.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import F

from attendance.enums import Method, SessionState, Status
from attendance.models import Mark, Session
from classes.selectors import student_ids
from core import errors
from core.ids import new_id
from core.limits import JOURNAL, journal_limit
from core.refusals import count_refusal


class NewMark(msgspec.Struct, frozen=True):
    """A mark that is not in the journal yet, so that it has no seq.

    The model's own objects can do much more than be written, and cost ten times as much.
    """

    session_id: str
    student_id: str
    #: None takes the student's mark away.
    status: Status | None
    at: datetime
    by_id: str
    method: Method
    note: str = ""
    #: The client's name for the mark, once in its session.
    key: str | None = None
    #: The id of what the marks of one action have in common, and of the action that this one undoes.
    action: str | None = None
    undoes: str | None = None
    id: str = msgspec.field(default_factory=new_id)


def append(
    marks: Sequence[NewMark], *, state: SessionState = SessionState.OPEN, is_activity: bool = False
) -> list[int | None]:
    """Adds marks to the journal, in order; returns each mark's seq, None where its session's state is not `state`.

    For a unit of work: each session's row is locked until the unit's end, so that nobody ends the session meanwhile.
    With `is_activity` the marks keep their sessions from being forgotten.
    """
    by_session: dict[str, list[NewMark]] = {}
    for mark in marks:
        by_session.setdefault(mark.session_id, []).append(mark)
    database: Any = connections[DEFAULT_DB_ALIAS]
    statements = _OrmStatements() if database.vendor == "mongodb" else _SqlStatements(database)
    seqs: dict[str, int] = {}
    # Sessions in the order of their ids: two processes that update them in opposite orders lock each other out.
    for session_id, group in sorted(by_session.items()):
        active_at = max(mark.at for mark in group) if is_activity else None
        last_seq = statements.raise_seq(session_id, len(group), state, active_at)
        if last_seq is not None:
            seqs.update((mark.id, seq) for seq, mark in enumerate(group, start=last_seq - len(group) + 1))
    if seqs:
        statements.insert([(mark, seqs[mark.id]) for mark in marks if mark.id in seqs])
    return [seqs.get(mark.id) for mark in marks]


def require_room(session_id: str, last_seq: int, *, by_id: str) -> None:
    """Raises `JournalFull` if marks of `by_id` up to `last_seq` are too many.

    Inside the unit of work that has added them, the session's row is locked: of several requests at once each sees what
    the others have added. Single marks are checked before, live ones by what the process knows
    (`attendance.live.session.LiveSession.room`), so that several at once may go beyond by as many as they are.
    """
    if last_seq <= journal_limit(0):
        return
    class_id = Session.objects.values_list("class_ref_id", flat=True).get(pk=session_id)
    if last_seq > journal_limit(len(student_ids(class_id))):
        count_refusal(JOURNAL.label, account=by_id)
        raise errors.JournalFull


class _OrmStatements:
    def raise_seq(self, session_id: str, count: int, state: SessionState, active_at: datetime | None) -> int | None:
        """Takes `count` seqs of a session; the last of them, None if the session's state is not `state`."""
        session = Session.objects.filter(pk=session_id)
        changes: dict[str, Any] = {"last_seq": F("last_seq") + count}
        if active_at is not None:
            changes["last_activity_at"] = active_at
        taken = session.filter(state=state).update(**changes)
        return session.values_list("last_seq", flat=True).get() if taken else None

    def insert(self, rows: Sequence[tuple[NewMark, int]]) -> None:
        Mark.objects.bulk_create(
            [
                Mark(
                    id=mark.id,
                    session_id=mark.session_id,
                    seq=seq,
                    student_id=mark.student_id,
                    status=mark.status or "",
                    at=mark.at,
                    by_id=mark.by_id,
                    method=mark.method,
                    note=mark.note,
                    key=mark.key,
                    action=mark.action,
                    undoes=mark.undoes,
                )
                for mark, seq in rows
            ]
        )


class _SqlStatements:
    """The same for SQL databases, past Django's cursors: these cost as much as the statements themselves."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._sql = _sql(database)
        self._as_time: Callable[[datetime | None], Any] = functools.cache(database.ops.adapt_datetimefield_value)

    def raise_seq(self, session_id: str, count: int, state: SessionState, active_at: datetime | None) -> int | None:
        parameters = (count, self._as_time(active_at), session_id, state.value)
        with self._database.wrap_database_errors:
            rows: list[tuple[int]] = self._database.connection.execute(self._sql.raise_seq, parameters).fetchall()
        return rows[0][0] if rows else None

    def insert(self, rows: Sequence[tuple[NewMark, int]]) -> None:
        as_time = self._as_time
        parameters = [
            (
                mark.id,
                mark.session_id,
                seq,
                mark.student_id,
                mark.status.value if mark.status is not None else "",
                as_time(mark.at),
                mark.by_id,
                mark.method.value,
                mark.note,
                mark.key,
                mark.action,
                mark.undoes,
            )
            for mark, seq in rows
        ]
        with self._database.wrap_database_errors:
            self._database.connection.cursor().executemany(self._sql.insert, parameters)


#: The columns of a row above, in its order.
_ROW = ("id", "session", "seq", "student", "status", "at", "by", "method", "note", "key", "action", "undoes")


@dataclass(frozen=True, slots=True)
class _Sql:
    raise_seq: str
    insert: str


_made: dict[str, _Sql] = {}


def _sql(database: Any) -> _Sql:
    """The statements, made once for each kind of database."""
    if database.vendor not in _made:
        _made[database.vendor] = _make_sql(database)
    return _made[database.vendor]


def _make_sql(database: Any) -> _Sql:
    quote: Callable[[str], str] = database.ops.quote_name
    value = {"qmark": "?", "pyformat": "%s"}[database.Database.paramstyle]

    def column(model: type[Any], name: str) -> str:
        return quote(model._meta.get_field(name).column)

    seq, activity, key, state = (column(Session, name) for name in ("last_seq", "last_activity_at", "id", "state"))
    return _Sql(
        raise_seq=(
            f"UPDATE {quote(Session._meta.db_table)} SET {seq} = {seq} + {value}, "  # noqa: S608
            f"{activity} = COALESCE({value}, {activity}) WHERE {key} = {value} AND {state} = {value} RETURNING {seq}"
        ),
        insert=(
            f"INSERT INTO {quote(Mark._meta.db_table)} ({', '.join(column(Mark, name) for name in _ROW)}) "  # noqa: S608
            f"VALUES ({', '.join([value] * len(_ROW))})"
        ),
    )
