"""SYNC: a client that lost its socket asks for exactly what it missed, and goes on in order."""

import asyncio
import re

import pytest

from attendance.models import Mark
from core.times import to_iso
from tests.realtime.conftest import People
from tests.realtime.contract import INVALID, Frame, done, error, marked, summary
from tests.support.clients import Room, Socket
from tests.support.server import Server

AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")


def checked(answer: Frame, room: Room) -> list[tuple[int, str, str]]:
    """`(seq, student, status)` of the marks of a SYNC answer that has the contract's shape to the letter."""
    assert list(answer) == ["event", "data"]
    assert answer["event"] == "SYNC"
    data = answer["data"]
    assert set(data) == {"classId", "startedAt", "seq", "marks"}
    assert data["classId"] == room.class_id
    assert data["startedAt"] == room.start()
    for mark in data["marks"]:
        assert set(mark) == {"seq", "studentId", "status", "at"}
        assert AT.match(mark["at"])
    return [(mark["seq"], mark["studentId"], mark["status"]) for mark in data["marks"]]


async def test_sync_gives_all_marks_or_those_after_since(server: Server, room: Room) -> None:
    first, second = room.students
    marks = [(1, first.id, "present"), (2, second.id, "absent"), (3, first.id, "absent")]
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        await student.send("SYNC")
        answer = await student.frame()
        assert (checked(answer, room), answer["data"]["seq"]) == ([], 0)
        for _, student_id, status in marks:
            await teacher.mark(student_id, status)
        await student.frames(3)
        await teacher.frames(3)
        for data, expected in (
            (None, marks),
            ({}, marks),
            ({"since": 0}, marks),
            ({"since": 1}, marks[1:]),
            ({"since": 2}, marks[2:]),
            ({"since": 3}, []),
            ({"since": 4}, []),
            ({"since": 10**15}, []),
        ):
            for socket in (teacher, student):
                await socket.send("SYNC", data)
                answer = await socket.frame()
                assert (checked(answer, room), answer["data"]["seq"]) == (expected, 3)
        at = {mark["seq"]: mark["at"] for mark in (await _synced(teacher))["data"]["marks"]}
    stored = Mark.objects.filter(session__class_ref_id=room.class_id).values_list("seq", "at")
    assert at == {seq: to_iso(when) for seq, when in server.database.ask(lambda: list(stored))}


async def _synced(socket: Socket) -> Frame:
    await socket.send("SYNC")
    return await socket.frame()


@pytest.mark.parametrize("since", ["-1", '"1"', "null", "1.5", "true", "[]", "{}", "-9223372036854775808", '""'])
async def test_a_bad_since_is_an_invalid_message_and_syncs_nothing(server: Server, room: Room, since: str) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.send_raw(f'{{"event": "SYNC", "data": {{"since": {since}}}}}')
        assert await teacher.frame() == error(INVALID)
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)


async def test_after_sync_broadcasts_carry_their_seq_on_that_socket_alone(
    server: Server, people: People, room: Room
) -> None:
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as synced,
        Socket(server.ws_url, first.token) as plain,
        Socket(server.ws_url, people.outsider.token) as outsider,
    ):
        await synced.send("SYNC")
        await synced.frame()
        await teacher.mark(first.id)
        await teacher.mark(second.id, "absent")
        await teacher.send("TODAY_SUMMARY")
        await teacher.mark(second.id)
        await teacher.send("DONE")
        for socket in (teacher, plain, outsider):
            assert await socket.frames(5) == [
                marked(first.id),
                marked(second.id, "absent"),
                summary(1, 1),
                marked(second.id),
                done(2, 0),
            ]
        assert await synced.frames(5) == [
            marked(first.id, seq=1),
            marked(second.id, "absent", seq=2),
            summary(1, 1, seq=2),
            marked(second.id, seq=3),
            done(2, 0, seq=3),
        ]
        await synced.send("NOPE")
        assert await synced.frame() == error("Unknown event")  # answers to one socket have no seq


async def test_a_client_that_comes_back_hears_exactly_what_it_missed(server: Server, room: Room) -> None:
    first, second = room.students
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        async with Socket(server.ws_url, first.token) as student:
            await student.send("SYNC")
            await student.frame()
            await teacher.mark(first.id)
            assert await student.frame() == marked(first.id, seq=1)
        await teacher.mark(second.id)
        await teacher.mark(second.id, "absent")
        await teacher.frames(3)
        async with Socket(server.ws_url, first.token) as student:
            await student.send("SYNC", {"since": 1})
            answer = await student.frame()
            assert checked(answer, room) == [(2, second.id, "present"), (3, second.id, "absent")]
            await teacher.mark(first.id, "absent")
            assert await student.frame() == marked(first.id, "absent", seq=4)


async def test_the_answer_to_sync_stands_in_order_between_the_broadcasts(server: Server, room: Room) -> None:
    first = room.students[0]
    count = 400
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as student,
        Socket(server.ws_url, room.students[1].token) as late,
    ):
        await student.send("SYNC")
        await student.frame()

        answered = asyncio.Event()

        async def burst() -> None:
            """Its second half waits for the first answer to a SYNC, so that at least that one is in mid-burst."""
            for at in range(count):
                if at == count // 2:
                    await answered.wait()
                await teacher.mark(first.id)

        async def sync_again_and_again() -> None:
            """Reads all marks with a SYNC after every few."""
            seen = 0
            await student.send("SYNC", {"since": 0})
            while seen < count:
                frame = await student.frame()
                if frame["event"] == "SYNC":
                    assert frame["data"]["seq"] == seen
                    assert [mark["seq"] for mark in frame["data"]["marks"]] == list(range(1, seen + 1))
                    answered.set()
                    if seen < count:
                        await student.send("SYNC", {"since": 0})
                else:
                    seen += 1
                    assert frame == marked(first.id, seq=seen)

        async def sync_once() -> None:
            """A plain socket that turns to SYNC in the midst of the burst."""
            for _ in range(20):
                assert await late.frame() == marked(first.id)
            await late.send("SYNC", {"since": 20})
            seen = 20
            while (frame := await late.frame())["event"] != "SYNC":
                assert frame == marked(first.id)
                seen += 1
            assert frame["data"]["seq"] == seen
            assert [mark["seq"] for mark in frame["data"]["marks"]] == list(range(21, seen + 1))
            assert await late.frames(count - seen) == [marked(first.id, seq=seq) for seq in range(seen + 1, count + 1)]

        await asyncio.gather(burst(), sync_again_and_again(), sync_once())


async def test_many_syncs_at_once_share_answers_and_nobody_else_waits_for_them(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as flooding,
        Socket(server.ws_url, second.token) as other,
    ):
        for _ in range(20):
            await teacher.mark(second.id)
        for socket in (teacher, flooding, other):
            await socket.frames(20)
        for since in (*range(20), 0):
            await flooding.send("SYNC", {"since": since})
        await flooding.send("NOPE")
        await other.send("MY_ATTENDANCE")
        assert (await other.frame())["data"] == {"status": "present"}
        answers = []
        while (frame := await flooding.frame())["event"] == "SYNC":
            answers.append(checked(frame, room))
        assert frame == error("Unknown event")  # behind all of the answers
        assert 1 <= len(answers) <= 21
        assert [seq for seq, _, _ in answers[-1]] == list(range(1, 21))
