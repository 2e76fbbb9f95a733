"""Marks reach everybody connected, through a real server process."""

from tests.support.clients import Api, Socket
from tests.support.server import Server


async def test_a_mark_reaches_the_teacher_and_every_student(server: Server, api: Api) -> None:
    room = api.make_room(students=2)
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as first,
        Socket(server.ws_url, room.students[1].token) as second,
    ):
        await teacher.mark(room.students[0].id, "present")
        expected = {"event": "ATTENDANCE_MARKED", "data": {"studentId": room.students[0].id, "status": "present"}}
        for socket in (teacher, first, second):
            assert await socket.frame() == expected
