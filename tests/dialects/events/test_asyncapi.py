"""docs/asyncapi.yaml says what this dialect sends."""

import pytest

from dialects.events.dialect import Events
from tests.support.asyncapi import check_all, names
from tests.support.clients import Room
from tests.support.server import Server
from tests.support.socketio import events_socket

pytestmark = pytest.mark.one_database("The dialect words its messages, from rows that every database gives alike.")


def test_the_document_has_every_event_of_the_table() -> None:
    assert names("eventsReceive").keys() == Events.events.keys()


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
