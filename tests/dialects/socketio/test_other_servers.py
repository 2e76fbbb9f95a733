"""Both Socket.IO dialects under other servers, in short."""

from collections.abc import Callable

import pytest

from tests.support.clients import Api
from tests.support.server import OTHER_SERVERS, TOO_BIG, Server, heard
from tests.support.socketio import events_socket, rooms_socket

pytestmark = [pytest.mark.long, pytest.mark.one_database("What differs is the ASGI server.")]


@pytest.mark.parametrize("name", OTHER_SERVERS)
async def test_both_dialects_are_served_under_other_servers(make_server: Callable[..., Server], name: str) -> None:
    server = make_server(command=OTHER_SERVERS[name])
    api = Api(server.url)
    room = api.make_room(1)
    student = room.students[0]
    session = {"session_id": room.class_id}
    async with (
        rooms_socket(server.url, room.teacher.token) as teacher,
        events_socket(server.url, student.token) as listener,
    ):
        await teacher.call("startAttendanceSession", session)
        await teacher.call("markStudentPresent", {**session, "student_id": student.id})
        assert await listener.hear("ATTENDANCE_MARKED") == {"studentId": student.id, "status": "present"}
        await teacher.raw("4" * 65_537)
        await teacher.last_words()
        assert teacher.connection.close_code == heard(TOO_BIG, name)
    polled = api.http.get("/socket.io/?EIO=4&transport=polling")
    assert polled.text.startswith('0{"sid":')
    api.close()
