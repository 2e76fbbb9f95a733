"""docs/asyncapi.yaml says what this dialect sends."""

from typing import Any

import pytest

from dialects.rooms.dialect import Rooms
from tests.dialects.rooms.contract import close, open_room
from tests.realtime.conftest import People
from tests.support.asyncapi import check_all, names
from tests.support.clients import Room
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The dialect words its messages, from rows that every database gives alike.")


def test_the_document_has_every_event_of_the_table() -> None:
    assert names("roomsReceive").keys() == Rooms.events.keys()


async def test_the_rooms_dialect_sends_what_the_document_says(server: Server, people: People, room: Room) -> None:
    first, second = room.students
    teacher, student, _ = sockets = await open_room(server, room)
    session = {"session_id": room.class_id}
    entries = [{"student_id": first.id, "status": "absent"}]
    await teacher.call("startAttendanceSession", session)
    await student.call("joinAttendanceSession", session)
    await teacher.call("subscribeStatistics", session)
    await teacher.call("markStudentPresent", {**session, "student_id": first.id})
    await teacher.call("markStudentAbsent", {**session, "student_id": second.id})
    await teacher.call("bulkUpdateAttendance", {**session, "attendanceUpdates": entries})
    await teacher.call("getAttendanceSessionData", session)
    await teacher.call("endAttendanceSession", session)
    await teacher.call("getAttendanceSessionData", session)
    await teacher.call("endAttendanceSession", session)
    heard: list[Any] = []
    for socket, last in ((teacher, "attendanceError"), (student, "attendanceSessionEnded")):
        while not heard or heard[-1][0] != last:
            heard.append(await socket.hear())
    await close(*sockets)
    check_all("roomsSend", heard)
