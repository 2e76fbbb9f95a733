"""The growth curves: how what the server does grows with sockets, rosters, journals, sessions.

Each function measures one curve on fresh databases and returns its points, plain figures, smallest first.
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
from attendance import reports
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Session
from bench import load
from bench.fanout import Fanout
from bench.ground import BATCH, Room, fill, fill_journal, serving
from bench.load import Request
from bench.results import Figures, say
from bench.usage import Usage
from core.database.unit_of_work import unit_of_work
from core.ids import new_id
from core.times import now
from tests.support.clients import PASSWORD, Api
from tests.support.database import Databases


def frames(databases: Databases, program: Fanout, sizes: Sequence[int]) -> list[Figures]:
    """One session, so many sockets: CPU µs a delivered frame, one mark at a time and in bursts."""
    points = []
    for sockets in sizes:
        database = databases.fresh()
        room = fill(database, students=max(50, sockets // 20))[0]
        few = sockets > 2000
        with serving(database) as server:
            assert server.process is not None
            at = (server.port, server.process.pid, room.participants)
            steady = program.run(*at, sockets=sockets, marks=100 if few else 300, gap=2000)
            burst = program.run(*at, sockets=sockets, marks=200 if few else 500, gap=0)
        say(
            f"{sockets} sockets: {steady['cpu_us_per_frame']:.2f} µs a frame, p99 {steady['p99_ms']:.1f} ms; in bursts "
            f"{burst['cpu_us_per_frame']:.2f} µs; lost {steady['lost'] + burst['lost']}"
        )
        points.append({"sockets": sockets, "steady": steady, "burst": burst})
    return points


def ends(databases: Databases, rosters: Sequence[int], runs: int) -> list[Figures]:
    """DONE for rosters of these sizes, half of each marked: seconds until the teacher hears it."""
    points = []
    for students in rosters:
        database = databases.fresh()
        rooms = fill(database, classes=runs, students=students, people=students)
        for room in rooms:
            fill_journal(database, room, students // 2)
        with serving(database, per_class=True) as server:
            found = [load.done(server, room) for room in rooms]
        point = {key: median(each[key] for each in found) for key in ("seconds", "cpu_s")}
        point["worst_seconds"] = max(each["seconds"] for each in found)
        say(f"DONE for {students} students: {1e3 * point['seconds']:.0f} ms (worst {1e3 * point['worst_seconds']:.0f})")
        points.append({"students": students, "runs": runs, **point})
    return points


def recovery(databases: Databases, journals: Sequence[int]) -> list[Figures]:
    """Start over an open session with so many marks: seconds until ready, and until SYNC has answered with all."""
    points = []
    for marks in journals:
        database = databases.fresh()
        room = fill(database, students=1000)[0]
        fill_journal(database, room, marks)
        began = time.perf_counter()
        with serving(database) as server:
            load.wait_until_ready(server)
            ready = time.perf_counter() - began
            if load.synced(server, room.teacher_token) != marks:
                raise RuntimeError("SYNC did not answer with all marks")
            served = time.perf_counter() - began
        say(f"Recovery of {marks} marks: ready after {ready:.2f} s, SYNC answered after {served:.2f} s")
        points.append({"marks": marks, "ready_s": ready, "synced_s": served})
    return points


def matrices(databases: Databases, sizes: Sequence[int], students: int = 30) -> list[Figures]:
    """A class's report over so many finished sessions: seconds until it is read, and until it is written as CSV."""
    database = databases.fresh()
    room = fill(database, students=students, started=False)[0]
    points, there = [], 0
    for sessions in sizes:
        database.ask(partial(_finish_sessions, room, sessions - there))
        there = sessions
        read, written = zip(*(database.ask(lambda: _report(room)) for _ in range(3)), strict=True)
        say(f"A report of {sessions} sessions: {median(read):.3f} s, as CSV {median(written):.3f} s")
        points.append({"sessions": sessions, "students": students, "read_s": median(read), "csv_s": median(written)})
    return points


@unit_of_work
def _finish_sessions(room: Room, count: int) -> None:
    keys = [new_id() for _ in range(count)]
    common: dict[str, Any] = {"class_ref_id": room.class_id}
    Session.objects.bulk_create(
        [
            Session(
                id=key,
                started_by_id=room.teacher_id,
                state=SessionState.ENDED,
                ended_at=now(),
                present_count=len(room.student_ids),
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
            for student in room.student_ids
        ),
        batch_size=BATCH,
    )


def _report(room: Room) -> tuple[float, float]:
    began = time.perf_counter()
    matrix = reports.attendance_matrix(class_id=room.class_id)
    read = time.perf_counter() - began
    reports.write_csv(matrix, io.StringIO(), matrix.lines())
    return read, time.perf_counter() - began


def open_sessions(databases: Databases, counts: Sequence[int]) -> list[Figures]:
    """So many classes live at once in one process: seconds until it is ready, what watching them costs, and what a mark
    costs among them."""
    points = []
    for count in counts:
        database = databases.fresh()
        rooms = fill(database, classes=count, students=33, people=min(count, 100) * 33)
        began = time.perf_counter()
        with serving(database, per_class=True) as server:
            load.wait_until_ready(server)
            load.synced(server, rooms[0].teacher_token)
            ready = time.perf_counter() - began
            assert server.process is not None
            used, began = Usage(server.process.pid), time.perf_counter()
            time.sleep(5)
            watching = used.cpu / (time.perf_counter() - began)
            memory = used.memory
            marking = load.marking(server, rooms[:20], marks=50, window=1)
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
    """Teachers' sockets that mark at once, each in a class of its own: marks a second, and marks in a commit."""
    points = []
    for window in (1, 20):
        database = databases.fresh()
        rooms = fill(database, classes=teachers)
        with tempfile.NamedTemporaryFile("r") as count:
            command = [sys.executable, "-m", "bench.counting", count.name, "{port}"]
            with serving(database, command, per_class=True) as server:
                point = load.marking(server, rooms, marks=marks, window=window)
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
    """What a school day's steps cost one by one, for the simulation: server CPU each, and how long each takes."""
    database = databases.fresh()
    rooms = fill(database, classes=60, students=students)
    found: Figures = {"hash": {"cpu_ms": 1e3 * median(_hash_time() for _ in range(20))}}
    with serving(database, per_class=True) as server:
        api = Api(server.url)
        person = api.signup("teacher")
        api.close()
        login = Request("POST", "/auth/login", body={"email": person.email, "password": PASSWORD})
        me = [Request("GET", "/auth/me", token) for room in rooms[:10] for token in room.student_tokens]
        a_class = [
            Request("GET", f"/class/{room.class_id}", token) for room in rooms[:10] for token in room.student_tokens
        ]
        # The first of each kind pays for what is made once.
        load.requests(server, [me[0], a_class[0], login], connections=1)
        found["login"] = load.requests(server, [login] * 40, connections=1)
        found["me"] = load.requests(server, me[1:], connections=8)
        found["class"] = load.requests(server, a_class[1:], connections=8)
        found["socket"] = load.opening(server, [token for room in rooms[:10] for token in room.student_tokens])
        found["lone_mark"] = load.marking(server, rooms[:1], marks=200, window=1)
        done = [load.done(server, room) for room in rooms[:20]]
        found["done"] = {"cpu_ms": 1e3 * median(each["cpu_s"] for each in done)}
        found["done"]["p50_ms"] = 1e3 * median(each["seconds"] for each in done)
        again = [
            Request("POST", "/attendance/start", room.teacher_token, {"classId": room.class_id}) for room in rooms[:20]
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
