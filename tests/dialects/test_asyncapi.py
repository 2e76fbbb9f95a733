"""docs/asyncapi.yaml says what the server sends: every message is seen, and each that is seen is as it says."""

from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from attendance.live.events import EVENTS
from dialects.events.dialect import Events
from dialects.rooms.dialect import Rooms
from tests.dialects.rooms.contract import close, open_room
from tests.realtime.conftest import People
from tests.support.clients import Room, Socket
from tests.support.processes import ROOT
from tests.support.server import Server
from tests.support.socketio import events_socket

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def names(operation: str) -> dict[str, str]:
    """An operation's messages: the key in `components` by the event's name."""
    keys = []
    for reference in DOCUMENT["operations"][operation]["messages"]:
        _, channels, channel, messages, message = reference["$ref"].split("/")
        target = DOCUMENT[channels][channel][messages][message]["$ref"]
        keys.append(target.rpartition("/")[2])
    return {MESSAGES[key]["name"]: key for key in keys}


def check(key: str, payload: Any) -> None:
    """Raises ValidationError where `payload` is not what the document says of the message `key`."""
    schema = {**DOCUMENT, "$ref": f"#/components/messages/{key}/payload"}
    Draft202012Validator(schema).validate(payload)


def check_all(operation: str, heard: Iterable[tuple[str, Any]]) -> None:
    """All of it is as the document says, and nothing that it says is missing."""
    known, seen = names(operation), set()
    for event, payload in heard:
        check(known[event], payload)
        seen.add(event)
    assert seen == known.keys()


def test_every_reference_leads_somewhere_and_every_message_is_used() -> None:
    used = {key for operation in DOCUMENT["operations"] for key in names(operation).values()}
    assert used == MESSAGES.keys()
    for schema in (*DOCUMENT["components"]["schemas"].values(), *(message["payload"] for message in MESSAGES.values())):
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("operation", "events"),
    [("wsReceive", EVENTS), ("eventsReceive", Events.events), ("roomsReceive", Rooms.events)],
)
def test_the_document_has_every_event_of_the_tables(operation: str, events: dict[str, Any]) -> None:
    assert names(operation).keys() == events.keys()


@pytest.mark.parametrize(
    ("key", "payload"),
    [
        ("EventsMarked", {"studentId": "f" * 24}),
        ("EventsMarked", {"studentId": "f" * 24, "status": "late"}),
        ("EventsMarked", {"studentId": "f" * 24, "status": "present", "more": 1}),
        ("RoomsStatistics", {"session_id": "x", "statistics": {"total": -1}}),
        ("WsMarked", {"event": "DONE", "data": {"studentId": "f" * 24, "status": "present"}}),
    ],
)
def test_what_is_not_as_it_says_is_found(key: str, payload: Any) -> None:
    with pytest.raises(ValidationError):
        check(key, payload)


async def test_ws_sends_what_the_document_says(server: Server, room: Room) -> None:
    student = room.students[0]
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, student.token) as other:
        await teacher.send("SYNC")
        await other.send("MY_ATTENDANCE")
        await other.send("DONE")
        frames = [await teacher.frame(), *await other.frames(2)]
        await teacher.mark(student.id)
        for event in ("SYNC", "TODAY_SUMMARY", "DONE"):
            await teacher.send(event)
        frames += [*await teacher.frames(4), *await other.frames(3)]
    check_all("wsSend", [(frame["event"], frame) for frame in frames])


async def test_the_events_dialect_sends_what_the_document_says(server: Server, room: Room) -> None:
    student = room.students[0]
    async with (
        events_socket(server.url, room.teacher.token) as teacher,
        events_socket(server.url, student.token) as other,
    ):
        await other.call("CHECK_MY_STATUS")
        await teacher.call("MARK_ATTENDANCE", {"studentId": student.id})
        await other.call("CHECK_MY_STATUS")
        await other.call("DONE")
        await teacher.call("GET_TODAY_SUMMARY")
        await teacher.call("DONE")
        heard = [await other.hear() for _ in range(5)] + [await teacher.hear() for _ in range(3)]
    check_all("eventsSend", heard)


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
    heard = []
    for socket, last in ((teacher, "attendanceError"), (student, "attendanceSessionEnded")):
        while not heard or heard[-1][0] != last:
            heard.append(await socket.hear())
    await close(*sockets)
    check_all("roomsSend", heard)
