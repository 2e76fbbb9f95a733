"""A server that is stopped and comes back: the session goes on where it was."""

import asyncio
from collections.abc import Callable

from tests.realtime.conftest import make_people
from tests.realtime.contract import done, marked, mine, summary
from tests.support.clients import Socket, make_class
from tests.support.server import Server, only_serve


@only_serve
async def test_sigterm_closes_sockets_with_1012_and_the_session_goes_on_afterwards(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    people = make_people(server)
    room = make_class(people.teacher, people.students[:2])
    first, second = room.students
    started_at = room.start()
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as student,
        Socket(server.ws_url, people.outsider.token) as outsider,
    ):
        await student.send("SYNC")
        await student.frame()
        await teacher.mark(first.id)
        assert await student.frame() == marked(first.id, seq=1)
        status = await asyncio.to_thread(server.stop)
        for socket in (teacher, student, outsider):
            assert await socket.close_code() == 1012
        assert status == 0
    await asyncio.to_thread(server.restart)
    assert room.start() == started_at
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("present")
        await teacher.mark(second.id, "absent")
        assert await student.frame() == marked(second.id, "absent")
        await student.send("SYNC", {"since": 1})
        answer = (await student.frame())["data"]
        assert [(mark["seq"], mark["studentId"]) for mark in answer["marks"]] == [(2, second.id)]
        assert (answer["startedAt"], answer["seq"]) == (started_at, 2)
        await teacher.send("TODAY_SUMMARY")
        await teacher.send("DONE")
        assert await student.frames(2) == [summary(1, 1, seq=2), done(1, 1, seq=2)]


@only_serve
async def test_marks_on_their_way_at_sigterm_are_heard_only_if_they_are_kept(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()
    people = make_people(server)
    room = make_class(people.teacher, people.students[:1])
    student_id = room.students[0].id
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        for _ in range(100):  # a slow database takes a fraction of the time that a server that stops has for them
            await teacher.mark(student_id)
        assert await student.frame() == marked(student_id)  # so: in the midst of it
        await asyncio.to_thread(server.stop)
        heard = 1 + len(await student.rest())
        assert await student.close_code() == 1012
    kept = server.database.journal(room.class_id)
    assert [seq for seq, _, _ in kept] == list(range(1, len(kept) + 1))
    assert heard <= len(kept)
    await asyncio.to_thread(server.restart)
    async with Socket(server.ws_url, room.students[0].token) as student:
        await student.send("SYNC", {"since": heard})
        assert len((await student.frame())["data"]["marks"]) == len(kept) - heard
