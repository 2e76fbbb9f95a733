"""What is asked of a school with a past, and what each answer takes.

Everything is asked in this process and thread: the pages and routes by Django's handler, without a network, and what
the live path does by its own functions.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import User
from accounts.selectors import actor_of
from attendance import lessons, services
from attendance.enums import Method, SessionState, Status
from attendance.journal import NewMark
from attendance.live.commit import Unit, commit
from attendance.live.look import look
from attendance.live.view import Known
from attendance.models import Attendance, Session
from audit.trail import trail
from bench.school import School
from core.times import now, today
from notices.watching import look_at_all
from tests.support.clients import make_token
from tests.support.queries import around_queries

#: Each is asked so often, unless it takes too long; the time is the median.
TIMES, LONG = 5, 2.0
#: The steps of SQLite's machine are counted in lots of so many.
_LOT = 100


@dataclass(slots=True)
class Taken:
    """What an answer took: ms, statements, and on SQLite the steps of its machine, which grow by the rows read."""

    ms: float = 0.0
    statements: int = 0
    steps: int | None = None
    bytes: int = 0
    #: The tables that a statement read whole, as SQLite plans it.
    scanned: list[str] = field(default_factory=list)


def counted(asked: Callable[[], int]) -> Taken:
    """`asked` returns the answer's length. It is asked once before, for what is made once in a process."""
    asked()
    taken = Taken()
    with _watched(taken):
        taken.bytes = asked()
    return taken


def measured(asked: Callable[[], int]) -> Taken:
    """The same, with the time."""
    taken = counted(asked)
    times: list[float] = []
    while not times or (len(times) < TIMES and times[-1] < LONG):
        began = time.perf_counter()
        asked()
        times.append(time.perf_counter() - began)
    taken.ms = 1e3 * statistics.median(times)
    return taken


@contextmanager
def _watched(taken: Taken) -> Iterator[None]:
    """Counts what the block asks of the database."""
    said: list[str] = []
    if connection.vendor != "sqlite":

        def note(ask: Callable[[], Any], text: str) -> Any:
            said.append(text)
            return ask()

        with around_queries(note):
            yield
        taken.statements = len(said)
        return
    connection.ensure_connection()
    driver: Any = connection.connection
    lots = 0

    def count() -> int:
        nonlocal lots
        lots += 1
        return 0

    driver.set_trace_callback(said.append)
    driver.set_progress_handler(count, _LOT)
    try:
        yield
    finally:
        driver.set_trace_callback(None)
        driver.set_progress_handler(None, 0)
    asked = [sql for sql in said if sql.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))]
    taken.statements, taken.steps = len(asked), lots * _LOT
    taken.scanned = sorted({table for sql in asked for table in _scanned(driver, sql)})


def _scanned(driver: Any, sql: str) -> Iterator[str]:
    """Tables of which the plan reads all rows, though the statement has a condition or an order."""
    if sql.startswith("INSERT"):
        return
    for *_, step in driver.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall():
        if step.startswith("SCAN") and "VIRTUAL" not in step:
            yield step.split()[1]


def everything(school: School) -> Iterator[tuple[str, Callable[[], int]]]:
    """Each thing that is asked: its name, and a function that asks for it."""
    people = {user.id: user for user in User.objects.filter(pk__in=_who(school))}
    office, teacher, student = (people[key] for key in _who(school))
    ids = _ids(school)
    for whose, user, paths in (
        ("teacher", teacher, TEACHERS),
        ("student", student, STUDENTS),
        ("office", office, OFFICE),
        ("admin", office, ADMIN),
    ):
        client = Client(raise_request_exception=True)
        client.force_login(user)
        for path in paths:
            yield f"{whose}: {path}", partial(_page, client, path.format_map(ids))
    for whose, user in (("teacher", teacher), ("student", student), ("office", office)):
        for path in API[whose]:
            yield f"{whose}: {path}", partial(_route, user, path.format_map(ids))
    yield from _live(school, teacher)


def _who(school: School) -> tuple[str, str, str]:
    group = school.groups[0]
    return school.office_id, group.teacher_id, group.student_ids[0]


def _ids(school: School) -> Mapping[str, str]:
    group = school.groups[0]
    session = Session.objects.filter(class_ref_id=group.id).order_by("-started_at")[0]
    record = Attendance.objects.get(session=session, student_id=group.student_ids[0])
    return {
        "class": group.id,
        "student": group.student_ids[0],
        "session": session.id,
        "record": record.id,
        "today": str(today()),
        "since": str(today().replace(year=today().year - 1)),
    }


