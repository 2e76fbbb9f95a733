"""A database server that goes away in the middle of a session, and comes back."""

import asyncio
import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.programs.crash import run
from tests.realtime.contract import error, marked
from tests.support.clients import FRAME_LIMIT, Api, Socket
from tests.support.database import Database, Unblock
from tests.support.environment import TEST_DATABASE_URL
from tests.support.killable import DatabaseServer, killable_database
from tests.support.server import Server

pytestmark = [
    pytest.mark.skipif(not TEST_DATABASE_URL, reason="SQLite is no server that could go away"),
    pytest.mark.long,
]


@pytest.fixture
def killable(tmp_path: Path, unblock: Unblock) -> Iterator[tuple[DatabaseServer, Database]]:
    with killable_database(tmp_path, unblock) as made:
        yield made


async def test_marks_are_refused_while_the_database_is_gone_and_taken_when_it_is_back(
    killable: tuple[DatabaseServer, Database],
) -> None:
    database_server, database = killable
    server = Server(database).start()
    api = Api(server.url)
    try:
        room = api.make_room(students=2)
        first, second = (student.id for student in room.students)
        async with (
            Socket(server.ws_url, room.teacher.token) as teacher,
            Socket(server.ws_url, room.students[0].token) as student,
        ):
            await teacher.mark(first)
            assert await teacher.frame() == await student.frame() == marked(first, "present")

            database_server.kill()
            answer = await asyncio.to_thread(room.teacher.get, "/auth/me")
            assert (answer.status_code, answer.json()) == (503, {"success": False, "error": "Database unavailable"})
            await teacher.mark(second)
            assert await teacher.frame() == error("Internal server error")
            await student.silence()

            await asyncio.to_thread(database_server.restart)
            async with asyncio.timeout(FRAME_LIMIT):
                while (await asyncio.to_thread(room.teacher.get, "/auth/me")).status_code != 200:
                    pass
                frame = error("Internal server error")
                while frame == error("Internal server error"):
                    await teacher.mark(second, "absent")
                    frame = await teacher.frame()
            assert frame == await student.frame() == marked(second, "absent")
            assert database.journal(room.class_id) == [(1, first, "present"), (2, second, "absent")]
    finally:
        api.close()
        server.close()


async def test_three_kills_of_the_database_under_load_lose_and_double_nothing(
    killable: tuple[DatabaseServer, Database],
) -> None:
    database_server, database = killable
    seed = random.randrange(10**6)
    report = await run(3, seed=seed, database=database, victim=database_server)
    assert report.faults == [], f"seed {seed}"
    assert (report.kills, report.lost, report.doubled) == (3, 0, 0)
    assert report.heard > 0


@pytest.mark.skipif(not TEST_DATABASE_URL.startswith("postgres"), reason="how long PyMongo waits is its own affair")
@pytest.mark.django_db
def test_the_kernel_gives_a_silent_link_up_within_ten_seconds() -> None:
    connection.ensure_connection()
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as link:

        def option(name: int) -> int:
            return link.getsockopt(socket.IPPROTO_TCP, name)

        assert link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        asked = option(socket.TCP_KEEPIDLE) + option(socket.TCP_KEEPINTVL) * option(socket.TCP_KEEPCNT)
        assert asked <= 10  # seconds
        assert 0 < option(socket.TCP_USER_TIMEOUT) <= 10_000  # milliseconds
