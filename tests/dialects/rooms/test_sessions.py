"""A session_id is a session's id, a class's id or a name. No session that is over opens again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.dialects.rooms.contract import (
    INVALID,
    NO_CLASS,
    NOT_ACTIVE,
    NOT_ENROLLED,
    NOT_TEACHER,
    close,
    open_room,
    quiet,
)
from tests.realtime.conftest import People
from tests.support.clients import Api, Room, make_class
from tests.support.server import Server
from tests.support.socketio import SocketIo, rooms_socket

START, JOIN, DATA, END = (
    "startAttendanceSession",
    "joinAttendanceSession",
    "getAttendanceSessionData",
    "endAttendanceSession",
)


@pytest.fixture
def idle_class(people: People) -> Room:
    """A class without a session."""
    return make_class(people.teacher, people.students[:2], start=False)


@pytest.fixture
def name(idle_class: Room) -> str:
    """A name that no session has yet."""
    return f"Lecture {idle_class.class_id}"


async def ask(server: Server, token: str, event: str, **payload: Any) -> Any:
    """The data that a callback gets, on a new connection."""
    async with rooms_socket(server.url, token) as socket:
        return await socket.call(event, payload)


async def test_a_new_name_is_given_to_the_open_session_of_the_class(
    server: Server, idle_class: Room, name: str
) -> None:
    token = idle_class.teacher.token
    started = await ask(server, token, START, session_id=name, class_id=idle_class.class_id)
    assert started["session"]["class_id"] == idle_class.class_id
    assert started["session"]["session_id"] == started["session_id"] == name
    further = await ask(server, token, START, session_id=f"{name}, again", class_id=idle_class.class_id)
    by_class = await ask(server, token, START, session_id=idle_class.class_id)
    by_name = await ask(server, token, START, session_id=name)
    ids = {answer["session"]["_id"] for answer in (started, further, by_class, by_name)}
    assert len(ids) == 1
    for called in (name, f"{name}, again", idle_class.class_id, *ids, ids.pop().upper()):
        answer = await ask(server, idle_class.students[0].token, JOIN, session_id=called)
        assert answer["session_id"] == called


async def test_a_name_stays_with_its_session_after_the_end(server: Server, idle_class: Room, name: str) -> None:
    token = idle_class.teacher.token
    started = await ask(server, token, START, session_id=name, class_id=idle_class.class_id)
    ended = await ask(server, token, END, session_id=name)
    assert ended["finalData"]["session"]["status"] == "ended"
    for called in (name, started["session"]["_id"]):
        for payload in ({}, {"class_id": idle_class.class_id}):
            assert await ask(server, token, START, session_id=called, **payload) == {"message": NOT_ACTIVE}
        assert await ask(server, idle_class.students[0].token, JOIN, session_id=called) == {"message": NOT_ACTIVE}
    again = await ask(server, token, START, session_id=idle_class.class_id)
    assert again["session"]["_id"] != started["session"]["_id"]
    old = await ask(server, token, DATA, session_id=name)
    assert (old["session"]["_id"], old["session"]["status"]) == (started["session"]["_id"], "ended")
    assert (await ask(server, token, DATA, session_id=idle_class.class_id))["session"]["status"] == "active"
    assert server.database.states(idle_class.class_id) == ["ended", "open"]


async def test_a_name_without_a_class_opens_a_class_that_any_student_may_join(
    server: Server, people: People, name: str
) -> None:
    async with (
        rooms_socket(server.url, people.teacher.token) as teacher,
        rooms_socket(server.url, people.outsider.token) as student,
    ):
        started = await teacher.call(START, {"session_id": name})
        assert (started["totalStudents"], started["session"]["className"]) == (0, name)
        await teacher.hear("attendanceSessionStarted")
        answer = await teacher.call("markStudentPresent", {"session_id": name, "student_id": people.outsider.id})
        assert answer == {"message": NOT_ENROLLED}
        await teacher.hear("attendanceError")
        for _ in range(2):
            await student.call(JOIN, {"session_id": name})
            await student.hear("attendanceSessionJoined")
            assert (await teacher.hear("studentJoinedAttendance"))["student_id"] == people.outsider.id
        marked = await teacher.call("markStudentPresent", {"session_id": name, "student_id": people.outsider.id})
        assert marked["attendanceRecord"]["student_name"] == people.outsider.name
        assert (await student.hear("attendanceUpdated"))["status"] == "present"
        ended = await teacher.call(END, {"session_id": name})
        assert ended["finalData"]["statistics"]["total"] == 1
    shown = people.teacher.data("GET", f"/class/{started['session']['class_id']}")
    assert [entry["_id"] for entry in shown["students"]] == [people.outsider.id]


@pytest.mark.parametrize("with_class", [True, False], ids=["of a class", "with an open roster"])
async def test_many_starts_of_one_name_at_once_open_one_session(
    server: Server, idle_class: Room, name: str, with_class: bool
) -> None:
    payload = {"session_id": name, **({"class_id": idle_class.class_id} if with_class else {})}
    sockets: list[SocketIo] = [await rooms_socket(server.url, idle_class.teacher.token).__aenter__() for _ in range(8)]
    answers = await asyncio.gather(*(socket.call(START, payload) for socket in sockets))
    assert len({answer["session"]["_id"] for answer in answers}) == 1
    await close(*sockets)


@pytest.mark.parametrize("class_id", ["x", "f" * 24, ""])
async def test_a_name_for_an_unknown_class_opens_nothing(
    server: Server, idle_class: Room, name: str, class_id: str
) -> None:
    token = idle_class.teacher.token
    assert await ask(server, token, START, session_id=name, class_id=class_id) == {"message": NO_CLASS}
    assert await ask(server, token, DATA, session_id=name) == {"message": NOT_ACTIVE}
    assert server.database.states(idle_class.class_id) == []


async def test_a_name_for_another_teachers_class_opens_nothing(
    server: Server, people: People, idle_class: Room, name: str
) -> None:
    token = people.other_teacher.token
    answer = await ask(server, token, START, session_id=name, class_id=idle_class.class_id)
    assert answer == {"message": NOT_TEACHER}
    assert await ask(server, token, START, session_id=idle_class.class_id) == {"message": NOT_TEACHER}
    assert server.database.states(idle_class.class_id) == []
    await ask(server, idle_class.teacher.token, START, session_id=name, class_id=idle_class.class_id)
    assert await ask(server, token, START, session_id=name) == {"message": NOT_TEACHER}


async def test_an_id_that_names_nothing_is_taken_as_a_name(server: Server, idle_class: Room) -> None:
    unknown = idle_class.class_id[::-1]
    token = idle_class.teacher.token
    assert await ask(server, token, DATA, session_id=unknown) == {"message": NOT_ACTIVE}
    started = await ask(server, token, START, session_id=unknown)
    assert started["session"]["className"] == unknown


async def test_only_a_start_opens_a_session(server: Server, idle_class: Room, name: str) -> None:
    teacher, student = idle_class.teacher.token, idle_class.students[0].token
    for called in (idle_class.class_id, name):
        for event in ("markStudentPresent", DATA, END, "bulkUpdateAttendance", "subscribeStatistics"):
            answer = await ask(server, teacher, event, session_id=called)
            assert answer == {"message": NOT_ACTIVE}, event
        assert await ask(server, student, JOIN, session_id=called) == {"message": NOT_ACTIVE}
    assert server.database.states(idle_class.class_id) == []


STUDENT = "a" * 24
BAD: dict[str, Any] = {
    "nothing": None,
    "a string": "x",
    "a list": [],
    "a number": 7,
    "no session": {},
    "a session that is a number": {"session_id": 5},
    "a session that is null": {"session_id": None},
    "an empty name": {"session_id": ""},
    "a name that is too long": {"session_id": "x" * 129},
    "a huge name": {"session_id": "x" * 60_000},
    "a name with a NUL": {"session_id": "a\0"},
}
BAD_OF: dict[str, dict[str, dict[str, Any]]] = {
    "startAttendanceSession": {"a class that is a number": {"class_id": 5}},
    "markStudentPresent": {"no student": {}, "a student that is a number": {"student_id": 5}},
    "bulkUpdateAttendance": {
        "no list": {},
        "an empty list": {"attendanceUpdates": []},
        "an object": {"attendanceUpdates": {}},
        "entries that are strings": {"attendanceUpdates": ["x"]},
        "an unknown status": {"attendanceUpdates": [{"student_id": STUDENT, "status": "late"}]},
    },
}


@pytest.mark.parametrize(
    "event",
    [START, DATA, END, "markStudentPresent", "markStudentAbsent", "bulkUpdateAttendance", "subscribeStatistics"],
)
async def test_bad_input_is_answered_with_an_error_and_changes_nothing(
    server: Server, idle_class: Room, event: str
) -> None:
    teacher, *_ = sockets = await open_room(server, idle_class)
    session = {"session_id": idle_class.class_id}
    for payload in (*BAD.values(), *({**session, **more} for more in BAD_OF.get(event, {}).values())):
        assert await teacher.call(event, payload) == {"message": INVALID}, payload
        assert await teacher.hear() == ("attendanceError", {"message": INVALID})
    assert await teacher.call(event, session, session) == {"message": INVALID}
    await teacher.hear("attendanceError")
    await quiet(*sockets)
    await close(*sockets)
    assert server.database.journal(idle_class.class_id) == []
    assert server.database.states(idle_class.class_id) == ["open"]


async def test_an_unknown_student_and_a_student_of_another_class_get_different_errors(
    server: Server, people: People, idle_class: Room
) -> None:
    teacher, *_ = sockets = await open_room(server, idle_class)
    for student_id, message in (
        ("x", "Student not found"),
        ("", "Student not found"),
        (STUDENT, "Student not found"),
        (people.other_teacher.id, "Student not found"),
        (idle_class.class_id, "Student not found"),
        (people.outsider.id, NOT_ENROLLED),
    ):
        payload = {"session_id": idle_class.class_id, "student_id": student_id}
        assert await teacher.call("markStudentPresent", payload) == {"message": message}
    await close(*sockets)
    assert server.database.journal(idle_class.class_id) == []


@pytest.mark.long
async def test_a_restart_keeps_sessions_marks_and_names(make_server: Callable[..., Server]) -> None:
    server = make_server()
    api = Api(server.url)
    room = api.make_room(2, start=False)
    first, second = room.students
    name = "Monday, first hour"
    async with rooms_socket(server.url, room.teacher.token) as teacher:
        await teacher.call(START, {"session_id": name, "class_id": room.class_id})
        await teacher.call("markStudentPresent", {"session_id": name, "student_id": first.id})
    server.kill()
    server.restart()
    teacher, *students = sockets = await open_room(server, room, name, name, name)
    data = await teacher.call(DATA, {"session_id": name})
    assert [entry["status"] for entry in data["attendanceRecords"]] == ["present", None]
    assert data["attendanceRecords"][0]["marked_by"] == room.teacher.id
    await teacher.call("markStudentAbsent", {"session_id": name, "student_id": second.id})
    assert (await students[0].hear("attendanceUpdated"))["session_id"] == name
    await teacher.call(END, {"session_id": name})
    await close(*sockets)
    server.kill()
    server.restart()
    data = await ask(server, room.teacher.token, DATA, session_id=name)
    assert [entry["status"] for entry in data["attendanceRecords"]] == ["present", "absent"]
    assert data["session"]["status"] == "ended"
    api.close()
