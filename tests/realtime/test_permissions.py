"""Who may send which event, as one table: each event and each kind of person, and what comes back."""

import pytest

from attendance.live.events import EVENTS
from tests.realtime.conftest import People
from tests.realtime.contract import NO_SESSION, STUDENT_ONLY, TEACHER_ONLY
from tests.support.clients import Person, Room, Socket
from tests.support.server import Server

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

WHO = ("owner", "other teacher", "enrolled student", "other student")

#: (event, who): the event that answers, or the message of an ERROR.
TABLE = {
    ("ATTENDANCE_MARKED", "owner"): "ATTENDANCE_MARKED",
    ("ATTENDANCE_MARKED", "other teacher"): NO_SESSION,
    ("ATTENDANCE_MARKED", "enrolled student"): TEACHER_ONLY,
    ("ATTENDANCE_MARKED", "other student"): TEACHER_ONLY,
    ("TODAY_SUMMARY", "owner"): "TODAY_SUMMARY",
    ("TODAY_SUMMARY", "other teacher"): NO_SESSION,
    ("TODAY_SUMMARY", "enrolled student"): TEACHER_ONLY,
    ("TODAY_SUMMARY", "other student"): TEACHER_ONLY,
    ("MY_ATTENDANCE", "owner"): STUDENT_ONLY,
    ("MY_ATTENDANCE", "other teacher"): STUDENT_ONLY,
    ("MY_ATTENDANCE", "enrolled student"): "MY_ATTENDANCE",
    ("MY_ATTENDANCE", "other student"): NO_SESSION,
    ("CHECK_IN", "owner"): STUDENT_ONLY,
    ("CHECK_IN", "other teacher"): STUDENT_ONLY,
    ("CHECK_IN", "enrolled student"): "Check-in is closed",
    ("CHECK_IN", "other student"): NO_SESSION,
    ("DONE", "owner"): "DONE",
    ("DONE", "other teacher"): NO_SESSION,
    ("DONE", "enrolled student"): TEACHER_ONLY,
    ("DONE", "other student"): TEACHER_ONLY,
    ("SYNC", "owner"): "SYNC",
    ("SYNC", "other teacher"): NO_SESSION,
    ("SYNC", "enrolled student"): "SYNC",
    ("SYNC", "other student"): NO_SESSION,
}

#: The same without any session; the roles' own errors stay.
WITHOUT_SESSION = {key: value if value in (TEACHER_ONLY, STUDENT_ONLY) else NO_SESSION for key, value in TABLE.items()}


def test_the_table_has_every_event_and_everybody() -> None:
    assert set(TABLE) == {(event, who) for event in EVENTS for who in WHO}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("running", [True, False], ids=["in a session", "without one"])
async def test_an_event_is_for_those_in_the_table(
    server: Server, people: People, room: Room, event: str, who: str, running: bool
) -> None:
    if not running:
        async with Socket(server.ws_url, room.teacher.token) as teacher:
            await teacher.send("DONE")
            await teacher.frame()
    person: Person = {
        "owner": room.teacher,
        "other teacher": people.other_teacher,
        "enrolled student": room.students[0],
        "other student": people.outsider,
    }[who]
    data = {
        "ATTENDANCE_MARKED": {"studentId": room.students[0].id, "status": "present"},
        "CHECK_IN": {"code": "000000"},
    }.get(event)
    async with (
        Socket(server.ws_url, person.token) as socket,
        Socket(server.ws_url, people.outsider.token) as bystander,
    ):
        await socket.send(event, data)
        frame = await socket.frame()
        answer = frame["data"]["message"] if frame["event"] == "ERROR" else frame["event"]
        assert answer == (TABLE if running else WITHOUT_SESSION)[event, who]
        if answer not in ("ATTENDANCE_MARKED", "TODAY_SUMMARY", "DONE"):
            await bystander.hears_nothing()
