"""The contract in short under the other ways to run the application: daphne, runserver, uvicorn as it comes."""

import sys
from collections.abc import Callable

import pytest

from tests.realtime.conftest import make_people
from tests.realtime.contract import INVALID, UNAUTHORIZED, done, error, marked, mine, summary
from tests.support.clients import Socket, make_class
from tests.support.server import Server

COMMANDS = {
    "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "{free_port}", "attendance_project.asgi:application"],
    "uvicorn": [
        *("-m", "uvicorn", "--port", "{free_port}", "--no-access-log", "--ws", "websockets-sansio"),
        "attendance_project.asgi:application",
    ],
    "runserver": ["manage.py", "runserver", "--noreload", "127.0.0.1:{free_port}"],
}
#: The code with which a message over the limit closes its socket. daphne, which runserver is as well, cannot say 1009:
#: it takes private codes only.
TOO_BIG = {"daphne": 4009, "uvicorn": 1009, "runserver": 4009}


@pytest.mark.parametrize("name", COMMANDS)
async def test_the_contract_holds_under(make_server: Callable[..., Server], name: str) -> None:
    server = make_server(command=[sys.executable, *COMMANDS[name]])
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
