"""docs/asyncapi.yaml says what /ws sends: every message is seen, and each that is seen is as it says."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from attendance.live.events import EVENTS
from tests.support.asyncapi import DOCUMENT, MESSAGES, check, check_all, names
from tests.support.clients import Room, Socket
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The dialect words its messages, from rows that every database gives alike.")


def test_every_reference_leads_somewhere_and_every_message_is_used() -> None:
    used = {key for operation in DOCUMENT["operations"] for key in names(operation).values()}
    assert used == MESSAGES.keys()
    for schema in (*DOCUMENT["components"]["schemas"].values(), *(message["payload"] for message in MESSAGES.values())):
        Draft202012Validator.check_schema(schema)


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


def test_the_document_has_every_event_of_the_table() -> None:
    assert names("wsReceive").keys() == EVENTS.keys()


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
