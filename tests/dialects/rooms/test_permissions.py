"""Who may send which event of the rooms dialect, as one table."""

import pytest

from dialects.rooms.dialect import Rooms
from tests.dialects.rooms.contract import (
    ERROR,
    NO_STUDENT,
    NO_TEACHER,
    NOT_ACTIVE,
    NOT_ENROLLED,
    NOT_TEACHER,
    NOT_TEACHER_TO_END,
    open_room,
)
from tests.dialects.socketio.people import WHO, is_complete, token_of
from tests.realtime.conftest import People
from tests.support.clients import Room
from tests.support.server import Server
from tests.support.socketio import Refused, rooms_socket

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

BAD_TOKEN = "Invalid token"

#: By event, for each of WHO: the event that the sender hears, or an error's message.
ROWS = {
    "startAttendanceSession": ("attendanceSessionStarted", NOT_TEACHER, NO_TEACHER, NO_TEACHER, BAD_TOKEN),
    "joinAttendanceSession": (NO_STUDENT, NO_STUDENT, "attendanceSessionJoined", NOT_ENROLLED, BAD_TOKEN),
    "markStudentPresent": ("studentMarkedPresent", NOT_TEACHER, NO_TEACHER, NO_TEACHER, BAD_TOKEN),
    "markStudentAbsent": ("studentMarkedAbsent", NOT_TEACHER, NO_TEACHER, NO_TEACHER, BAD_TOKEN),
    "getAttendanceSessionData": ("attendanceSessionData", NOT_TEACHER, NO_TEACHER, NO_TEACHER, BAD_TOKEN),
    "bulkUpdateAttendance": ("attendanceBulkUpdateComplete", NOT_TEACHER, NO_TEACHER, NO_TEACHER, BAD_TOKEN),
    "endAttendanceSession": ("attendanceSessionEndedConfirm", NOT_TEACHER_TO_END, NO_TEACHER, NO_TEACHER, BAD_TOKEN),
    "subscribeStatistics": ("attendanceStatistics", NOT_TEACHER, NOT_ACTIVE, NOT_ENROLLED, BAD_TOKEN),
}
TABLE = {(event, who): answer for event, row in ROWS.items() for who, answer in zip(WHO, row, strict=True)}


def test_the_table_has_every_event_and_every_kind_of_person() -> None:
    assert is_complete(TABLE, Rooms.events)


@pytest.mark.parametrize("event", ROWS)
@pytest.mark.parametrize("who", WHO)
async def test_each_event_answers_each_person_as_the_table_says(
    server: Server, people: People, room: Room, event: str, who: str
) -> None:
    expected = TABLE[event, who]
    token = token_of(who, people, room)
    if expected == BAD_TOKEN:
        with pytest.raises(Refused, match=BAD_TOKEN):
            await rooms_socket(server.url, token).__aenter__()
        return
    student_id = room.students[1].id
    payload = {
        "session_id": room.class_id,
        "student_id": student_id,
        "attendanceUpdates": [{"student_id": student_id, "status": "present"}],
    }
    bystander, *_ = others = await open_room(server, room)
    async with rooms_socket(server.url, token) as socket:
        answer = await socket.call(event, payload)
        if " " in expected:
            assert answer == {"message": expected}
            assert await socket.hear() == (ERROR, answer)
            await bystander.hears_nothing(ERROR, "Invalid message format")
        else:
            assert await socket.hear() == (expected, answer)
    for other in others:
        await other.__aexit__()
    marked = "Marked" in expected or "Bulk" in expected
    assert server.database.journal(room.class_id) == (
        [(1, student_id, "absent" if "Absent" in event else "present")] if marked else []
    )
    assert server.database.states(room.class_id)[-1] == ("ended" if "Ended" in expected else "open")
