"""The rush at the start: so many students check in within a minute, while a teacher marks among them.

    python -m bench.rush                      # 1,500 students of 50 classes, who are signed in already
    python -m bench.rush --sign-in            # each signs in between the scan and the check-in

Each student has a client with cookies of its own, comes at a moment of their own, exchanges the code that is on their
class's wall then for a claim, and checks in with it. The wall asks for each next code. Server and load share all cores,
because passwords need more than one. The time is each answer's, as the student waits for it; nothing is asked twice.
The teacher is a process of their own, so that the teacher's times are not those of a program that is 1,500 students.

Afterwards the journal is read: who was answered and has no mark is lost, who has two is doubled. DATABASE_URL names
another database than a SQLite file. What was found is then in FOLDER, `rush.json` or `rush-sign-in.json`, for
`make bench-docs`.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from bench.percentiles import percentile
from bench.results import FOLDER, Figures, machine, made_by, say, write
from bench.table import columns, shown
from bench.usage import Usage

if TYPE_CHECKING:
    from bench.fixtures import Lesson
    from tests.support.clients import Socket
    from tests.support.database import Database, Databases
    from tests.support.server import Server

STUDENTS, CLASSES, SECONDS = 1500, 50, 60.0
#: What the results are called, by whether the students sign in first.
NAMES = {False: "rush", True: "rush-sign-in"}
#: Between two marks of the teacher, seconds.
MARK_INTERVAL = 0.25
#: What is asked: the slowest but one in a hundred, ms.
ANSWERED_WITHIN, MARKED_WITHIN = 1000.0, 100.0
#: Those requests whose time is not a password's.
WITHOUT_HASH = ("claim", "check-in")


@dataclass
class Seen:
    """How long each kind of request took, ms, and what went wrong, by what was answered."""

    times: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    checked_in: int = 0

    def note(self, kind: str, began: float) -> None:
        self.times.setdefault(kind, []).append(1e3 * (time.perf_counter() - began))

    def fail(self, kind: str, what: str) -> None:
        said = f"{kind}: {what}"
        self.failures[said] = self.failures.get(said, 0) + 1


class Failed(Exception):
    """What a student asked for was not done."""


@dataclass
class Wall:
    """The code that a class sees, and the session that it is of."""

    lesson: "Lesson"
    code: str = ""
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    async def show(self, http: httpx.AsyncClient) -> None:
        """Asks for the next code as soon as the one before is over."""
        headers = {"Authorization": self.lesson.teacher_token}
        while True:
            answer = await http.get(f"/api/v2/sessions/{self.lesson.session_id}/check-in/code", headers=headers)
            data = answer.raise_for_status().json()["data"]
            self.code = data["code"]
            self.seen.set()
            until = datetime.fromisoformat(data["validUntil"])
            await asyncio.sleep(max(0.05, (until - datetime.now(until.tzinfo)).total_seconds()))


@dataclass
class Student:
    """A student with a phone."""

    wall: Wall
    token: str
    email: str
    comes_at: float
    transport: httpx.AsyncHTTPTransport
    url: str

    async def come(self, seen: Seen, *, signs_in: bool) -> None:
        """Scans, signs in if they must, and checks in."""
        await asyncio.sleep(self.comes_at)
        await self.wall.seen.wait()
        # The phones share connections, as behind a proxy; their cookies are each one's own.
        phone = httpx.AsyncClient(base_url=f"{self.url}/api/v2", transport=self.transport, timeout=600)
        try:
            scan = {"session": self.wall.lesson.session_id, "code": self.wall.code}
            claim = (await self._ask(phone, seen, "claim", "/check-in/claims", scan))["claim"]
            if signs_in:
                login = {"login": self.email, "password": _password()}
                self.token = (await self._ask(phone, seen, "sign-in", "/auth/login", login))["token"]
            phone.headers["Authorization"] = self.token
            await self._ask(phone, seen, "check-in", "/check-in", {"claim": claim})
            seen.checked_in += 1
        except Failed:
            pass  # it is counted

    async def _ask(self, phone: httpx.AsyncClient, seen: Seen, kind: str, path: str, body: Any) -> Any:
        began = time.perf_counter()
        try:
            answer = await phone.post(path, json=body)
        except httpx.HTTPError as failure:
            seen.fail(kind, type(failure).__name__)
            raise Failed from failure
        seen.note(kind, began)
        if not answer.is_success:
            seen.fail(kind, answer.json().get("code", str(answer.status_code)))
            raise Failed
        return answer.json()["data"]


def rush(
    databases: "Databases",
    *,
    students: int = STUDENTS,
    classes: int = CLASSES,
    seconds: float = SECONDS,
    signs_in: bool = False,
) -> Figures:
    """The figures of one run: `students` altogether, in so many classes, within `seconds`."""
    from bench.fixtures import fill

    database = databases.fresh()
    # One more in each class: the teacher's marks are about somebody who does not check in.
    lessons = fill(database, classes=classes, students=-(-students // classes) + 1)
    database.ask(lambda: _prepare([lesson.student_ids for lesson in lessons]))
    seen = Seen()
    with _serving(database) as server:
        used = Usage(server.pid)
        began = time.perf_counter()
        asyncio.run(_rush(server, lessons, seen, students=students, seconds=seconds, signs_in=signs_in))
        took = time.perf_counter() - began
        cpu, memory = used.cpu, used.memory
    marked = database.ask(lambda: _self_marks([str(lesson.session_id) for lesson in lessons]))
    return {
        "students": students,
        "classes": classes,
        "seconds": seconds,
        "signs_in": signs_in,
        "took_s": took,
        "answered": seen.checked_in,
        "lost": max(0, seen.checked_in - len(set(marked))),
        "doubled": len(marked) - len(set(marked)),
        "failures": seen.failures,
        "cpu_ms_each": 1e3 * cpu / students,
        "memory_mib": memory / 1024,
        "times": {
            kind: {"p50_ms": percentile(found, 0.5), "p99_ms": percentile(found, 0.99), "most_ms": max(found)}
            for kind, found in seen.times.items()
        },
    }


def _password() -> str:
    from tests.support.clients import PASSWORD

    return PASSWORD


def _prepare(rosters: list[list[str]]) -> None:
    """Everybody has the same password, which is hashed once."""
    from accounts.models import User
    from accounts.passwords import hash_password

    hashed = hash_password(_password())
    for student_ids in rosters:
        User.objects.filter(pk__in=student_ids).update(password=hashed)


def _self_marks(session_ids: list[str]) -> list[tuple[str, str]]:
    from attendance.enums import Method
    from attendance.models import Mark

    rows = Mark.objects.filter(session_id__in=session_ids, method=Method.SELF)
    return list(rows.values_list("session_id", "student_id"))


@contextmanager
def _serving(database: "Database") -> Iterator["Server"]:
    """`manage.py serve` as a school has it: with limits, and on all cores."""
    from tests.support.server import Server

    server = Server(database, [sys.executable, "manage.py", "serve", "--port", "{port}"], LIVE_SESSIONS="per-class")
    with server:
        yield server
        server.stop()
    server.assert_clean()


async def _rush(
    server: "Server", lessons: "list[Lesson]", seen: Seen, *, students: int, seconds: float, signs_in: bool
) -> None:
    from tests.support.clients import NO_CERTIFICATES

    chance = random.Random(9)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    transport = httpx.AsyncHTTPTransport(verify=NO_CERTIFICATES, limits=limits)
    walls = [Wall(lesson) for lesson in lessons]
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=60) as desk:
        for lesson in lessons:
            path = f"/api/v2/sessions/{lesson.session_id}/check-in"
            answer = await desk.put(path, json={"mode": "rotating"}, headers={"Authorization": lesson.teacher_token})
            answer.raise_for_status()
        everybody = [
            Student(wall, token, f"{key}@example.com", chance.uniform(0, seconds), transport, server.url)
            for wall in walls
            for key, token in zip(wall.lesson.student_ids[1:], wall.lesson.student_tokens[1:], strict=True)
        ][:students]
        async with asyncio.TaskGroup() as beside:
            others = [beside.create_task(wall.show(desk)) for wall in walls]
            with _teaching(server, lessons[0], seen):
                async with asyncio.TaskGroup() as group:
                    for student in everybody:
                        group.create_task(student.come(seen, signs_in=signs_in))
            for task in others:
                task.cancel()


@contextmanager
def _teaching(server: "Server", lesson: "Lesson", seen: Seen) -> Iterator[None]:
    """A teacher's process marks during the block; what the teacher saw is added to `seen`."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    desk = Desk(f"{server.ws_url}/v2", lesson.teacher_token, str(lesson.session_id), lesson.student_ids[0])
    teacher = spawn.Process(target=_teach, args=(desk, theirs))
    teacher.start()
    theirs.close()  # this process's copy, so that a teacher who breaks down is noticed
    ours.recv()  # the socket is open
    try:
        yield
    finally:
        ours.send("over")
        of_teacher: Seen = ours.recv()
        teacher.join()
    seen.times.update(of_teacher.times)
    seen.failures.update(of_teacher.failures)


