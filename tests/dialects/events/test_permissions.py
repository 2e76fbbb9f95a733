"""Who may send which event of the events dialect, as one table, in a session and without one."""

import pytest

from dialects.events.dialect import Events
from tests.dialects.socketio.people import WHO, is_complete, token_of
from tests.realtime.conftest import People
from tests.realtime.contract import NO_SESSION, STUDENT_ONLY, TEACHER_ONLY, UNAUTHORIZED
from tests.support.clients import Room, Socket
from tests.support.server import Server
from tests.support.socketio import Refused, events_socket

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

#: By event, for each of WHO: the event that answers, or an error's message.
ROWS = {
    "MARK_ATTENDANCE": ("ATTENDANCE_MARKED", NO_SESSION, TEACHER_ONLY, TEACHER_ONLY, UNAUTHORIZED),
    "GET_TODAY_SUMMARY": ("TODAY_SUMMARY", NO_SESSION, TEACHER_ONLY, TEACHER_ONLY, UNAUTHORIZED),
    "CHECK_MY_STATUS": (STUDENT_ONLY, STUDENT_ONLY, "MY_STATUS", NO_SESSION, UNAUTHORIZED),
    "DONE": ("SESSION_ENDED", NO_SESSION, TEACHER_ONLY, TEACHER_ONLY, UNAUTHORIZED),
}
TABLE = {(event, who): answer for event, row in ROWS.items() for who, answer in zip(WHO, row, strict=True)}
ERRORS = (NO_SESSION, STUDENT_ONLY, TEACHER_ONLY, UNAUTHORIZED)


def test_the_table_has_every_event_and_every_kind_of_person() -> None:
    assert is_complete(TABLE, Events.events)


@pytest.mark.parametrize("event", ROWS)
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("running", [True, False], ids=["in a session", "without one"])
async def test_each_event_answers_each_person_as_the_table_says(
    server: Server, people: People, room: Room, event: str, who: str, running: bool
) -> None:
    if not running:
        async with Socket(server.ws_url, room.teacher.token) as teacher:
            await teacher.send("DONE")
            await teacher.frame()
    expected = TABLE[event, who]
    if not running and expected not in ERRORS:
        expected = NO_SESSION
    before = server.database.journal(room.class_id), server.database.states(room.class_id)
    token = token_of(who, people, room)
    if expected == UNAUTHORIZED:
        with pytest.raises(Refused, match=UNAUTHORIZED):
            await events_socket(server.url, token).__aenter__()
        return
    async with events_socket(server.url, token) as socket:
        await socket.send(event, {"studentId": room.students[0].id})
        heard, payload = await socket.hear()
    assert (payload["message"] if heard == "ERROR" else heard) == expected
    if expected in ERRORS:
        assert (server.database.journal(room.class_id), server.database.states(room.class_id)) == before
