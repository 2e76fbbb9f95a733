"""The events dialect: the session that /ws means, under other names."""

import asyncio
from typing import Any

import pytest

from tests.dialects.events.contract import ended, error, marked
from tests.realtime import contract as canonical
from tests.realtime.conftest import People
from tests.support.clients import Room, Socket, make_class
from tests.support.server import Server
from tests.support.socketio import SocketIo, events_socket


async def test_a_mark_is_told_to_all_sockets_here_and_on_ws_and_so_is_a_mark_made_there(
    server: Server, people: People, room: Room
) -> None:
    first, second = room.students
    async with (
        events_socket(server.url, room.teacher.token) as teacher,
        events_socket(server.url, first.token) as student,
        events_socket(server.url, people.outsider.token) as outsider,
        Socket(server.ws_url, room.teacher.token) as ws,
    ):
        await teacher.send("MARK_ATTENDANCE", {"studentId": first.id})
        for socket in (teacher, student, outsider):
            assert await socket.hear() == marked(first.id)
        assert await ws.frame() == canonical.marked(first.id)
        await ws.mark(second.id, "absent")
        for socket in (teacher, student, outsider):
            assert await socket.hear() == marked(second.id, "absent")
        assert await ws.frame() == canonical.marked(second.id, "absent")


async def test_a_summary_goes_to_the_sender_alone(server: Server, people: People, room: Room) -> None:
    first, second = room.students
    async with (
        events_socket(server.url, room.teacher.token) as teacher,
        events_socket(server.url, first.token) as student,
        Socket(server.ws_url, second.token) as ws,
    ):
        payloads: list[tuple[Any, ...]] = [(), ({},), (None,)]
        for payload in payloads:
            await teacher.send("GET_TODAY_SUMMARY", *payload)
            assert await teacher.hear("TODAY_SUMMARY") == {"presentCount": 0, "presentStudentIds": []}
        await teacher.send("MARK_ATTENDANCE", {"studentId": first.id})
        await teacher.send("GET_TODAY_SUMMARY")  # the answer comes after the mark that was sent before
        assert await teacher.hear() == marked(first.id)
        assert await teacher.hear("TODAY_SUMMARY") == {"presentCount": 1, "presentStudentIds": [first.id]}
        assert await student.hear() == marked(first.id)
        assert await ws.frame() == canonical.marked(first.id)
        await student.hears_nothing("ERROR", canonical.UNKNOWN)
        await ws.hears_nothing()


async def test_a_summary_that_is_asked_for_on_ws_is_not_told_here(server: Server, people: People, room: Room) -> None:
    async with (
        events_socket(server.url, room.teacher.token) as listener,
        Socket(server.ws_url, room.teacher.token) as ws,
    ):
        await ws.send("TODAY_SUMMARY")
        assert await ws.frame() == canonical.summary(0, 0)
        await listener.hears_nothing("ERROR", canonical.UNKNOWN)


@pytest.mark.parametrize(("mark", "status"), [(None, None), ("absent", None), ("present", "present")])
async def test_a_students_own_status_is_present_or_null(
    server: Server, room: Room, mark: str | None, status: str | None
) -> None:
    student = room.students[0]
    async with events_socket(server.url, student.token) as socket, Socket(server.ws_url, room.teacher.token) as teacher:
        if mark is not None:
            await teacher.mark(student.id, mark)
            assert await socket.hear() == marked(student.id, mark)
        await socket.send("CHECK_MY_STATUS")
        assert await socket.hear("MY_STATUS") == {"status": status}


async def test_done_ends_the_session_and_tells_all_sockets_everybodys_attendance(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        events_socket(server.url, room.teacher.token) as teacher,
        events_socket(server.url, first.token) as student,
        Socket(server.ws_url, second.token) as ws,
    ):
        await teacher.send("MARK_ATTENDANCE", {"studentId": second.id})
        await teacher.send("DONE")
        over = ended(room.class_id, **{first.id: "absent", second.id: "present"})
        for socket in (teacher, student):
            assert [await socket.hear() for _ in range(2)] == [marked(second.id), over]
        assert await ws.frames(2) == [canonical.marked(second.id), canonical.done(1, 1)]
        await teacher.send("MARK_ATTENDANCE", {"studentId": first.id})
        assert await teacher.hear() == error(canonical.NO_SESSION)
    assert sorted(server.database.records(room.class_id)) == sorted([(first.id, "absent"), (second.id, "present")])


