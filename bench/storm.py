"""`make bench ARGS=--storm`: 50,000 sockets on several workers, all marked and served, and a restart under them.

The sockets come from addresses of their own, hear one session, and connect again whenever they are cut off, with SYNC
from the last mark that they have (`storm.c`). A teacher marks all the time, also while the server is away as far as it
lets him. Server and load share all cores. In the end each socket must have every mark once, in order, and so must the
journal.

Needs redis-server, a C compiler, and descriptors: a worker holds as many sockets as `ulimit -n` lets it open files,
less some. Where that is too few for the workers that are asked for, there are more of them, and the run says so.
"""

import contextlib
import json
import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.fanout import allow_many_sockets
from bench.percentiles import percentile
from bench.programs import compiled, need
from bench.results import Figures, machine, made_by, say, write
from bench.table import columns
from bench.usage import Usage

if TYPE_CHECKING:
    from bench.fixtures import Lesson
    from tests.support.database import Database
    from tests.support.server import Server

SOURCE = Path(__file__).with_name("storm.c")
SOCKETS, WORKERS, STUDENTS, MARKS = 50_000, 2, 500, 20
#: What is wanted.
MEMORY, BACK_WITHIN = 1.2 * 1024 * 1024, 30.0  # KiB, seconds
#: Between two marks while the sockets come back, seconds: each goes to all of them.
MARK_INTERVAL = 1.0
#: A part of the open files that a worker does not use for sockets: the workers' shares differ by a sixteenth at most.
SPARE = 1 / 12
PATIENCE = 300.0  # seconds
#: What no load may count before the restart, and what none may count at all.
CUTS, FAULTS = ("cut", "refused"), ("lost", "doubled", "errors")


