"""The contract in short under the other ways to run the application: daphne, granian, runserver, uvicorn as it comes.

`make test-servers` runs all of this folder, and Socket.IO's tests, under each.
"""

from collections.abc import Callable

import pytest

from tests.realtime.conftest import make_people
from tests.realtime.contract import INVALID, UNAUTHORIZED, done, error, marked, mine, summary
from tests.support.clients import Socket, make_class
from tests.support.server import OTHER_SERVERS, TOO_BIG, Server

pytestmark = pytest.mark.one_database("What differs is the ASGI server.")


@pytest.mark.parametrize("name", OTHER_SERVERS)
async def test_the_contract_holds_under_the_server(make_server: Callable[..., Server], name: str) -> None:
    server = make_server(command=OTHER_SERVERS[name])
    people = make_people(server)
    room = make_class(people.teacher, people.students[:2])
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(f"{server.ws_url}/", first.token) as student,
        Socket(server.ws_url, None, subprotocols=["attendance.v1", second.token]) as synced,
        Socket(server.ws_url, None, additional_headers={"Authorization": people.outsider.token}) as outsider,
    ):
        assert synced.connection.subprotocol == "attendance.v1"
        await synced.send("SYNC")
        assert (await synced.frame())["data"]["marks"] == []
        for _ in range(50):
            await teacher.mark(first.id)
            await teacher.mark(second.id, "absent")
        await teacher.send("TODAY_SUMMARY")
        told = [marked(first.id), marked(second.id, "absent")] * 50 + [summary(1, 1)]
        for socket in (teacher, student, outsider):
            assert await socket.frames(101) == told
        assert [frame["seq"] for frame in await synced.frames(101)] == [*range(1, 101), 100]
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("present")
        for frame in ("{", b'{"event": "DONE"}', '{"event": "TODAY_SUMMARY", "data": 5}', "x" * 64 * 1024):
            await teacher.send_raw(frame)
            assert await teacher.frame() == error(INVALID)
        await teacher.send("DONE")
        for socket in (teacher, student, outsider):
            assert await socket.frame() == done(1, 1)
        assert await synced.frame() == done(1, 1, seq=100)
    assert len(server.database.records(room.class_id)) == 2

    async with Socket(server.ws_url, "hello") as stranger:
        assert await stranger.rest() == [error(UNAUTHORIZED)]
        assert await stranger.close_code() == 4401
    for frame in ("x" * (64 * 1024 + 1), "é" * (32 * 1024 + 1), b"x" * (64 * 1024 + 1)):
        async with Socket(server.ws_url, room.teacher.token) as teacher:
            await teacher.send_raw(frame)
            assert await teacher.close_code() == TOO_BIG[name]
