"""Kills a marking server with SIGKILL at random moments and looks for marks that were heard and lost, or doubled.

`python -m tests.programs.crash --kills 200` (or `make crash`). Every kill is one round: three sockets of a teacher
mark, five sockets of students listen (some SYNCed, some plain), the server dies, it comes back, everybody reconnects.
What must hold after each round:

- the journal has no gap and nothing twice, and it is what the teacher sent, in order, up to some point
  (while a database is away, marks are refused one by one: then it is what was sent, in order, without those);
- whatever anybody heard stands in it, with the same seq, student and status, in the order heard;
- the session goes on with the same `startedAt`, and a SYNC brings every client exactly what it missed.

Each fifth round kills during DONE: then the session is open and whole, or ended with a record for everybody.

`--victim database` (with TEST_DATABASE_URL naming a PostgreSQL or a MongoDB) kills the database's server instead,
one of its own. Then our server goes on, every mark on its way is answered, and everybody hears all of the journal over
the sockets that they have.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sys
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.realtime.contract import done, error
from tests.support.clients import FRAME_LIMIT, Api, Room, Socket
from tests.support.database import Database, databases_of_a_run
from tests.support.environment import TEST_DATABASE_URL
from tests.support.killable import crash_database, killable_database
from tests.support.processes import ServerProcess
from tests.support.server import Server

MARKERS = 3
STUDENTS = 6
LISTENERS = 5
#: Marks that one socket sends without an answer, at most.
WINDOW = 20
#: A session lives through this many kills, then a fresh one begins.
KILLS_A_SESSION = 10
#: Each so-manieth kill is during DONE.
DONE_EVERY = 5
#: How long a round marks before the kill, seconds.
DELAY = (0.02, 0.3)

#: What a teacher's MY_ATTENDANCE is answered.
STUDENTS_ONLY = error("Forbidden, student event only")

#: `(student, status)`.
Sent = tuple[str, str]


@dataclass
class Listener:
    """A client that comes back after each crash; `known` is all it heard of the session, seq by seq."""

    token: str
    synced: bool
    known: list[Sent] = field(default_factory=list)
    heard_done: bool = False


@dataclass
class Report:
    """What came of it; `faults` says each thing that went wrong."""

    kills: int = 0
    heard: int = 0
    #: Kills in the midst of DONE after which the session was open, and those after which it was ended.
    open_after_done: int = 0
    ended_after_done: int = 0
    faults: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0

    def __str__(self) -> str:
        return f"{self.kills} kills, {self.heard} marks heard, {self.lost} lost, {self.doubled} doubled"


class Crash:
    """One run: a server of its own, a class, its clients."""

    def __init__(self, server: Server, room: Room, randomness: random.Random, victim: ServerProcess) -> None:
        self.server = server
        #: What is killed: the server itself, or its database's.
        self.victim = victim
        self.room = room
        self.random = randomness
        self.report = Report()
        self.begin_session()

    def begin_session(self) -> None:
        self.started_at = self.room.start()
        #: What each of the teacher's sockets has sent in this session; the rest of a crashed round is cut off.
        self.sent: list[list[Sent]] = [[] for _ in range(MARKERS)]
        self.heard: set[int] = set()
        tokens = [student.token for student in self.room.students]
        self.listeners = [Listener(tokens[at % STUDENTS], synced=at % 2 == 0) for at in range(LISTENERS)]

    def fault(self, what: str, *, lost: int = 0, doubled: int = 0) -> None:
        self.report.faults.append(f"after kill {self.report.kills}: {what}")
        self.report.lost += lost
        self.report.doubled += doubled

    # One round

    async def round(self, *, during_done: bool) -> None:
        """Marks, dies, comes back, is looked at."""
        before = self.journal()
        self.marking, self.asking = True, False
        async with contextlib.AsyncExitStack() as stack:
            teachers = [await self.enter(stack, self.room.teacher.token) for _ in range(MARKERS)]
            sockets = [await self.enter(stack, listener.token) for listener in self.listeners]
            for listener, socket in zip(self.listeners, sockets, strict=True):
                await self.catch_up(listener, socket, before)
            work = [asyncio.create_task(self.mark(at, socket)) for at, socket in enumerate(teachers)]
            work += [
                asyncio.create_task(self.listen(listener, socket))
                for listener, socket in zip(self.listeners, sockets, strict=True)
            ]
            await asyncio.sleep(self.random.uniform(*DELAY))
            if during_done:
                await teachers[0].send("DONE")
                await asyncio.sleep(self.random.uniform(0, 0.08))
            await asyncio.to_thread(self.victim.kill)
            if self.victim is not self.server:
                await asyncio.to_thread(self.victim.restart)
                await self.recover(teachers, work, sockets)
            async with asyncio.timeout(FRAME_LIMIT):
                for failure in await asyncio.gather(*work, return_exceptions=True):
                    if failure is not None:
                        self.fault(repr(failure))
        self.report.kills += 1
        if self.victim is self.server:
            await asyncio.to_thread(self.server.restart)
        self.look(before, during_done=during_done)

    async def recover(self, teachers: list[Socket], work: "list[asyncio.Task[None]]", sockets: list[Socket]) -> None:
        """After the database's death: every mark is answered, and every listener hears all of the journal."""
        api = Api(self.server.url)
        async with asyncio.timeout(4 * FRAME_LIMIT):
            while (await asyncio.to_thread(api.http.get, "/readyz")).status_code != 200:
                pass
            self.marking, self.asking = False, True
            for socket in teachers:
                await socket.send("MY_ATTENDANCE")  # its answer, a refusal, comes after those of the marks before it
            await asyncio.gather(*work[: len(teachers)], return_exceptions=True)
            whole = len(await asyncio.to_thread(self.journal))
            ended = (await asyncio.to_thread(self.session)).state == "ended"
            while any(
                len(listener.known) < whole or listener.heard_done < ended for listener in self.listeners
            ) and not any(task.done() for task in work[len(teachers) :]):
                await asyncio.sleep(0.01)
        api.close()
        for socket in sockets:
            await socket.connection.close()

    async def enter(self, stack: contextlib.AsyncExitStack, token: str) -> Socket:
        return await stack.enter_async_context(Socket(self.server.ws_url, token, close_timeout=1))

    async def catch_up(self, listener: Listener, socket: Socket, journal: list[Sent]) -> None:
        """A SYNCed client asks for what it missed; a plain one knows nothing of it and reads the journal."""
        if not listener.synced:
            listener.known = list(journal)
            return
        await socket.send("SYNC", {"since": len(listener.known)})
        answer = await socket.frame()
        if answer["event"] != "SYNC":
            self.fault(f"SYNC was answered {answer}")
            return
        if answer["data"]["startedAt"] != self.started_at:
            self.fault("SYNC tells of another session")
        for mark in answer["data"]["marks"]:
            self.take(listener, mark["seq"], (mark["studentId"], mark["status"]))
        if listener.known != journal:
            self.fault("what a client heard and what SYNC gave it are not the journal")

    async def mark(self, at: int, socket: Socket) -> None:
        """Socket `at` marks students of its own, so that its marks can be told from the others' in the journal."""
        mine = [student.id for student in self.room.students[at::MARKERS]]
        own: set[str] = set(mine)
        waiting = 0
        with contextlib.suppress(ConnectionClosed, OSError):
            while True:
                while waiting < WINDOW and self.marking:
                    mark = (self.random.choice(mine), self.random.choice(("present", "absent")))
                    self.sent[at].append(mark)
                    waiting += 1
                    await socket.mark(*mark)
                frame = json.loads(await socket.connection.recv())
                if frame == STUDENTS_ONLY:
                    return  # the database was killed, and all that was sent before is answered
                if frame["event"] == "ERROR":
                    if self.victim is self.server:
                        return  # DONE was faster
                    self.marking = False
                    if self.asking:  # maybe that was not for a mark: a look that had begun too early has failed
                        await socket.send("MY_ATTENDANCE")
                if frame["event"] == "ATTENDANCE_MARKED" and frame["data"]["studentId"] in own:
                    waiting -= 1

    async def listen(self, listener: Listener, socket: Socket) -> None:
        with contextlib.suppress(ConnectionClosed, OSError):
            while True:
                frame = json.loads(await socket.connection.recv())
                match frame["event"]:
                    case "ATTENDANCE_MARKED":
                        if listener.synced != ("seq" in frame):
                            self.fault(f"a client that is {listener.synced=} heard {frame}")
                        data = frame["data"]
                        mark = (data["studentId"], data["status"])
                        self.take(listener, frame.get("seq", len(listener.known) + 1), mark)
                    case "DONE":
                        listener.heard_done = True
                    case _:
                        self.fault(f"a client heard {frame}")

    def take(self, listener: Listener, seq: int, mark: Sent) -> None:
        missing = seq - len(listener.known) - 1
        if missing:
            self.fault(
                f"a client heard seq {seq} after {len(listener.known)}", lost=max(missing, 0), doubled=missing < 0
            )
        listener.known.append(mark)
        self.heard.add(seq)

    # What must hold

    def journal(self) -> list[Sent]:
        """The session's marks; their seqs must be 1, 2, 3 … up to the session's own count."""
        session = self.session()
        found = self.server.database.journal(self.room.class_id, session.pk)
        seqs = [seq for seq, _, _ in found]
        if seqs != list(range(1, session.last_seq + 1)):
            self.fault(f"the journal's seqs are {seqs}, the session says {session.last_seq}")
        return [(student_id, status) for _, student_id, status in found]

    def session(self) -> Any:
        """The class's last session."""
        return self.server.database.sessions(self.room.class_id)[-1]

    def look(self, before: list[Sent], *, during_done: bool) -> None:
        """Holds the journal against what was there before, what was sent, and what everybody heard."""
        journal = self.journal()
        if journal[: len(before)] != before:
            self.fault("the journal changed what it had", lost=1)
        for at, sent in enumerate(self.sent):
            own = {student.id for student in self.room.students[at::MARKERS]}
            stored = [mark for mark in journal if mark[0] in own]
            rest = iter(sent)
            in_order = stored == sent[: len(stored)] if self.victim is self.server else all(m in rest for m in stored)
            if not in_order:
                self.fault(f"the journal is not what socket {at} sent, in order", doubled=len(stored) > len(sent))
            sent[:] = stored  # the others died on the way; nobody may ever hear of them
        for listener in self.listeners:
            if listener.known != journal[: len(listener.known)]:
                lost = max(len(listener.known) - len(journal), 1)
                self.fault("a client heard what the journal does not say", lost=lost)
        self.look_at_records(journal, during_done=during_done)

    def look_at_records(self, journal: list[Sent], *, during_done: bool) -> None:
        session = self.session()
        stored = self.server.database.records(self.room.class_id, session.pk)
        heard_done = any(listener.heard_done for listener in self.listeners)
        if session.state == "open":
            if stored or heard_done:
                self.fault(f"an open session has {len(stored)} records, DONE heard: {heard_done}", lost=heard_done)
            if self.room.start() != self.started_at:
                self.fault("the session does not go on")
            self.report.open_after_done += during_done
            return
        if session.state != "ended" or not during_done:
            self.fault(f"the session is {session.state}")
        self.report.ended_after_done += during_done
        statuses = {student.id: "absent" for student in self.room.students} | dict(journal)
        if stored != sorted(statuses.items()):
            self.fault("the records are not what the journal comes to", lost=1)
        present = [*statuses.values()].count("present")
        if (session.present_count, session.absent_count) != (present, len(statuses) - present):
            self.fault("the session's counts are not those of its records")

    async def finish_session(self) -> None:
        """Everybody catches up for the last time and hears DONE; then a fresh session begins."""
        if self.session().state == "open":
            journal = self.journal()
            async with contextlib.AsyncExitStack() as stack:
                teacher = await self.enter(stack, self.room.teacher.token)
                for listener in self.listeners:
                    await self.catch_up(listener, await self.enter(stack, listener.token), journal)
                await teacher.send("DONE")
                statuses = {student.id: "absent" for student in self.room.students} | dict(journal)
                present = [*statuses.values()].count("present")
                if (frame := await teacher.frame()) != done(present, len(statuses) - present):
                    self.fault(f"DONE was answered {frame}")
        self.report.heard += len(self.heard)


