"""A client that does not read is closed; nobody else notices, and what it did read is true."""

import asyncio

from websockets.exceptions import ConnectionClosed

from tests.realtime.contract import marked
from tests.support.clients import FRAME_LIMIT, UNLIMITED, Room, Socket, Stalled
from tests.support.server import Server, only_serve

#: More than the kernel and the server hold for one socket: some 100 bytes each.
MARKS = 16_000


@only_serve  # daphne and granian take whatever they are given, and under uvicorn the kernel takes more than this
async def test_who_does_not_read_is_closed_and_the_others_hear_everything(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, second.token) as student,
        Stalled(server.ws_url, first.token) as stalled,
    ):
        heard = asyncio.create_task(student.frames(MARKS))
        for _ in range(MARKS):
            await teacher.mark(first.id)
        assert await heard == [marked(first.id)] * MARKS
        frames = 0
        closed = None
        async with asyncio.timeout(4 * FRAME_LIMIT):
            try:
                while True:
                    assert marked(first.id) == await stalled.frame()
                    frames += 1
            except ConnectionClosed:
                closed = stalled.connection.close_code
        # It found the close frame, or, having read nothing for too long after that was sent, a connection cut off.
        assert closed in (1013, 1006)
        assert frames < MARKS
        await teacher.mark(second.id)
        assert await student.frame() == marked(second.id)


async def test_a_client_that_catches_up_in_time_has_missed_nothing(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token, **UNLIMITED) as teacher,
        Stalled(server.ws_url, second.token) as stalled,
    ):
        for _ in range(3_000):
            await teacher.mark(first.id)
        await teacher.frames(3_000)
        assert await stalled.frames(3_000) == [marked(first.id)] * 3_000