@dataclass(frozen=True)
class Desk:
    """What a teacher's process knows: where it marks, as whom, in which session, and which student."""

    url: str
    token: str
    session_id: str
    student_id: str

    async def teach(self, lesson: Connection, seen: Seen) -> None:
        """Marks again and again over `/ws/v2`, each time when the last mark is answered, until `lesson` says more."""
        from tests.support.clients import Socket

        async with Socket(self.url, self.token) as socket:
            lesson.send("begun")
            for number in itertools.count():
                await self._mark(socket, number, seen)
                await asyncio.sleep(MARK_INTERVAL)
                if lesson.poll():
                    return

    async def _mark(self, socket: "Socket", number: int, seen: Seen) -> None:
        status = ("present", "absent")[number % 2]
        marks = [{"studentId": self.student_id, "status": status}]
        began = time.perf_counter()
        await socket.send_raw(
            json.dumps({"event": "MARK", "data": {"session": self.session_id, "marks": marks}, "id": number})
        )
        while (frame := await socket.frame()).get("id") != number:
            pass
        seen.note("teacher's mark", began)
        if frame["event"] != "OK":
            seen.fail("teacher's mark", frame["data"]["code"])


def _teach(desk: Desk, lesson: Connection) -> None:
    seen = Seen()
    asyncio.run(desk.teach(lesson, seen))
    lesson.send(seen)


