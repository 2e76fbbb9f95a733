"""What a batch of marks says to the database: two statements, put together once.

The ORM puts them together anew for each batch, and reads the seq in a third: with it a lone mark costs the server
three times the CPU. MongoDB speaks no SQL; there the ORM remains.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import F

from attendance.enums import Method, SessionState, Status
from attendance.models import Mark, Session
from core.ids import new_id


@dataclass(slots=True)
class NewMark:
    """A mark on its way to the journal; `seq` is 0 until it is there.

    The model's own objects are made for much more than to be written: one costs ten times as much.
    """

    session_id: str
    student_id: str
    status: Status
    at: datetime
    by_id: str
    method: Method
    id: str = field(default_factory=new_id)
    seq: int = 0


def raise_seq(session_id: str, count: int, at: datetime) -> int | None:
    """Makes room for `count` marks, the last of them made at `at`, in a session; its last seq, None if it is not open.

    For a unit of work: the row is locked until its end.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "mongodb":
        session = Session.objects.filter(pk=session_id)
        taken = session.filter(state=SessionState.OPEN).update(last_seq=F("last_seq") + count, last_activity_at=at)
        return session.values_list("last_seq", flat=True).get() if taken else None
    sql = _statements(database.vendor)
    parameters = [count, database.ops.adapt_datetimefield_value(at), session_id, SessionState.OPEN.value]
    with database.cursor() as cursor:
        cursor.execute(sql.raise_seq, parameters)
        rows = cursor.fetchall()
    return rows[0][0] if rows else None


def add(marks: Sequence[NewMark]) -> None:
    """Adds rows to the journal."""
    database = connections[DEFAULT_DB_ALIAS]
    if not marks:
        return  # all sessions are over
    if database.vendor == "mongodb":
        Mark.objects.bulk_create([Mark(**asdict(mark)) for mark in marks])
        return
    sql, as_time = _statements(database.vendor), database.ops.adapt_datetimefield_value
    rows = [
        (
            mark.id,
            mark.session_id,
            mark.seq,
            mark.student_id,
            mark.status.value,
            as_time(mark.at),
            mark.by_id,
            mark.method.value,
            "",
        )
        for mark in marks
    ]
    with database.cursor() as cursor:
        cursor.executemany(sql.add, rows)


#: The columns of a row above, in its order.
_ROW = ("id", "session", "seq", "student", "status", "at", "by", "method", "note")


@dataclass(frozen=True, slots=True)
class _Statements:
    raise_seq: str
    add: str


@functools.cache
def _statements(vendor: str) -> _Statements:
    quote: Callable[[Any], str] = connection.ops.quote_name

    def column(model: type[Any], name: str) -> str:
        return quote(model._meta.get_field(name).column)

    seq, activity, key, state = (column(Session, name) for name in ("last_seq", "last_activity_at", "id", "state"))
    return _Statements(
        raise_seq=(
            f"UPDATE {quote(Session._meta.db_table)} SET {seq} = {seq} + %s, {activity} = %s "  # noqa: S608
            f"WHERE {key} = %s AND {state} = %s RETURNING {seq}"
        ),
        add=(
            f"INSERT INTO {quote(Mark._meta.db_table)} ({', '.join(column(Mark, name) for name in _ROW)}) "  # noqa: S608
            f"VALUES ({', '.join(['%s'] * len(_ROW))})"
        ),
    )
