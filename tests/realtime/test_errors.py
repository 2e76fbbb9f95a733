"""Every error of the contract: its words, its place in the order of checks, and that it harms nobody."""

import contextlib
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.realtime.conftest import People
from tests.realtime.contract import (
    INVALID,
    NO_SESSION,
    NOT_ENROLLED,
    STUDENT_ONLY,
    TEACHER_ONLY,
    UNKNOWN,
    error,
    marked,
    mine,
)
from tests.support.clients import Room, Socket, make_class
from tests.support.server import TOO_BIG, Server, heard, not_under

LIMIT = 64 * 1024

#: Frames that are no message at all, whoever sends them and whether or not a session runs.
NO_MESSAGES: dict[str, str | bytes] = {
    "empty": "",
    "blank": " ",
    "not JSON": "hello",
    "half a message": '{"event": "DONE"',
    "two messages": '{"event": "DONE"}{"event": "DONE"}',
    "single quotes": "{'event': 'DONE'}",
    "a trailing comma": '{"event": "DONE",}',
    "a list": '[{"event": "DONE"}]',
    "a string": '"DONE"',
    "a number": "5",
    "null": "null",
    "true": "true",
    "no event": "{}",
    "event null": '{"event": null}',
    "event a number": '{"event": 5}',
    "event a list": '{"event": ["DONE"]}',
    "event an object": '{"event": {"DONE": 1}}',
    "event in another case": '{"Event": "DONE"}',
    "binary, with JSON": b'{"event": "DONE"}',
    "binary": b"\x00\xff\xfe",
    "binary, empty": b"",
    "a NUL": '{"event": "DONE", "data": {"studentId": "\\u0000"}}',
    "a raw NUL": '{"event": "DONE\x00"}',
    "a NUL in a key": '{"event": "DONE", "\\u0000": 1}',
    "a lone surrogate": '{"event": "DONE", "data": {"note": "\\ud800"}}',
    "a lone low surrogate": '{"event": "\\udc00"}',
    "duplicate events": '{"event": "NOPE", "event": "DONE"}',
    "duplicate keys inside": '{"event": "DONE", "data": {"a": 1, "a": 2}}',
    "NaN": '{"event": "DONE", "data": {"a": NaN}}',
    "Infinity": '{"event": "DONE", "data": {"a": -Infinity}}',
    "1e999": '{"event": "DONE", "data": {"a": 1e999}}',
    "1,000 levels of lists": '{"event": "DONE", "data": ' + "[" * 1000 + "]" * 1000 + "}",
    "10,000 levels of objects": '{"event": "DONE", "data": ' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}",
    "unclosed levels": "[" * 60_000,
    "an integer beyond 64 bits": '{"event": "DONE", "data": {"a": 18446744073709551616}}',
    "60,000 digits": '{"event": "DONE", "data": {"a": ' + "9" * 60_000 + "}}",
    "a byte order mark": '\ufeff{"event": "DONE"}',
    "64 KiB of blanks": " " * LIMIT,
    "64 KiB of text": "x" * LIMIT,
    "64 KiB of bytes": b"x" * LIMIT,
}

#: `data` of ATTENDANCE_MARKED that has the wrong shape; STUDENT stands for an enrolled student's id.
WRONG_DATA: list[Any] = [
    None,
    [],
    "text",
    5,
    True,
    {},
    {"studentId": "STUDENT"},
    {"status": "present"},
    {"studentId": "STUDENT", "status": None},
    {"studentId": "STUDENT", "status": "late"},
    {"studentId": "STUDENT", "status": "PRESENT"},
    {"studentId": "STUDENT", "status": " present"},
    {"studentId": "STUDENT", "status": "present\n"},
    {"studentId": "STUDENT", "status": ""},
    {"studentId": "STUDENT", "status": 1},
    {"studentId": "STUDENT", "status": True},
    {"studentId": "STUDENT", "status": ["present"]},
    {"studentid": "STUDENT", "status": "present"},
    {"studentId": ["STUDENT"], "status": "present"},
    {"studentId": None, "status": "present"},
    {"studentId": 5, "status": "present"},
    {"studentId": True, "status": "present"},
    {"studentId": {"$ne": 1}, "status": "present"},
    {"studentId": {"$in": ["STUDENT"]}, "status": "present"},
]

#: Strings that are nobody's id.
NOBODYS_IDS = [
    "",
    "abc",
    "zzz",
    "f" * 23,
    "f" * 24,
    "f" * 25,
    "z" * 24,
    "０" * 24,
    "0x" + "f" * 22,
    "' OR 1=1--",
    '{"$ne":1}',
    "%00",
    "../../etc/passwd",
    "STUDENT\n",
    " STUDENT",
    "STUDENT ",
    "STUDENT,STUDENT",
]


