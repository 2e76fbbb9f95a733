"""A client that does not read is closed; nobody else notices, and what it did read is true."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.realtime.contract import marked, summary
from tests.support.clients import FRAME_LIMIT, UNLIMITED, Api, Room, Socket, Stalled
from tests.support.database import Databases
from tests.support.lan import LanServer, needs_network
from tests.support.server import Server, only_serve

pytestmark = pytest.mark.one_database("A reader's slowness is the socket's matter.")

#: Summaries are some 70 bytes each, and cost no commit: a slow database must not make a stalled client's time run out.
#: So many are more than the kernel holds for one that does not read, and the server holds them for anybody …
PORTION = 4_000
#: … and so many portions are more than the server holds as well.
PORTIONS = 6


@pytest.mark.long
@only_serve  # daphne and granian take whatever they are given, and under uvicorn the kernel takes more than this
async def test_who_does_not_read_is_closed_and_the_others_hear_everything(server: Server, room: Room) -> None:
    await stall(server.ws_url, room)


@pytest.mark.long
@only_serve
@needs_network
async def test_who_does_not_read_over_tls_is_so_too(databases: Databases, tmp_path: Path) -> None:
    with LanServer(databases.fresh(), tmp_path, LIMITS="False") as lan, lan.clean_log():
        api = Api(lan.url, lan.trust)
        room = api.make_room(2)
        # The client's own TLS takes 256 KiB from the kernel, though nobody reads them.
        await stall(lan.ws_url, room, 2 * PORTIONS, ssl=lan.trust)
        api.close()
        assert lan.log_text().count("A client that does not read is cut off.") == 1


async def stall(ws_url: str, room: Room, portions: int = PORTIONS, **options: Any) -> None:
    """One of three reads nothing, while all are sent so many portions."""
    first, second = room.students
    async with (
        Socket(ws_url, room.teacher.token, **options) as teacher,
        Socket(ws_url, second.token, **options) as student,
        Stalled(ws_url, first.token, **options) as stalled,
    ):
        for _ in range(portions):
            for _ in range(PORTION):
                await teacher.send("TODAY_SUMMARY")
            for socket in (teacher, student):  # who read, if not always at once
                assert await socket.frames(PORTION) == [summary(0, 0)] * PORTION
        frames = 0
        closed = None
        async with asyncio.timeout(4 * FRAME_LIMIT):
            try:
                while True:
                    assert summary(0, 0) == await stalled.frame()
                    frames += 1
            except ConnectionClosed:
                closed = stalled.connection.close_code
        # It found the close frame, or, having read nothing for too long after that was sent, a connection cut off.
        assert closed in (1013, 1006)
        assert frames < portions * PORTION
        await teacher.mark(second.id)
        assert await student.frame() == marked(second.id)


async def test_a_client_that_catches_up_in_time_has_missed_nothing(server: Server, room: Room) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token, **UNLIMITED) as teacher,
        Stalled(server.ws_url, room.students[0].token) as stalled,
    ):
        for _ in range(PORTION):
            await teacher.send("TODAY_SUMMARY")
        await teacher.frames(PORTION)
        assert await stalled.frames(PORTION) == [summary(0, 0)] * PORTION
