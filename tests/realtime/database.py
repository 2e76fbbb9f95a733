"""What the SQLite file itself says, read and changed past the server."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(database: Path, query: str, *values: Any) -> list[Any]:
    """The rows that `query` finds; or, of a write, none once it is committed."""
    with closing(sqlite3.connect(database, timeout=20)) as connection, connection:
        return connection.execute(query, values).fetchall()


def journal(database: Path, class_id: str) -> list[tuple[int, str, str]]:
    """`(seq, student, status)` of every mark ever made in the class, session by session, in order."""
    query = """
        SELECT mark.seq, mark.student_id, mark.status
        FROM attendance_mark mark JOIN attendance_session session ON session.id = mark.session_id
        WHERE session.class_ref_id = ? ORDER BY session.started_at, session.id, mark.seq
    """
    return rows(database, query, class_id)


def records(database: Path, class_id: str) -> list[tuple[str, str]]:
    """`(student, status)` of every record of the class, session by session, in the order of the students' ids."""
    query = """
        SELECT record.student_id, record.status
        FROM attendance_attendance record JOIN attendance_session session ON session.id = record.session_id
        WHERE record.class_ref_id = ? ORDER BY session.started_at, session.id, record.student_id
    """
    return rows(database, query, class_id)


def forget(database: Path, class_id: str, *, hours: int = 5) -> None:
    """Moves the last mark of the class's open session into the past."""
    rows(
        database,
        """
        UPDATE attendance_session SET last_activity_at = datetime(last_activity_at, ?)
        WHERE class_ref_id = ? AND state = 'open'
        """,
        f"-{hours} hours",
        class_id,
    )