def with_student(value: object, room: Room) -> object:
    return json.loads(json.dumps(value).replace("STUDENT", room.students[0].id))


@pytest.mark.parametrize("frame", NO_MESSAGES.values(), ids=NO_MESSAGES.keys())
async def test_a_frame_that_is_no_message_is_answered_and_changes_nothing(
    server: Server, people: People, room: Room, frame: str | bytes
) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, people.outsider.token) as outsider,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        for socket in (teacher, outsider):
            await socket.send_raw(frame)
            assert await socket.frame() == error(INVALID)
        await student.hears_nothing()
        await teacher.mark(room.students[0].id)  # the session is not done, and the socket works
        assert await teacher.frame() == marked(room.students[0].id)


@pytest.mark.parametrize("data", WRONG_DATA, ids=repr)
async def test_a_mark_with_data_of_the_wrong_shape_is_an_invalid_message(
    server: Server, room: Room, data: object
) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        await teacher.send_raw(json.dumps({"event": "ATTENDANCE_MARKED", "data": with_student(data, room)}))
        assert await teacher.frame() == error(INVALID)
        await student.hears_nothing()
        assert server.database.journal(room.class_id) == []
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)


async def test_a_mark_without_data_is_an_invalid_message(server: Server, room: Room) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.send("ATTENDANCE_MARKED")
        assert await teacher.frame() == error(INVALID)


@pytest.mark.parametrize("student_id", NOBODYS_IDS, ids=repr)
async def test_a_mark_of_nobody_is_refused(server: Server, room: Room, student_id: str) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        await teacher.mark(str(with_student(student_id, room)))
        assert await teacher.frame() == error(NOT_ENROLLED)
        await student.hears_nothing()
        assert server.database.journal(room.class_id) == []
        await teacher.mark(room.students[0].id, "absent")
        assert await teacher.frame() == marked(room.students[0].id, "absent")


async def test_people_who_are_not_on_the_roster_cannot_be_marked(server: Server, people: People, room: Room) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        for person in (people.outsider, people.students[2], room.teacher, people.other_teacher):
            await teacher.mark(person.id)
            assert await teacher.frame() == error(NOT_ENROLLED)
    assert server.database.journal(room.class_id) == []


@pytest.mark.parametrize("event", ["", "NOPE", "done", "Done", " DONE", "DONE ", "ERROR", "__class__", "DONE\n"])
async def test_an_unknown_event_is_answered_with_unknown_event(server: Server, room: Room, event: str) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        for socket in (teacher, student):
            await socket.send(event, {"studentId": room.students[0].id, "status": "present"})
            assert await socket.frame() == error(UNKNOWN)


class TestOrder:
    """Of two faults in one message the one that the contract checks first is answered."""

    async def test_format_comes_before_the_known_event(self, server: Server, room: Room) -> None:
        async with Socket(server.ws_url, room.students[0].token) as student:
            await student.send_raw('{"event": "NOPE", "data": {"a": 1, "a": 2}}')
            assert await student.frame() == error(INVALID)
            await student.send_raw('{"event": ["NOPE"]}')
            assert await student.frame() == error(INVALID)

    async def test_the_known_event_comes_before_the_role(self, server: Server, room: Room) -> None:
        async with Socket(server.ws_url, room.students[0].token) as student:
            await student.send("DONE_", None)
            assert await student.frame() == error(UNKNOWN)
            await student.send_raw('{"event": "done", "data": null}')
            assert await student.frame() == error(UNKNOWN)

    async def test_the_role_comes_before_the_active_session(self, server: Server, people: People, room: Room) -> None:
        async with (
            Socket(server.ws_url, people.outsider.token) as outsider,
            Socket(server.ws_url, people.other_teacher.token) as other_teacher,
        ):
            for event in ("ATTENDANCE_MARKED", "TODAY_SUMMARY", "DONE"):
                await outsider.send(event)
                assert await outsider.frame() == error(TEACHER_ONLY)
            await other_teacher.send("MY_ATTENDANCE")
            assert await other_teacher.frame() == error(STUDENT_ONLY)

    async def test_the_active_session_comes_before_the_data(self, server: Server, people: People, room: Room) -> None:
        async with (
            Socket(server.ws_url, people.other_teacher.token) as other_teacher,
            Socket(server.ws_url, people.outsider.token) as outsider,
        ):
            for data in WRONG_DATA:
                await other_teacher.send_raw(json.dumps({"event": "ATTENDANCE_MARKED", "data": data}))
                assert await other_teacher.frame() == error(NO_SESSION)
            await outsider.send("SYNC", {"since": -1})
            assert await outsider.frame() == error(NO_SESSION)
            await outsider.send("MY_ATTENDANCE", [])
            assert await outsider.frame() == error(NO_SESSION)

    async def test_the_data_comes_before_the_enrolment(self, server: Server, people: People, room: Room) -> None:
        async with Socket(server.ws_url, room.teacher.token) as teacher:
            await teacher.mark(people.outsider.id, "late")
            assert await teacher.frame() == error(INVALID)
            await teacher.mark("abc", "PRESENT")
            assert await teacher.frame() == error(INVALID)

    async def test_the_active_session_comes_before_the_enrolment(
        self, server: Server, people: People, room: Room
    ) -> None:
        async with Socket(server.ws_url, people.other_teacher.token) as other_teacher:
            await other_teacher.mark(people.outsider.id)
            assert await other_teacher.frame() == error(NO_SESSION)

    async def test_the_role_comes_before_the_data_and_the_enrolment(self, server: Server, room: Room) -> None:
        async with Socket(server.ws_url, room.students[0].token) as student:
            await student.send_raw('{"event": "ATTENDANCE_MARKED", "data": null}')
            assert await student.frame() == error(TEACHER_ONLY)
            await student.mark("abc")
            assert await student.frame() == error(TEACHER_ONLY)


