"""A server that is told to stop: what is on its way is kept and told, everybody hears why, and it ends in time."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.dialects.attentrack.people import make_school
from tests.realtime.conftest import make_people
from tests.realtime.contract import marked, summary
from tests.support.clients import FRAME_LIMIT, Socket, Stalled, make_class
from tests.support.processes import answers
from tests.support.server import Server, only_serve
from tests.support.socketio import events_socket, rooms_socket

#: Whatever its clients do, a server that is told to stop has ended by then, seconds.
STOPPED_WITHIN = 10.0
#: A slow database takes a fraction of the time that a server that stops has for them.
MARKS = 100

pytestmark = [only_serve, pytest.mark.long]


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
async def test_marks_on_their_way_are_told_in_every_protocol_before_1012(
    make_server: Callable[..., Server], told: signal.Signals
) -> None:
    server = make_server()
    school = make_school(server)
    teachers, student = str(school.teacher.token), str(school.students[0].token)
    student_id = school.ids[2]
    school.open()
    async with (
        Socket(server.ws_url, teachers) as teacher,
        Socket(server.ws_url, student) as listener,
        school.students[0].socket() as attentrack,
        events_socket(server.url, student) as events,
        rooms_socket(server.url, teachers) as rooms,
    ):
        await rooms.call("startAttendanceSession", {"session_id": school.class_id})
        for _ in range(MARKS):
            await teacher.mark(student_id)
        assert await listener.frame() == marked(student_id)  # so: in the midst of it
        assert server.process is not None
        os.kill(server.process.pid, told)
        heard = 1 + len(await listener.rest())
        in_events = [word for word in await events.last_words() if word[0] == "ATTENDANCE_MARKED"]
        in_rooms = [word for word in await rooms.last_words() if word[0] == "attendanceUpdated"]
        in_attentrack = await attentrack.rest()
        await teacher.rest()
        sockets = (teacher, listener, events, rooms, attentrack)
        assert [socket.connection.close_code for socket in sockets] == [1012] * 5
        assert await asyncio.to_thread(server.process.wait, STOPPED_WITHIN) == 0
    school.close()
    kept = server.database.journal(school.class_id)
    assert [seq for seq, _, _ in kept] == list(range(1, len(kept) + 1))
    assert heard == len(in_events) == len(in_rooms) == len(in_attentrack) == len(kept)


async def test_readers_who_are_stuck_hold_up_nobody_and_nobody_new_is_let_in(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(LIMITS="False")  # thousands of summaries are asked for
    people = make_people(server)
    room = make_class(people.teacher, people.students[:2])
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Stalled(server.ws_url, first.token) as stalled,
        Stalled(server.ws_url, second.token),
    ):
        # More than the kernel holds for who does not read, less than the server does; and no commits, which on a slow
        # database would take so long that these readers are let go before the server is told to stop.
        for _ in range(5_000):
            await teacher.send("TODAY_SUMMARY")
        assert await teacher.frames(5_000) == [summary(0, 0)] * 5_000
        assert server.process is not None
        began = time.monotonic()
        os.kill(server.process.pid, signal.SIGTERM)
        assert await teacher.close_code() == 1012
        assert not answers(server.port)
        assert server.process.poll() is None  # it gives them some time
        assert await asyncio.to_thread(server.process.wait, FRAME_LIMIT) == 0
        assert time.monotonic() - began < STOPPED_WITHIN
        assert len(await stalled.rest()) < 5_000