def as_text(found: Figures) -> str:
    """What is printed."""
    lines = [("ms", "p50", "p99", "most", "asked")]
    for kind, times in found["times"].items():
        within = ANSWERED_WITHIN if kind in WITHOUT_HASH else MARKED_WITHIN if kind == "teacher's mark" else None
        reached = (
            "" if within is None else f"p99 ≤ {within:,.0f}: {'reached' if times['p99_ms'] <= within else 'missed'}"
        )
        lines.append((kind, *(shown(times[name]) for name in ("p50_ms", "p99_ms", "most_ms")), reached))
    return f"{in_words(found)}\n\n{columns(lines)}"


def in_words(found: Figures) -> str:
    """How many were there, and what became of them."""
    how = "each signs in first" if found["signs_in"] else "signed in already"
    failures = "; ".join(f"{count} {said}" for said, count in found["failures"].items()) or "no failures"
    return (
        f"{found['students']:,} students of {found['classes']} classes within {found['seconds']:.0f} s, {how}:"
        f" {found['answered']:,} checked in after {found['took_s']:.0f} s,"
        f" {found['lost']} lost, {found['doubled']} doubled, {failures};"
        f" {found['cpu_ms_each']:.1f} ms of the server's CPU each, {found['memory_mib']:.0f} MiB."
    )


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench.rush", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--students", type=int, default=STUDENTS, help="altogether (default: %(default)s)")
    parser.add_argument("--classes", type=int, default=CLASSES, help="they are in so many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="they come within (default: %(default)s)")
    parser.add_argument("--sign-in", action="store_true", help="each signs in between the scan and the check-in")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the result (default: %(default)s)")
    arguments = parser.parse_args()
    command = " ".join(["python -m bench.rush", *sys.argv[1:]])
    made: Figures = {"machine": machine(), **made_by(command)}
    import bench.environment  # noqa: F401  before any model, on the database that is to be used
    from bench import fixtures

    say(f"On {fixtures.DATABASE_KIND}")
    with fixtures.databases() as databases:
        found = rush(
            databases,
            students=arguments.students,
            classes=arguments.classes,
            seconds=arguments.seconds,
            signs_in=arguments.sign_in,
        )
    print(as_text(found))
    print(write(arguments.folder, NAMES[found["signs_in"]], {**found, "made": made}))
    return 0 if found["answered"] == found["students"] and not found["lost"] and not found["doubled"] else 1


if __name__ == "__main__":
    sys.exit(main())
