"""Live statistics come at once and then at most once a second, to subscribers only; the last ones are true."""

import asyncio
import time
from typing import Any

import pytest

from tests.dialects.rooms.contract import close, open_room
from tests.realtime.conftest import People
from tests.support.clients import Room, Socket, make_class
from tests.support.server import Server
from tests.support.socketio import SocketIo, rooms_socket

SUBSCRIBE = "subscribeStatistics"


@pytest.fixture
def aside(people: People) -> Room:
    return make_class(people.teacher, people.students[:2])


def counts(present: int, absent: int) -> dict[str, Any]:
    unmarked = 2 - present - absent
    return {"total": 2, "present": present, "absent": absent, "unmarked": unmarked, "attendanceRate": present / 2}


async def statistics(socket: SocketIo) -> Any:
    """The data of the next statistics; other frames are passed over."""
    while True:
        event, payload = await socket.hear()
        if event == "attendanceStatistics":
            return payload["statistics"]


async def times_told(socket: SocketIo, last: Any) -> int:
    """The number of statistics that come until they say `last`: slow marks are told in between."""
    told = 1
    while await statistics(socket) != last:
        told += 1
    return told


async def test_the_first_statistics_come_at_once_and_the_next_a_second_later(server: Server, aside: Room) -> None:
    first, second = aside.students
    teacher, student, other = sockets = await open_room(server, aside)
    began = time.monotonic()
    for socket in (teacher, student):
        answer = await socket.call(SUBSCRIBE, {"session_id": aside.class_id})
        assert answer == {"session_id": aside.class_id, "statistics": counts(0, 0)}
        assert await socket.hear("attendanceStatistics") == answer
    async with Socket(server.ws_url, aside.teacher.token) as ws:
        for _ in range(20):
            await ws.mark(first.id)
            await ws.mark(second.id, "absent")
        for socket in (teacher, student):
            told = await times_told(socket, counts(1, 1))
            assert time.monotonic() - began > told - 0.5  # the server's clock may be a little behind the test's
        await ws.mark(second.id)
        told = await times_told(teacher, counts(2, 0))
        assert time.monotonic() - began > told + 0.5
    while (await other.hear())[0] != "attendanceUpdated":
        pass
    await other.send("a probe")
    heard = await other.hear()
    while heard[0] == "attendanceUpdated":
        heard = await other.hear()
    assert heard[0] == "attendanceError"  # a socket that did not ask is told none
    await close(*sockets)


async def test_asking_again_does_not_make_statistics_come_more_often(server: Server, aside: Room) -> None:
    async with rooms_socket(server.url, aside.teacher.token) as teacher:
        began = time.monotonic()
        for _ in range(5):
            await teacher.call(SUBSCRIBE, {"session_id": aside.class_id})
        await teacher.hear("attendanceStatistics")
        await statistics(teacher)
        assert time.monotonic() - began > 0.5


async def test_no_statistics_are_told_after_the_end(server: Server, aside: Room) -> None:
    async with rooms_socket(server.url, aside.teacher.token) as teacher:
        await teacher.call(SUBSCRIBE, {"session_id": aside.class_id})
        await teacher.hear("attendanceStatistics")
        student_id = aside.students[0].id
        await teacher.call("markStudentPresent", {"session_id": aside.class_id, "student_id": student_id})
        await teacher.call("endAttendanceSession", {"session_id": aside.class_id})
        while (await teacher.hear())[0] != "attendanceSessionEndedConfirm":
            pass
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(teacher.hear(), 1.5)
