"""Marks on several processes while something between them breaks, and looks for what anybody heard wrongly.

`python -m tests.programs.outage` (or `make outage`) does it at length: two processes over one Redis, whose connections
are cut every 5 seconds for a minute, which is killed and started again, and which hangs; then two workers of one
server, of which one after the other is killed. `tests.realtime.test_redis` and `test_workers` do it shortly.

Teachers mark on every process, one mark after the other; students listen there, and come back with SYNC when they are
cut off. What must hold in the end: the journal has no gap and nothing twice, has every mark that a teacher heard of,
and everybody heard all of it, each mark once, in order.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from core import errors
from tests.support.clients import FRAME_LIMIT, Api, Room, Socket
from tests.support.database import Database, Databases, databases_of_a_run
from tests.support.redis import RedisServer
from tests.support.server import Server
from tests.support.workers import replaced, socket_at_each_worker, worker_pids

#: Everybody has heard everything so soon after a mark, seconds; the bound of `make outage`.
CONVERGENCE = 5.0
#: Marks that one socket sends without an answer, at most.
WINDOW = 5

Frame = dict[str, Any]
#: `(student, status)`.
Entry = tuple[str, str]


@dataclass
class Listener:
    """A student who comes back after each cut; `known` is all they heard, seq by seq."""

    url: str
    token: str
    outage: "Outage"
    known: list[Entry] = field(default_factory=list)
    #: How often the connection was lost.
    cuts: int = 0

    async def run(self) -> None:
        while True:
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, EOFError):
                async with Socket(self.url, self.token, close_timeout=1) as socket:
                    await socket.send("SYNC", {"since": len(self.known)})
                    while True:
                        self.hear(json.loads(await socket.connection.recv()))
            self.cuts += 1
            await asyncio.sleep(0)

    def hear(self, frame: Frame) -> None:
        match frame["event"]:
            case "SYNC":
                for mark in frame["data"]["marks"]:
                    self.take(mark["seq"], (mark["studentId"], mark["status"]))
            case "ATTENDANCE_MARKED" if "seq" in frame:
                self.take(frame["seq"], (frame["data"]["studentId"], frame["data"]["status"]))
            case "ATTENDANCE_MARKED":
                pass  # before the answer to SYNC, which has it too
            case _:
                self.outage.faults.append(f"a student heard {frame}")

    def take(self, seq: int, entry: Entry) -> None:
        if seq != len(self.known) + 1:
            self.outage.faults.append(f"a student heard seq {seq} after {len(self.known)}")
        self.known.append(entry)
        self.outage.heard(seq)


@dataclass
class Marker:
    """A teacher's socket that marks students of its own, and goes on after each cut."""

    url: str
    token: str
    students: list[str]
    outage: "Outage"
    #: Marks that were told to their sender, and how long each was waited for, seconds.
    told: list[Entry] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def run(self) -> None:
        marks = itertools.cycle(itertools.product(self.students, ("present", "absent")))
        while self.outage.marking:
            with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError, EOFError):
                async with Socket(self.url, self.token, close_timeout=1) as socket:
                    await self.mark(socket, marks)
            await asyncio.sleep(0)

    async def mark(self, socket: Socket, marks: Iterator[Entry]) -> None:
        waiting: list[tuple[Entry, float]] = []
        while self.outage.marking or waiting:
            while self.outage.marking and len(waiting) < WINDOW:
                waiting.append((next(marks), time.monotonic()))
                await socket.mark(*waiting[-1][0])
            frame = json.loads(await socket.connection.recv())
            if frame["event"] == "ERROR":
                if self.outage.may_refuse(frame):
                    return
                self.outage.faults.append(f"a teacher heard {frame}")
                return
            entry = (frame["data"]["studentId"], frame["data"]["status"])
            if entry[0] in self.students and waiting and waiting[0][0] == entry:
                self.told.append(entry)
                self.waits.append(time.monotonic() - waiting.pop(0)[1])