#: The pages, for each kind of person.
TEACHERS = (
    *("/app/", "/app/classes/", "/app/classes/?archived=1", "/app/classes/{class}/", "/app/classes/{class}/students"),
    *("/app/classes/{class}/students/{student}", "/app/classes/{class}/reports", "/app/classes/{class}/reports.csv"),
    *("/app/classes/{class}/reports.xlsx", "/app/classes/{class}/settings", "/app/classes/{class}/timetable"),
    *("/app/sessions/{session}/", "/app/sessions/{session}/students/{student}", "/app/sessions/{session}/print"),
    *("/app/excuses/", "/app/me/data"),
)
STUDENTS = (
    "/app/",
    "/app/?archived=1",
    "/app/me/classes/{class}",
    "/app/excuses/",
    "/app/me/data",
    "/app/me/data/file",
)
OFFICE = (
    *("/app/", "/app/classes/", "/app/classes/?archived=1", "/app/excuses/", "/app/office/people"),
    *("/app/office/people?text=rao", "/app/office/report", "/app/office/report?since={since}"),
    *("/app/office/holidays", "/app/office/invitations", "/app/office/oneroster?school=S&since={since}&until={today}"),
)
ADMIN = (
    *("/admin/", "/admin/accounts/user/", "/admin/accounts/user/?q=rao", "/admin/accounts/user/{student}/change/"),
    *("/admin/classes/class/", "/admin/classes/class/{class}/change/", "/admin/classes/enrolment/"),
    *(
        "/admin/attendance/session/",
        "/admin/attendance/session/?q=course",
        "/admin/attendance/session/{session}/change/",
    ),
    *("/admin/attendance/mark/", "/admin/attendance/mark/?q=rao", "/admin/attendance/mark/?q={session}"),
    *("/admin/attendance/attendance/", "/admin/attendance/attendance/?q=rao", "/admin/attendance/attendance/?p=2"),
    *("/admin/attendance/attendance/{record}/change/", "/admin/audit/entry/", "/admin/audit/entry/?q={student}"),
)
API = {
    "teacher": (
        *("/api/v2/classes", "/api/v2/classes/{class}/sessions", "/api/v2/classes/{class}/students"),
        *("/api/v2/classes/{class}/report", "/api/v2/students/{student}/report", "/api/v2/sessions/{session}"),
        *("/api/v2/records/{record}/history", "/api/v2/lessons", "/api/v2/excuses", "/class/{class}"),
    ),
    "student": (
        *("/api/v2/me/attendance", "/api/v2/classes/{class}/sessions", "/api/v2/lessons", "/api/v2/me/data"),
        *("/class/{class}/my-attendance", "/auth/me"),
    ),
    "office": (
        *("/api/v2/classes", "/api/v2/classes?archived=true", "/api/v2/students/search?q=rao", "/api/v2/lessons"),
        *("/api/v2/excuses", "/api/v2/reports/school", "/api/v2/reports/school?from={since}"),
        "/api/v2/reports/school?format=xlsx",
    ),
}


def _page(client: Client, path: str) -> int:
    return _length(client.get(path))


def _route(user: User, path: str) -> int:
    token = make_token(user.id, user.role)
    return _length(Client(raise_request_exception=True).get(path, headers={"Authorization": f"Bearer {token}"}))


def _length(answer: Any) -> int:
    content = answer.getvalue()
    trail.flush()  # in a server a thread does
    if answer.status_code == 429:  # one's own data may be asked for a few times an hour
        raise Limited
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.request['PATH_INFO']}: {answer.status_code} {content[:500]!r}")
    return len(content)


class Limited(Exception):
    """It was asked for too often."""


def _live(school: School, teacher: User) -> Iterator[tuple[str, Callable[[], int]]]:
    """The live path, in the order of a lesson: each session that is opened has marks, and ends."""
    group, actor = school.groups[0], actor_of(teacher)
    opened: list[str] = []

    def start() -> int:
        for session_id in opened:
            services.session_end(session_id=session_id)
        opened[:] = [services.session_start(actor=actor, class_id=group.id).id]
        return 0

    def mark() -> int:
        made = NewMark(opened[0], group.student_ids[1], Status.PRESENT, now(), teacher.id, Method.TEACHER)
        commit([Unit([made])])
        return 0

    def end_and_start() -> int:
        services.session_end(session_id=opened[0])
        opened[:] = [services.session_start(actor=actor, class_id=group.id).id]
        return 0

    def notices() -> int:
        services.session_end(session_id=opened[0])
        look_at_all(now().replace(year=now().year + 1))
        opened[:] = [services.session_start(actor=actor, class_id=group.id).id]
        return 0

    def watched() -> int:
        """As by a server that has followed what happened until now."""
        known = {
            key: Known(row["last_seq"], row["class_ref__roster_version"], row)
            for key, row in rows.items()
            if row["state"] == SessionState.OPEN
        }
        look(known, {key: row["openings"] for key, row in rows.items() if key not in known})
        return 0

    def due() -> int:
        return len(lessons.lessons_due(now()).begun)

    yield "opening of a session", start
    yield "one mark", mark
    yield "`DONE`, and opening again", end_and_start
    yield "what follows from `DONE` (notices)", notices
    rows = look({}, {}).rows
    yield "the look, once a second", watched
    yield "planned lessons that are due", due