class Load:
    """Several processes of `storm.c`, since each may open only so many files."""

    def __init__(self, program: Path, port: int, tokens: Path, shares: Sequence[int]) -> None:
        self._processes = [
            subprocess.Popen(
                [program, str(port), tokens, str(share), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number, share in enumerate(shares)
        ]

    def seen(self) -> Figures:
        """What all of them have seen, summed up; the lowest seq of any client."""
        answers = []
        for process in self._processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            answers.append(json.loads(process.stdout.readline() or '{"error": "the load has ended"}'))
        for answer in answers:
            if "error" in answer:
                raise RuntimeError(answer["error"])
        total = {name: sum(answer[name] for answer in answers) for name in answers[0]}
        return {**total, "lowest": min(answer["lowest"] for answer in answers)}

    def until(self, holds: Callable[[Figures], bool]) -> float:
        """Returns once what is seen is so; how long that took, seconds. RuntimeError after PATIENCE."""
        began = time.monotonic()
        while not holds(seen := self.seen()):
            if time.monotonic() - began > PATIENCE:
                raise RuntimeError(f"the sockets are not where they should be: {seen}")
            time.sleep(0.05)
        return time.monotonic() - began

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


class Teacher:
    """Marks one student after the other, each once the mark before was heard; connects again after each cut."""

    def __init__(self, server: "Server", lesson: "Lesson") -> None:
        self._server, self._lesson = server, lesson
        #: The marks that were heard, so that are in the journal.
        self.made = 0
        self._socket: Any = None

    def mark(self) -> None:
        """Makes one more mark. One that was on its way when the server went may be in the journal: SYNC says."""
        from websockets.exceptions import WebSocketException

        wanted = self.made + 1
        while self.made < wanted:
            try:
                if self._socket is None:
                    self._connect()
                else:
                    self._ask(wanted)
            except (OSError, WebSocketException, EOFError):
                self.close()
                time.sleep(0.1)

    def _connect(self) -> None:
        from websockets.sync.client import connect

        self._socket = connect(
            f"{self._server.ws_url}?token={self._lesson.teacher_token}",
            max_size=None,
            open_timeout=60,
            compression=None,
        )
        self._socket.send('{"event":"SYNC"}')
        while (frame := json.loads(self._socket.recv(60)))["event"] != "SYNC":
            pass
        self.made = frame["data"]["seq"]

    def _ask(self, wanted: int) -> None:
        ids, number = self._lesson.student_ids, wanted - 1
        status = ("present", "absent")[number // len(ids) % 2]
        data = {"studentId": ids[number % len(ids)], "status": status}
        self._socket.send(json.dumps({"event": "ATTENDANCE_MARKED", "data": data}))
        while (frame := json.loads(self._socket.recv(60))).get("seq") != wanted:
            if frame["event"] == "ERROR":
                raise RuntimeError(f"a mark was answered {frame}")
        self.made = wanted

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close_timeout = 1
                self._socket.close()
            self._socket = None

    @contextlib.contextmanager
    def marking(self) -> Iterator[None]:
        """Marks from time to time meanwhile."""
        over = threading.Event()

        def go_on() -> None:
            while not over.wait(MARK_INTERVAL):
                self.mark()

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def run(*, sockets: int, workers: int, folder: Path, command: str) -> bool:
    """Runs the storm, prints what it found, writes folder/storm.json; whether everything was as wanted."""
    need("redis-server")
    most = int(allow_many_sockets() * (1 - SPARE))
    needed = max(workers, math.ceil(sockets / most))
    if needed > workers:
        say(f"`ulimit -n` leaves a worker {most:,} sockets, so there are {needed} workers instead of {workers}.")
    result: Figures = {"made": made_by(command), "machine": machine(), "sockets": sockets, "workers": needed}
    import bench.environment  # noqa: F401  before any model
    from bench import fixtures
    from tests.support.redis import RedisServer
    from tests.support.server import Server

    with fixtures.databases() as databases, RedisServer() as redis, tempfile.TemporaryDirectory() as place:
        database = databases.fresh()
        lesson = fixtures.fill(database, students=STUDENTS)[0]
        tokens = Path(place, "tokens")
        tokens.write_text("\n".join([*lesson.student_tokens, ""]))
        server = Server(database, REDIS_URL=redis.url, WORKERS=str(needed), LIMITS="False").start()
        parts = math.ceil(sockets / most)
        shares = [sockets // parts + (number < sockets % parts) for number in range(parts)]
        load, teacher = Load(compiled(SOURCE, Path(place)), server.port, tokens, shares), Teacher(server, lesson)
        try:
            result |= _storm(server, load, teacher, sockets)
            result["journal_faults"] = _faults_of_journal(database, lesson, teacher.made)
        finally:
            load.close()
            teacher.close()
            server.close()
        server.assert_clean()
    result["reached"] = _reached(result)
    print(as_text(result))
    print(write(folder, "storm", result))
    return bool(result["reached"])


def _storm(server: "Server", load: Load, teacher: Teacher, sockets: int) -> Figures:
    say(f"{sockets:,} sockets connect …")
    used = Usage(server.pid)
    memory = used.memory
    opening = load.until(lambda seen: seen["live"] == sockets)
    found: Figures = {"opening_s": opening, "opening_cpu_us": 1e6 * used.cpu / sockets}
    say(f"  {opening:.1f} s. {MARKS} marks, one at a time …")
    waits = []
    for _ in range(MARKS):
        began = time.monotonic()
        teacher.mark()
        load.until(lambda seen: seen["lowest"] == teacher.made)
        waits.append(1e3 * (time.monotonic() - began))
    found |= {"marks": MARKS, "p50_ms": percentile(waits, 0.5), "memory_kib": used.memory}
    found["kib_per_socket"] = (used.memory - memory) / sockets
    found["before"] = load.seen()
    say("  A restart …")
    with teacher.marking():
        before, began = teacher.made, time.monotonic()
        server.stop()
        found["stopped_s"] = time.monotonic() - began
        server.start()
        found["started_s"] = time.monotonic() - began
        load.until(lambda seen: seen["live"] == sockets)
        made = teacher.made
        load.until(lambda seen: seen["live"] == sockets and seen["lowest"] >= made)
        found["back_s"] = time.monotonic() - began
    load.until(lambda seen: seen["live"] == sockets and seen["lowest"] == teacher.made)
    return {**found, "marks_meanwhile": teacher.made - before, "after": load.seen()}


def _faults_of_journal(database: "Database", lesson: "Lesson", made: int) -> int:
    """How many of the marks that were heard are not in the journal, or are not at their places."""
    from attendance.models import Mark

    rows = database.ask(
        lambda: list(Mark.objects.filter(session_id=lesson.session_id).order_by("seq").values_list("seq", "student_id"))
    )
    ids = lesson.student_ids
    wanted = [(seq, ids[(seq - 1) % len(ids)]) for seq in range(1, made + 1)]
    return sum(row != right for row, right in zip(rows, wanted, strict=False)) + abs(len(rows) - len(wanted))


def _reached(result: Figures) -> bool:
    before, after = result["before"], result["after"]
    faults = sum(before[name] for name in CUTS + FAULTS) + sum(after[name] for name in FAULTS)
    in_time = result["back_s"] <= BACK_WITHIN and result["memory_kib"] < MEMORY
    return in_time and not faults and not result["journal_faults"]


def as_text(result: Figures) -> str:
    """The table as it is printed."""
    return columns([("", "", "target"), *in_words(result)])


def in_words(result: Figures) -> list[tuple[str, str, str]]:
    """What was found, line by line: what, how much, what was wanted."""
    before, after, sockets = result["before"], result["after"], result["sockets"]
    faults = sum(after[name] for name in FAULTS)
    return [
        ("sockets, all marked and served", f"{before['live']:,}", f"{sockets:,}"),
        ("workers", str(result["workers"]), ""),
        ("all connected after", f"{result['opening_s']:.1f} s", ""),
        ("server CPU an opening, with its SYNC", f"{result['opening_cpu_us']:.0f} µs", ""),
        (f"a mark until the last socket has it, median of {result['marks']}", f"{result['p50_ms']:.0f} ms", ""),
        ("closed before the restart", str(sum(before[name] for name in CUTS)), "0"),
        ("memory of all processes", f"{result['memory_kib'] / 1024 / 1024:.2f} GiB", "< 1.2 GiB"),
        ("memory a socket", f"{result['kib_per_socket']:.1f} KiB", ""),
        ("restart: the server is away for", f"{result['started_s']:.1f} s", ""),
        ("restart: all are back and caught up, from the signal on, after", f"{result['back_s']:.1f} s", "≤ 30 s"),
        ("restart: marks meanwhile", str(result["marks_meanwhile"]), ""),
        ("marks lost, doubled or unreadable at any socket", str(faults), "0"),
        ("marks lost, doubled or elsewhere in the journal", str(result["journal_faults"]), "0"),
    ]
