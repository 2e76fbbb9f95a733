"""Who connected first hears first: a client may wait at one socket, and only then at the other."""

import asyncio

import pytest

from tests.support.clients import Room, Socket
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The order is the hub's.")

ROUNDS = 50


@pytest.mark.parametrize("teacher_is_first", [True, False])
async def test_of_two_sockets_the_one_that_connected_first_hears_first(
    server: Server, room: Room, teacher_is_first: bool
) -> None:
    people = [room.teacher, room.students[0]]
    heard: list[int] = []

    async def hear(at: int, socket: Socket) -> None:
        assert (await socket.frame())["event"] == "ATTENDANCE_MARKED"
        heard.append(at)

    for number in range(ROUNDS):
        tokens = [person.token for person in (people if teacher_is_first else people[::-1])]
        async with Socket(server.ws_url, tokens[0]) as first, Socket(server.ws_url, tokens[1]) as second:
            if number % 2:
                await first.send("SYNC", {"since": number})  # another form of its own, at its old place
                assert (await first.frame())["event"] == "SYNC"
            heard.clear()
            listening = [asyncio.create_task(hear(at, socket)) for at, socket in enumerate((first, second))]
            await (first if teacher_is_first else second).mark(room.students[0].id)
            await asyncio.gather(*listening)
            assert heard == [0, 1]