async def test_an_error_goes_to_its_sender_alone_and_every_socket_goes_on(
    server: Server, people: People, room: Room
) -> None:
    first = room.students[0]
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.teacher.token) as second_screen,
        Socket(server.ws_url, first.token) as student,
    ):
        for frame, message in (
            ("{", INVALID),
            ('{"event": "NOPE"}', UNKNOWN),
            ('{"event": "MY_ATTENDANCE"}', STUDENT_ONLY),
            ('{"event": "ATTENDANCE_MARKED", "data": {}}', INVALID),
            (
                f'{{"event": "ATTENDANCE_MARKED", "data": {{"studentId": "{"0" * 24}", "status": "absent"}}}}',
                NOT_ENROLLED,
            ),
        ):
            await teacher.send_raw(frame)
            assert await teacher.frame() == error(message)
        for _ in range(3):
            await student.send("DONE")
            assert await student.frame() == error(TEACHER_ONLY)
        for socket in (second_screen, student):
            await socket.hears_nothing()
        await teacher.mark(first.id)
        for socket in (teacher, second_screen, student):
            assert await socket.frame() == marked(first.id)
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("present")


async def test_without_a_session_everybody_is_told_that_none_is_active(
    server: Server, people: People, room: Room
) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        await teacher.send("DONE")
        await teacher.frame()
        await student.frame()
        closed = make_class(people.other_teacher, [people.students[0]], start=False)
        async with Socket(server.ws_url, closed.teacher.token) as other_teacher:
            for socket in (teacher, other_teacher):
                await socket.mark(people.students[0].id)
                assert await socket.frame() == error(NO_SESSION)
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == error(NO_SESSION)


@pytest.mark.parametrize(
    "kind",
    [
        "text",
        "text beyond ASCII",
        "binary",
        "fragments",
        pytest.param("10 MB", marks=not_under("daphne", "runserver", reason="they cut the connection")),
    ],
)
async def test_a_message_over_64_kib_closes_its_socket_alone(server: Server, room: Room, kind: str) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        match kind:
            case "text":
                await teacher.send_raw("x" * (LIMIT + 1))
            case "text beyond ASCII":
                await teacher.send_raw("é" * (LIMIT // 2 + 1))
            case "binary":
                await teacher.send_raw(b"x" * (LIMIT + 1))
            case "fragments":
                await teacher.connection.send(["x" * 1024] * 65)
            case "10 MB":
                with contextlib.suppress(ConnectionClosed):  # it may be closed before all of it is sent
                    await teacher.send_raw("x" * 10_000_000)
        assert await teacher.close_code() == heard(TOO_BIG)
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("not yet updated")


async def test_a_message_in_fragments_is_one_message(server: Server, room: Room) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        text = json.dumps(
            {"event": "ATTENDANCE_MARKED", "data": {"studentId": room.students[0].id, "status": "absent"}}
        )
        await teacher.connection.send([text[:10], text[10:30], text[30:]])
        assert await teacher.frame() == marked(room.students[0].id, "absent")


@not_under("daphne", "granian", "runserver", reason="they close it too, with another code")
async def test_text_that_is_not_utf_8_closes_its_socket_alone(server: Server, room: Room) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        await teacher.connection.send(b'{"event": "\xed\xa0\x80"}', text=True)
        assert await teacher.close_code() == 1007
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("not yet updated")