async def test_done_on_ws_is_heard_here(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        events_socket(server.url, first.token) as student,
        Socket(server.ws_url, room.teacher.token) as teacher,
    ):
        await teacher.send("DONE")
        assert await student.hear() == ended(room.class_id, **{first.id: "absent", second.id: "absent"})


async def test_a_callback_gets_the_same_data_as_the_event(server: Server, room: Room) -> None:
    first, _second = room.students
    async with (
        events_socket(server.url, room.teacher.token) as teacher,
        events_socket(server.url, first.token) as student,
    ):
        for socket, event, payload in (
            (teacher, "MARK_ATTENDANCE", ({"studentId": first.id},)),
            (teacher, "GET_TODAY_SUMMARY", (None,)),
            (student, "CHECK_MY_STATUS", ()),
            (student, "DONE", ({},)),
            (teacher, "MARK_ATTENDANCE", ({"studentId": "x"},)),
            (teacher, "nothing", ()),
            (teacher, "DONE", ()),
            (teacher, "DONE", ()),
        ):
            answer = await socket.call(event, *payload)
            heard = await socket.hear()
            while socket is student and heard[0] == "ATTENDANCE_MARKED":
                heard = await socket.hear()
            assert heard[1] == answer


async def test_a_burst_is_told_in_order_and_each_callback_gets_its_own_answer(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        events_socket(server.url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as ws,
    ):
        ids = [(first, second)[number % 2].id for number in range(200)]
        for number, student_id in enumerate(ids):
            await teacher.raw(f'42{number}["MARK_ATTENDANCE",{{"studentId":"{student_id}"}}]')
        assert await ws.frames(200) == [canonical.marked(student_id) for student_id in ids]
        heard: list[Any] = []
        acks: list[Any] = []
        while len(heard) + len(acks) < 400:
            packet = await teacher.packet()
            (heard if packet.startswith("42") else acks).append(packet)
        assert [int(packet[2 : packet.index("[")]) for packet in acks] == list(range(200))
        assert [student_id in packet for student_id, packet in zip(ids, heard, strict=True)] == [True] * 200


async def test_a_teacher_without_the_focus_is_told_that_no_session_is_active(
    server: Server, people: People, room: Room
) -> None:
    async with events_socket(server.url, room.teacher.token) as socket:
        make_class(people.other_teacher, people.students[:1])
        assert await socket.call("GET_TODAY_SUMMARY") == {"message": canonical.NO_SESSION}


async def test_with_a_session_per_class_each_class_hears_its_own_marks(
    per_class_server: Server, per_class_people: People
) -> None:
    people = per_class_people
    ours = make_class(people.teacher, people.students[:1])
    theirs = make_class(people.other_teacher, people.students[1:2])
    url = per_class_server.url
    async with (
        events_socket(url, people.teacher.token) as teacher,
        events_socket(url, people.other_teacher.token) as other,
    ):
        await teacher.send("MARK_ATTENDANCE", {"studentId": ours.students[0].id})
        assert await teacher.hear() == marked(ours.students[0].id)
        await other.hears_nothing("ERROR", canonical.UNKNOWN)
        await other.send("MARK_ATTENDANCE", {"studentId": theirs.students[0].id})
        assert await other.hear() == marked(theirs.students[0].id)
        await teacher.hears_nothing("ERROR", canonical.UNKNOWN)


async def test_a_slow_event_of_one_socket_delays_no_other_socket(server: Server, room: Room) -> None:
    async def flood(socket: SocketIo) -> None:
        for _ in range(300):
            await socket.send("MARK_ATTENDANCE", {"studentId": room.students[0].id})
        await socket.send("GET_TODAY_SUMMARY")
        while (await socket.hear())[0] != "TODAY_SUMMARY":
            pass

    async with (
        events_socket(server.url, room.teacher.token) as busy,
        events_socket(server.url, room.students[1].token) as other,
    ):
        flooding = asyncio.create_task(flood(busy))
        assert await other.call("CHECK_MY_STATUS") == {"status": None}
        await flooding
