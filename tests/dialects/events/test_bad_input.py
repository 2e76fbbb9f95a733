"""A bad event is answered with an ERROR to its sender alone, changes nothing, and leaves the socket open."""

from typing import Any

import pytest

from tests.realtime.conftest import People
from tests.realtime.contract import INVALID, NOT_ENROLLED, UNKNOWN
from tests.support.clients import Room
from tests.support.server import Server
from tests.support.socketio import events_socket

ID = "a" * 24

BAD: dict[str, tuple[str, list[Any], str]] = {
    "no payload": ("MARK_ATTENDANCE", [], INVALID),
    "null": ("MARK_ATTENDANCE", [None], INVALID),
    "an empty one": ("MARK_ATTENDANCE", [{}], INVALID),
    "a string": ("MARK_ATTENDANCE", ["present"], INVALID),
    "a number": ("MARK_ATTENDANCE", [7], INVALID),
    "a list": ("MARK_ATTENDANCE", [[{"studentId": ID}]], INVALID),
    "an id that is a number": ("MARK_ATTENDANCE", [{"studentId": 5}], INVALID),
    "an id that is null": ("MARK_ATTENDANCE", [{"studentId": None}], INVALID),
    "an id of another field": ("MARK_ATTENDANCE", [{"student_id": ID}], INVALID),
    "several payloads": ("MARK_ATTENDANCE", [{"studentId": ID}, {"studentId": ID}], INVALID),
    "a malformed id": ("MARK_ATTENDANCE", [{"studentId": "x"}], NOT_ENROLLED),
    "an unknown id": ("MARK_ATTENDANCE", [{"studentId": ID}], NOT_ENROLLED),
    "a huge id": ("MARK_ATTENDANCE", [{"studentId": "a" * 60_000}], NOT_ENROLLED),
    "a summary of something": ("GET_TODAY_SUMMARY", ["x"], INVALID),
    "a list of nothing": ("DONE", [[]], INVALID),
    "an unknown event": ("MARK", [], UNKNOWN),
    "a name of /ws": ("ATTENDANCE_MARKED", [{"studentId": ID, "status": "present"}], UNKNOWN),
    "no name": ("", [], UNKNOWN),
    "connect": ("connect", [], UNKNOWN),
    "disconnect": ("disconnect", [], UNKNOWN),
    "a star": ("*", [], UNKNOWN),
    "connect with a payload": ("connect", [{"token": "x"}], UNKNOWN),
    "the server's own event": ("client event", [{}], UNKNOWN),
}


@pytest.mark.parametrize("kind", BAD)
async def test_bad_input_is_answered_with_an_error_and_changes_nothing(server: Server, room: Room, kind: str) -> None:
    event, payload, message = BAD[kind]
    async with events_socket(server.url, room.teacher.token) as socket:
        await socket.send(event, *payload)
        assert await socket.hear() == ("ERROR", {"message": message})
        assert await socket.call(event, *payload) == {"message": message}
        assert await socket.hear() == ("ERROR", {"message": message})
        assert await socket.call("GET_TODAY_SUMMARY") == {"presentCount": 0, "presentStudentIds": []}
    assert server.database.journal(room.class_id) == []
    assert server.database.states(room.class_id)[-1] == "open"


async def test_a_student_of_another_class_cannot_be_marked(server: Server, people: People, room: Room) -> None:
    async with events_socket(server.url, room.teacher.token) as socket:
        for student in (people.outsider, people.students[2], room.teacher):
            assert await socket.call("MARK_ATTENDANCE", {"studentId": student.id}) == {"message": NOT_ENROLLED}
        assert await socket.call("MARK_ATTENDANCE", {"studentId": room.students[0].id.upper()}) == {
            "studentId": room.students[0].id,
            "status": "present",
        }
