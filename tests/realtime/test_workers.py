"""`serve --workers 2`: two processes on one port, with Redis between them and a supervisor above."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.programs.outage import Outage
from tests.realtime.contract import NO_SESSION, done, error, marked
from tests.support.clients import Api, Room, Socket
from tests.support.database import Databases, manage
from tests.support.processes import START_LIMIT
from tests.support.redis import RedisServer
from tests.support.server import Server, only_serve
from tests.support.workers import PROC, freed, replaced, socket_at_each_worker, worker_of, worker_pids

pytestmark = [pytest.mark.skipif(not PROC.exists(), reason="looks into Linux's /proc"), only_serve, pytest.mark.long]


@pytest.fixture(scope="module")
def server(databases: Databases, redis: RedisServer) -> Iterator[Server]:
    running = Server(databases.fresh(), REDIS_URL=redis.url, WORKERS="2", LIMITS="False").start()
    yield running
    running.close()
    if (
        connection.vendor != "mongodb"
    ):  # there a killed worker's transaction holds up the others' for a while, in the log
        running.assert_clean()


@pytest.fixture
def room(server: Server) -> Iterator[Room]:
    api = Api(server.url)
    yield api.make_room(6)
    api.close()


async def test_a_mark_at_one_worker_reaches_the_sockets_of_the_other_in_order(server: Server, room: Room) -> None:
    first, second = room.students[:2]
    async with contextlib.AsyncExitStack() as stack:
        teachers = await socket_at_each_worker(stack, server, room.teacher)
        students = await socket_at_each_worker(stack, server, first)
        assert len(teachers) == len(students) == 2
        for student in students.values():
            await student.send("SYNC")
            assert (await student.frame())["data"]["seq"] == 0
        expected = []
        for teacher in teachers.values():
            for status in ("present", "absent", "present"):
                await teacher.mark(second.id, status)
                expected.append((second.id, status))
            # Then the other worker's turn.
            assert await teacher.frames(len(expected)) == [marked(*entry) for entry in expected[-len(expected) :]]
        for student in students.values():
            assert await student.frames(6) == [marked(*entry, seq=at) for at, entry in enumerate(expected, 1)]
        one, other = teachers.values()
        await one.frames(3)
        await asyncio.gather(one.send("DONE"), other.send("DONE"))
        answers = []
        for teacher in (one, other):
            answers.append(await teacher.frame())
            await teacher.send("A PROBE")
            while (frame := await teacher.frame()) != error("Unknown event"):
                answers.append(frame)
        assert sorted(answers, key=str) == [done(1, 5), done(1, 5), error(NO_SESSION)]
        for student in students.values():
            assert await student.frame() == done(1, 5, seq=6)
            await student.hears_nothing()


async def test_a_worker_that_is_killed_while_marking_is_replaced_and_nothing_heard_is_lost(
    server: Server, room: Room
) -> None:
    outage = Outage(room, server.database, [server.ws_url, server.ws_url])

    async def kill_one_worker_after_the_other() -> None:
        for pid in worker_pids(server):
            await outage.marks(20)
            os.kill(pid, signal.SIGKILL)
            await replaced(server, pid, 2)
        await outage.marks(20)

    await outage.during(kill_one_worker_after_the_other())
    assert outage.faults == []
    assert sum(listener.cuts for listener in outage.listeners) > 0
    async with contextlib.AsyncExitStack() as stack:
        assert len(await socket_at_each_worker(stack, server, room.teacher)) == 2


async def test_a_new_worker_takes_each_ones_place_at_sighup(server: Server, room: Room) -> None:
    assert server.process is not None
    before = worker_pids(server)
    async with Socket(server.ws_url, room.teacher.token) as socket:
        assert worker_of(server, socket) in before
        os.kill(server.process.pid, signal.SIGHUP)
        # Its worker is told to stop once another one serves.
        await asyncio.wait_for(socket.connection.wait_closed(), START_LIMIT)
        assert await socket.close_code() == 1012
    for pid in before:
        await replaced(server, pid, 2)
    async with contextlib.AsyncExitStack() as stack:
        await socket_at_each_worker(stack, server, room.teacher)


async def test_sigterm_to_the_supervisor_closes_every_workers_sockets(databases: Databases, redis: RedisServer) -> None:
    server = Server(databases.fresh(), REDIS_URL=redis.url, WORKERS="2", LIMITS="False").start()
    assert server.process is not None
    try:
        api = Api(server.url)
        teacher = api.signup("teacher")
        api.close()
        async with contextlib.AsyncExitStack() as stack:
            sockets = await socket_at_each_worker(stack, server, teacher)
            os.kill(server.process.pid, signal.SIGTERM)
            assert [await socket.close_code() for socket in sockets.values()] == [1012, 1012]
        assert await asyncio.to_thread(server.process.wait, 30) == 0
        await freed(server.port)
    finally:
        server.close()
    server.assert_clean()


async def test_workers_do_not_outlive_their_supervisor(databases: Databases, redis: RedisServer) -> None:
    server = Server(databases.fresh(), REDIS_URL=redis.url, WORKERS="2", LIMITS="False").start()
    assert server.process is not None
    workers = worker_pids(server)
    try:
        os.kill(server.process.pid, signal.SIGKILL)
        await asyncio.to_thread(server.process.wait, 30)
        await freed(server.port)
    finally:
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    server.assert_clean()


def refusal(databases: Databases, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return manage("serve", "--port", "0", *arguments, database=databases.fresh(), **environment)


def test_several_workers_without_redis_are_refused(databases: Databases) -> None:
    for refused in (refusal(databases, "--workers", "2"), refusal(databases, WORKERS="2")):
        assert refused.returncode == 1
        assert "2 workers need Redis to tell each other of marks, and REDIS_URL is not set." in refused.stderr
        assert "HINT: Set REDIS_URL (redis://127.0.0.1:6379), or run one worker (WORKERS=1)." in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("REDIS_URL", "localhost:6379", "REDIS_URL must be redis://host:port/number, rediss://… or unix:///path."),
        ("REDIS_URL", "redis://localhost:many/0", "REDIS_URL must be redis://host:port/number"),
        ("WORKERS", "0", "WORKERS"),
    ],
)
def test_a_setting_that_cannot_be_is_named(databases: Databases, name: str, value: str, words: str) -> None:
    refused = refusal(databases, **{name: value})
    assert refused.returncode != 0
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr
