"""Rooms span two server processes, with hints between them and without."""

import pytest

from attendance.enums import Method, Status
from attendance.live.group_commit import Committed
from attendance.marking import Wanted
from dialects.rooms.shapes import RoomForm
from tests.services.conftest import Connection, Rig, gateway_threads, rig
from tests.services.test_hints import begin, end
from tests.support.clients import Api
from tests.support.database import Databases
from tests.support.server import Server
from tests.support.socketio import rooms_socket

__all__ = ["gateway_threads", "rig"]


@pytest.mark.long
async def test_a_room_spans_two_servers(databases: Databases) -> None:
    here = Server(databases.fresh()).start()
    there = Server(here.database).start()
    try:
        api = Api(here.url)
        room = api.make_room(2, start=False)
        first, second = room.students
        name = {"session_id": "Lecture", "class_id": room.class_id}
        async with (
            rooms_socket(here.url, room.teacher.token) as teacher,
            rooms_socket(there.url, first.token) as student,
        ):
            await teacher.call("startAttendanceSession", name)
            answer = await student.call("joinAttendanceSession", name)
            assert answer["session_id"] == "Lecture"
            await student.hear("attendanceSessionJoined")
            entries = [{"student_id": key.id, "status": "present"} for key in (first, second)]
            await teacher.call("bulkUpdateAttendance", {**name, "attendanceUpdates": entries})
            update = await student.hear("attendanceBulkUpdated")
            assert [entry["student_id"] for entry in update["updatedRecords"]] == [first.id, second.id]
            assert update["updated_by"] == room.teacher.name
            await teacher.call("markStudentAbsent", {**name, "student_id": first.id})
            assert (await student.hear("attendanceUpdated"))["attendanceRecord"]["student_name"] == first.name
            await teacher.call("endAttendanceSession", name)
            assert (await student.hear("attendanceSessionEnded"))["ended_by"] == room.teacher.name
        api.close()
    finally:
        here.close()
        there.close()
    here.assert_clean()
    there.assert_clean()


def follow(connection: Connection, session_id: str, *, is_teacher: bool) -> None:
    connection.process.hub.follow(connection.socket, session_id, RoomForm("Lecture", is_teacher))


def rooms_frames(connection: Connection) -> list[str]:
    return [text for text in connection.outlet.texts if text.startswith("2[")]


async def test_a_teacher_is_told_of_a_student_who_joins_at_another_process(rig: Rig) -> None:
    _room, a, b, teacher, student = await begin(rig)
    (session_id,) = a.sessions
    follow(teacher, session_id, is_teacher=True)
    follow(student, session_id, is_teacher=False)
    b.joined(b.sessions[session_id], student.socket.actor)
    await rig.deliver_all(a, b)
    (text,) = rooms_frames(teacher)
    assert text.startswith('2["studentJoinedAttendance",{"session_id":"Lecture"')
    assert rooms_frames(student) == []
    await end(a, b)


@pytest.mark.parametrize("way", ["hint", "look"])
async def test_a_bulk_update_at_one_process_is_one_message_at_another(rig: Rig, way: str) -> None:
    room, a, b, teacher, student = await begin(rig)
    (session_id,) = a.sessions
    follow(student, session_id, is_teacher=False)
    wanted = [Wanted(person.id, Status.PRESENT) for person in room.students]
    outcome = await a.mark(a.sessions[session_id], wanted, by=teacher.socket.actor, method=Method.BULK)
    assert isinstance(outcome, Committed)
    assert [mark.seq for mark in outcome.marks] == [1, 2]
    if way == "look":
        await rig.settle(a, b)
        rig.layer.held.clear()
        await rig.look(b)
    else:
        await rig.deliver_all(a, b)
    (text,) = rooms_frames(student)
    assert text.startswith('2["attendanceBulkUpdated"')
    assert all(person.id in text for person in room.students)
    await end(a, b)