async def run(
    kills: int,
    *,
    seed: int,
    database: Database,
    victim: ServerProcess | None = None,
    done_every: int = DONE_EVERY,
    progress: bool = False,
) -> Report:
    """`kills` rounds on a server of their own; without a `victim` it is this server that dies."""
    randomness = random.Random(seed)
    server = Server(database, LIMITS="False")
    await asyncio.to_thread(server.start)
    try:
        api = Api(server.url)
        crash = Crash(server, api.make_room(STUDENTS), randomness, victim or server)
        in_session = 0
        for kill in range(1, kills + 1):
            await crash.round(during_done=kill % done_every == 0)
            in_session += 1
            if crash.session().state != "open" or in_session == KILLS_A_SESSION or kill == kills:
                await crash.finish_session()
                in_session = 0
                if kill < kills:
                    crash.begin_session()
            if progress and (kill % 10 == 0 or crash.report.faults):
                print(f"{kill} of {kills}: {crash.report}", flush=True)
            if crash.report.faults:
                break
        log = server.log_text()
        for trouble in ("Traceback", "database is locked"):
            if trouble in log and victim is None:  # a database that dies may be complained of
                crash.fault(f"the server's log has a {trouble}")
        if crash.report.faults:
            crash.report.faults.append(_end_of_log(server))
        api.close()
        return crash.report
    except Exception as failure:
        failure.add_note(_end_of_log(server))
        raise
    finally:
        server.close()


def _end_of_log(server: Server) -> str:
    return f"The server's log ends:\n{server.log_text()[-10_000:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how often (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="repeats a run's random choices (its moments stay the machine's own)")
    parser.add_argument("--victim", choices=["server", "database"], default="server", help="what is killed")
    arguments = parser.parse_args()
    if arguments.victim == "database" and not TEST_DATABASE_URL:
        parser.error("SQLite is no server that could be killed; name another with TEST_DATABASE_URL")
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"seed {seed}", flush=True)
    with contextlib.ExitStack() as stack:
        databases = stack.enter_context(databases_of_a_run())
        victim: ServerProcess | None = None
        if arguments.victim == "database":
            victim, database = stack.enter_context(killable_database(databases.folder))
        else:
            database = stack.enter_context(crash_database(databases.folder, databases))
        report = asyncio.run(run(arguments.kills, seed=seed, database=database, victim=victim, progress=True))
    for fault in report.faults:
        print(fault)
    print(
        f"DONE was under way at {report.open_after_done + report.ended_after_done} kills: "
        f"{report.open_after_done} left the session open and whole, {report.ended_after_done} ended with all records"
    )
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
