"""The growth curves: how the costs of the server grow with sockets, rosters, journals and sessions.

Each function measures one curve on new databases, and returns the points of the curve, the smallest first.
"""

import io
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import Any

from accounts import passwords
from attendance.class_report import class_report, table_of
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Session
from bench import load
from bench.fanout import Fanout
from bench.fixtures import BATCH, Lesson, fill, fill_journal, serving
from bench.load import Request
from bench.results import Figures, say
from bench.usage import Usage
from core import spreadsheets
from core.database.unit_of_work import unit_of_work
from core.ids import new_id
from core.times import now
from tests.support.clients import PASSWORD, Api
from tests.support.database import Databases


def frames(databases: Databases, program: Fanout, sizes: Sequence[int]) -> list[Figures]:
    """So many sockets in one session: CPU µs a delivered frame, one mark at a time and all at once."""
    points = []
    for sockets in sizes:
        database = databases.fresh()
        lesson = fill(database, students=max(50, sockets // 20))[0]
        few = sockets > 2000
        with serving(database) as server:
            at = (server.port, server.pid, lesson.participants)
            steady = program.run(*at, sockets=sockets, marks=100 if few else 300, gap=2000)
            burst = program.run(*at, sockets=sockets, marks=200 if few else 500, gap=0)
        say(
            f"{sockets} sockets: {steady['cpu_us_per_frame']:.2f} µs a frame, p99 {steady['p99_ms']:.1f} ms; in bursts "
            f"{burst['cpu_us_per_frame']:.2f} µs; lost {steady['lost'] + burst['lost']}"
        )
        points.append({"sockets": sockets, "steady": steady, "burst": burst})
    return points


def ends(databases: Databases, rosters: Sequence[int], runs: int) -> list[Figures]:
    """DONE for rosters of these sizes, of which half are marked: seconds until the teacher hears it."""
    points = []
    for students in rosters:
        database = databases.fresh()
        lessons = fill(database, classes=runs, students=students, people=students)
        for lesson in lessons:
            fill_journal(database, lesson, students // 2)
        with serving(database, per_class=True) as server:
            found = [load.done(server, lesson) for lesson in lessons]
        point = {key: median(each[key] for each in found) for key in ("seconds", "cpu_s")}
        point["worst_seconds"] = max(each["seconds"] for each in found)
        say(f"DONE for {students} students: {1e3 * point['seconds']:.0f} ms (worst {1e3 * point['worst_seconds']:.0f})")
        points.append({"students": students, "runs": runs, **point})
    return points


def recovery(databases: Databases, journals: Sequence[int]) -> list[Figures]:
    """A server that starts over an open session of so many marks: seconds until it is ready, and until SYNC has all."""
    points = []
    for marks in journals:
        database = databases.fresh()
        lesson = fill(database, students=1000)[0]
        fill_journal(database, lesson, marks)
        began = time.perf_counter()
        with serving(database) as server:
            load.wait_until_ready(server)
            ready = time.perf_counter() - began
            if load.synced(server, lesson.teacher_token) != marks:
                raise RuntimeError("SYNC did not answer with all marks")
            served = time.perf_counter() - began
        say(f"Recovery of {marks} marks: ready after {ready:.2f} s, SYNC answered after {served:.2f} s")
        points.append({"marks": marks, "ready_s": ready, "synced_s": served})
    return points


def matrices(databases: Databases, sizes: Sequence[int], students: int = 30) -> list[Figures]:
    """The report of a class with so many finished sessions: seconds until it is read, and until its CSV is written."""
    database = databases.fresh()
    lesson = fill(database, students=students, started=False)[0]
    points, there = [], 0
    for sessions in sizes:
        database.ask(partial(finish_sessions, lesson, sessions - there))
        there = sessions
        read, written = zip(*(database.ask(lambda: _report(lesson)) for _ in range(3)), strict=True)
        say(f"A report of {sessions} sessions: {median(read):.3f} s, as CSV {median(written):.3f} s")
        points.append({"sessions": sessions, "students": students, "read_s": median(read), "csv_s": median(written)})
    return points


@unit_of_work
def finish_sessions(lesson: Lesson, count: int) -> None:
    """So many finished sessions in which everybody was present."""
    keys = [new_id() for _ in range(count)]
    common: dict[str, Any] = {"class_ref_id": lesson.class_id}
    Session.objects.bulk_create(
        [
            Session(
                id=key,
                started_by_id=lesson.teacher_id,
                state=SessionState.ENDED,
                ended_at=now(),
                present_count=len(lesson.student_ids),
                absent_count=0,
                **common,
            )
            for key in keys
        ],
        batch_size=BATCH,
    )
    Attendance.objects.bulk_create(
        (
            Attendance(session_id=key, student_id=student, status=Status.PRESENT, method=Method.TEACHER, **common)
            for key in keys
            for student in lesson.student_ids
        ),
        batch_size=BATCH,
    )


def _report(lesson: Lesson) -> tuple[float, float]:
    began = time.perf_counter()
    report = class_report(class_id=lesson.class_id)
    read = time.perf_counter() - began
    spreadsheets.write_csv(io.StringIO(), table_of(report))
    return read, time.perf_counter() - began


def open_sessions(databases: Databases, counts: Sequence[int]) -> list[Figures]:
    """So many classes with a live session in one process: seconds until it is ready, what it costs to watch them, and
    what a mark costs among them."""
    points = []
    for count in counts:
        database = databases.fresh()
        lessons = fill(database, classes=count, students=33, people=min(count, 100) * 33)
        began = time.perf_counter()
        with serving(database, per_class=True) as server:
            load.wait_until_ready(server)
            load.synced(server, lessons[0].teacher_token)
            ready = time.perf_counter() - began
            used, began = Usage(server.pid), time.perf_counter()
            time.sleep(5)
            watching = used.cpu / (time.perf_counter() - began)
            memory = used.memory
            marking = load.marking(server, lessons[:20], marks=50, window=1)
        say(
            f"{count} open sessions: ready after {ready:.2f} s, watching them {1e3 * watching:.1f} ms of CPU a second, "
            f"a mark {marking['cpu_us_per_mark']:.0f} µs"
        )
        points.append(
            {
                "sessions": count,
                "ready_s": ready,
                "watching_ms_per_s": 1e3 * watching,
                "memory_mib": memory / 1024,
                "cpu_us_per_mark": marking["cpu_us_per_mark"],
            }
        )
    return points


def shared_commits(databases: Databases, teachers: int, marks: int) -> list[Figures]:
    """Teachers who mark at once, each in a class of their own: marks a second, and marks in a commit."""
    points = []
    for window in (1, 20):
        database = databases.fresh()
        lessons = fill(database, classes=teachers)
        with tempfile.NamedTemporaryFile("r") as count:
            command = [sys.executable, "-m", "bench.counting", count.name, "{port}"]
            with serving(database, command, per_class=True) as server:
                point = load.marking(server, lessons, marks=marks, window=window)
            sizes = [int(line) for line in count]
        if sum(sizes) != point["marks"]:
            raise RuntimeError("not every mark was committed once")
        point.update(commits=len(sizes), marks_per_commit=sum(sizes) / len(sizes))
        say(
            f"{teachers} teachers, {window} marks on the way each: {point['marks_per_s']:.0f} marks a second, "
            f"{point['marks_per_commit']:.1f} in a commit"
        )
        points.append(point)
    return points


def costs(databases: Databases, students: int = 33) -> Figures:
    """What each step of a school day costs, for the simulation: the server's CPU time, and how long the step takes."""
    database = databases.fresh()
    lessons = fill(database, classes=60, students=students)
    found: Figures = {"hash": {"cpu_ms": 1e3 * median(_hash_time() for _ in range(20))}}
    with serving(database, per_class=True) as server:
        api = Api(server.url)
        person = api.signup("teacher")
        api.close()
        login = Request("POST", "/auth/login", body={"email": person.email, "password": PASSWORD})
        me = [Request("GET", "/auth/me", token) for lesson in lessons[:10] for token in lesson.student_tokens]
        a_class = [
            Request("GET", f"/class/{lesson.class_id}", token)
            for lesson in lessons[:10]
            for token in lesson.student_tokens
        ]
        # The first request of each kind pays for what is made once.
        load.requests(server, [me[0], a_class[0], login], connections=1)
        found["login"] = load.requests(server, [login] * 40, connections=1)
        found["me"] = load.requests(server, me[1:], connections=8)
        found["class"] = load.requests(server, a_class[1:], connections=8)
        found["socket"] = load.opening(server, [token for lesson in lessons[:10] for token in lesson.student_tokens])
        found["lone_mark"] = load.marking(server, lessons[:1], marks=200, window=1)
        done = [load.done(server, lesson) for lesson in lessons[:20]]
        found["done"] = {"cpu_ms": 1e3 * median(each["cpu_s"] for each in done)}
        found["done"]["p50_ms"] = 1e3 * median(each["seconds"] for each in done)
        again = [
            Request("POST", "/attendance/start", lesson.teacher_token, {"classId": lesson.class_id})
            for lesson in lessons[:20]
        ]
        found["start"] = load.requests(server, again, connections=1)
    for name, figures in found.items():
        cpu = figures["cpu_us_per_mark"] / 1e3 if "cpu_us_per_mark" in figures else figures["cpu_ms"]
        say(f"{name}: {cpu:.2f} ms of CPU")
    return {"students": students, **found}


def _hash_time() -> float:
    """CPU seconds of one password's hash, which is what a login checks."""
    began = time.process_time()
    passwords.hash_password(PASSWORD)
    return time.process_time() - began