class Outage:
    """One session, marked and heard on every one of `urls`, where several may be one address with many workers."""

    def __init__(self, room: Room, database: Database, urls: list[str]) -> None:
        self.room = room
        self.database = database
        self.faults: list[str] = []
        self.marking = True
        self.first_heard: dict[int, float] = {}
        #: The longest between a mark's first hearing by a student and another's, seconds.
        self.spread = 0.0
        students = room.students
        self.listeners = [Listener(urls[at % len(urls)], students[at % len(students)].token, self) for at in range(8)]
        shares = [[student.id for student in students[at :: len(urls)]] for at in range(len(urls))]
        self.markers = [Marker(url, room.teacher.token, share, self) for url, share in zip(urls, shares, strict=True)]

    def may_refuse(self, frame: Frame) -> bool:
        """Whether a mark may be answered so.

        A worker that is killed in a commit leaves a transaction open at MongoDB. Until MongoDB ends that transaction,
        marks of its session are refused (docs/operations.md).
        """
        return self.database.url.startswith("mongodb") and frame["data"] == {"message": errors.InternalError.message}

    def heard(self, seq: int) -> None:
        moment = time.monotonic()
        self.spread = max(self.spread, moment - self.first_heard.setdefault(seq, moment))

    async def marks(self, count: int) -> None:
        """Returns when so many more marks were told to their senders, on each socket of a teacher's."""
        goals = [len(marker.told) + count for marker in self.markers]
        async with asyncio.timeout(4 * FRAME_LIMIT):
            while any(len(marker.told) < goal for marker, goal in zip(self.markers, goals, strict=True)):
                await asyncio.sleep(0.01)

    def journal(self) -> list[Entry]:
        session = self.database.sessions(self.room.class_id)[-1]
        found = self.database.journal(self.room.class_id, session.pk)
        if [seq for seq, _, _ in found] != list(range(1, session.last_seq + 1)):
            self.faults.append("the journal has a gap, or something twice")
        return [(student_id, status) for _, student_id, status in found]

    async def during(self, trouble: Awaitable[None]) -> None:
        """Marks while `trouble` happens; then everybody must come to know all of the journal."""
        listening = [asyncio.create_task(listener.run()) for listener in self.listeners]
        marking = [asyncio.create_task(marker.run()) for marker in self.markers]
        try:
            await trouble
            self.marking = False
            async with asyncio.timeout(4 * FRAME_LIMIT):
                await asyncio.gather(*marking)
            journal = await asyncio.to_thread(self.journal)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FRAME_LIMIT):
                    while any(len(listener.known) < len(journal) for listener in self.listeners) and not self.faults:
                        await asyncio.sleep(0.01)
        finally:
            for task in (*listening, *marking):
                task.cancel()
            results = await asyncio.gather(*listening, *marking, return_exceptions=True)
        self.faults += [repr(result) for result in results if isinstance(result, Exception)]
        for listener in self.listeners:
            if listener.known != journal:
                self.faults.append(f"a student heard {len(listener.known)} marks, the journal has {len(journal)}")
        for marker in self.markers:
            rest = iter(journal)
            if not all(entry in rest for entry in marker.told):
                self.faults.append("the journal lacks what a teacher heard, or has it in another order")

    def __str__(self) -> str:
        waits = statistics.quantiles([wait for marker in self.markers for wait in marker.waits], n=100)
        return (
            f"{len(self.first_heard)} marks, heard by {len(self.listeners)} students; "
            f"from the first who heard one to the last at most {self.spread:.2f} s; "
            f"from sending to hearing at the sender {waits[49] * 1000:.0f} ms (median), {waits[98] * 1000:.0f} ms (p99)"
        )


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    try:
        yield await asyncio.to_thread(server.start)
    finally:
        server.close()


@contextlib.asynccontextmanager
async def two_servers(database: Database, redis: RedisServer) -> AsyncIterator[list[Server]]:
    """Two servers of one process each: what two workers are, but each can be spoken to."""
    first, second = (Server(database, REDIS_URL=redis.url, LIMITS="False") for _ in range(2))
    async with serving(first), serving(second):
        yield [first, second]


async def cut_again_and_again(redis: RedisServer, *, seconds: float, every: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(every)
        await asyncio.to_thread(redis.cut_connections)


async def kill_and_restart(redis: RedisServer, *, times: int, away: float) -> None:
    for _ in range(times):
        await asyncio.sleep(2)
        await asyncio.to_thread(redis.kill)
        await asyncio.sleep(away)
        await asyncio.to_thread(redis.restart)
    await asyncio.sleep(2)


async def hang(redis: RedisServer, *, seconds: float) -> None:
    await asyncio.sleep(2)
    redis.freeze()
    await asyncio.sleep(seconds)
    redis.thaw()
    await asyncio.sleep(2)


async def kill_workers(server: Server, outage: Outage, *, times: int) -> None:
    for _ in range(times):
        await outage.marks(50)
        pid = random.choice(sorted(worker_pids(server)))
        os.kill(pid, signal.SIGKILL)
        await replaced(server, pid, 2)
        async with contextlib.AsyncExitStack() as stack:
            await socket_at_each_worker(stack, server, outage.room.teacher)
    await outage.marks(50)


class Run:
    """One outage after the other, each with a class of its own."""

    def __init__(self, database: Database, api: Api, urls: list[str]) -> None:
        self.database = database
        self.api = api
        self.urls = urls
        self.good = True

    async def during(self, name: str, trouble: Callable[[Outage], Awaitable[None]], *, cut: bool = False) -> None:
        """`cut`: students lose their connections, so that it takes them longer than the others to hear."""
        outage = Outage(self.api.make_room(6), self.database, self.urls)
        await outage.during(trouble(outage))
        if outage.spread > CONVERGENCE and not cut:
            outage.faults.append(f"somebody heard a mark {outage.spread:.2f} s after the first")
        print(f"{name}: {outage}", flush=True)
        for fault in outage.faults[:10]:  # the others follow from these
            print(f"  {fault}")
        self.good = self.good and not outage.faults


async def run(databases: Databases, seconds: float) -> bool:
    """Whether all went well."""
    with RedisServer() as redis:
        database = databases.fresh()
        async with two_servers(database, redis) as servers:
            api = Api(servers[0].url)
            first = Run(database, api, [server.ws_url for server in servers])
            await first.during("nothing happens for 10 s", lambda _: asyncio.sleep(10))
            await first.during(
                f"Redis' connections are cut every 5 s for {seconds:.0f} s",
                lambda _: cut_again_and_again(redis, seconds=seconds, every=5),
            )
            await first.during(
                "Redis is killed 5 times, away for 3 s each", lambda _: kill_and_restart(redis, times=5, away=3)
            )
            await first.during("Redis hangs for 20 s", lambda _: hang(redis, seconds=20))
            api.close()
        database = databases.fresh()
        async with serving(Server(database, REDIS_URL=redis.url, WORKERS="2", LIMITS="False")) as server:
            api = Api(server.url)
            second = Run(database, api, [server.ws_url] * 2)
            await second.during(
                "one of two workers is killed, 10 times",
                lambda outage: kill_workers(server, outage, times=10),
                cut=True,
            )
            api.close()
    return first.good and second.good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="connections are cut for so long (%(default)s)")
    arguments = parser.parse_args()
    with databases_of_a_run() as databases:
        good = asyncio.run(run(databases, arguments.seconds))
    print("nothing lost, nothing doubled, everything in order" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
