"""A database server that goes away in the middle of a session, and comes back."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.realtime.contract import error, marked
from tests.support.clients import FRAME_LIMIT, Api, Socket
from tests.support.database import Database, manage
from tests.support.environment import TEST_DATABASE_URL
from tests.support.mongodb import MongoServer
from tests.support.postgresql import PostgresServer
from tests.support.server import Server

pytestmark = pytest.mark.skipif(not TEST_DATABASE_URL, reason="SQLite is no server that could go away")


@pytest.fixture
def database_server() -> Iterator[MongoServer | PostgresServer]:
    """A server of the suite's kind that nobody else uses, with a database `school` in it."""
    if TEST_DATABASE_URL.startswith("mongodb"):
        with tempfile.TemporaryDirectory() as folder, MongoServer(Path(folder)) as mongodb:
            yield mongodb
        return
    with PostgresServer() as postgresql:
        with psycopg.connect(postgresql.database_url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE school")
        yield postgresql


async def test_marks_are_refused_while_it_is_gone_and_go_on_when_it_is_back(
    database_server: MongoServer | PostgresServer, tmp_path: Path, django_db_blocker: pytest.FixtureRequest
) -> None:
    database = Database(database_server.database_url("school"), tmp_path / "school", django_db_blocker.unblock)
    made = manage("migrate", "--verbosity", "0", database=database)
    assert made.returncode == 0, made.stderr
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
