"""Bursts and races: every socket hears every mark in order, and of several who want the same one wins."""

import asyncio
import contextlib

from accounts.models import User, announce_change
from core.database.unit_of_work import unit_of_work
from tests.realtime.conftest import People
from tests.realtime.contract import NO_SESSION, STUDENT_ONLY, Frame, done, error, marked, mine
from tests.support.clients import Api, Room, Socket, make_class
from tests.support.server import Server


async def sockets(stack: contextlib.AsyncExitStack, url: str, tokens: list[str]) -> list[Socket]:
    return list(await asyncio.gather(*(stack.enter_async_context(Socket(url, token)) for token in tokens)))


async def test_a_burst_of_300_marks_reaches_50_sockets_whole_and_in_order(
    server: Server, people: People, room: Room
) -> None:
    first, second = room.students
    marks = [((first, second)[at % 2].id, ("present", "absent")[at // 2 % 2]) for at in range(300)]
    tokens = [first.token, second.token, people.outsider.token, room.teacher.token, people.other_teacher.token] * 10
    async with contextlib.AsyncExitStack() as stack:
        listeners = await sockets(stack, server.ws_url, tokens)
        teacher = await stack.enter_async_context(Socket(server.ws_url, room.teacher.token))
        for synced in listeners[:5]:
            if synced is not listeners[2] and synced is not listeners[4]:
                await synced.send("SYNC")
                await synced.frame()
        for student_id, status in marks:
            await teacher.mark(student_id, status)
        expected = [marked(student_id, status) for student_id, status in marks]
        with_seq = [marked(student_id, status, seq=seq) for seq, (student_id, status) in enumerate(marks, start=1)]
        for at, socket in enumerate([*listeners, teacher]):
            assert await socket.frames(300) == (with_seq if at in (0, 1, 3) else expected)
            await socket.hears_nothing()
    assert server.database.journal(room.class_id) == [(seq, *mark) for seq, mark in enumerate(marks, start=1)]


async def test_two_classes_marked_at_once_do_not_mix(per_class_server: Server, per_class_people: People) -> None:
    people = per_class_people
    first, second, third = people.students
    make_class(people.teacher, [first, second])
    make_class(people.other_teacher, [second, third])
    our_marks = [(first, second)[at % 2].id for at in range(150)]
    their_marks = [(third, second)[at % 2].id for at in range(150)]
    async with contextlib.AsyncExitStack() as stack:
        tokens = [people.teacher.token] * 3 + [people.other_teacher.token] * 3 + [s.token for s in people.students]
        connected = await sockets(stack, per_class_server.ws_url, tokens)

        async def mark(socket: Socket, marks: list[str]) -> None:
            for student_id in marks:
                await socket.mark(student_id)

        await asyncio.gather(mark(connected[0], our_marks), mark(connected[3], their_marks))
        for socket in (*connected[:3], connected[6]):
            assert await socket.frames(150) == [marked(student_id) for student_id in our_marks]
        for socket in (*connected[3:6], connected[8]):
            assert await socket.frames(150) == [marked(student_id) for student_id in their_marks]
        both = await connected[7].frames(300)  # this student is in both classes
        assert sorted(map(str, both)) == sorted(str(marked(student_id)) for student_id in our_marks + their_marks)
        assert [frame for frame in both if frame == marked(first.id)] == [marked(first.id)] * 75
        for socket in connected:
            await socket.hears_nothing()


async def test_64_marks_from_64_sockets_are_64_marks(server: Server, people: People, room: Room) -> None:
    async with contextlib.AsyncExitStack() as stack:
        teachers = await sockets(stack, server.ws_url, [room.teacher.token] * 64)
        await asyncio.gather(*(teacher.mark(room.students[at % 2].id) for at, teacher in enumerate(teachers)))
        heard = [await teacher.frames(64) for teacher in teachers]
        assert all(frames == heard[0] for frames in heard)
        for teacher in teachers:
            await teacher.hears_nothing()
    stored = server.database.journal(room.class_id)
    assert [marked(student_id, status) for _, student_id, status in stored] == heard[0]
    assert [seq for seq, _, _ in stored] == list(range(1, 65))


async def test_of_64_dones_at_once_one_wins(server: Server, people: People, room: Room) -> None:
    async with contextlib.AsyncExitStack() as stack:
        teachers = await sockets(stack, server.ws_url, [room.teacher.token] * 64)
        student = await stack.enter_async_context(Socket(server.ws_url, room.students[0].token))
        await teachers[0].mark(room.students[0].id)
        for socket in (*teachers, student):
            await socket.frame()
        await asyncio.gather(*(teacher.send("DONE") for teacher in teachers))
        assert await student.frame() == done(1, 1)
        answers = [await teacher.frame() for teacher in teachers]
        answers += [frame for frame in [await _second(teacher) for teacher in teachers] if frame]
        assert answers.count(done(1, 1)) == 64  # everybody hears it once, the winner too
        assert answers.count(error(NO_SESSION)) == 63
        assert len(answers) == 64 + 63
        await student.hears_nothing()
    assert len(server.database.records(room.class_id)) == 2


async def _second(socket: Socket) -> Frame | None:
    """What the socket heard beside its first frame; None for the one that heard nothing else."""
    await socket.send("A PROBE")
    frame = await socket.frame()
    if frame == error("Unknown event"):
        return None
    await socket.frame()
    return frame


async def test_64_starts_at_once_are_one_session(server: Server, people: People) -> None:
    room = make_class(people.teacher, people.students[:1], start=False)
    started = await asyncio.gather(*(asyncio.to_thread(room.start) for _ in range(64)))
    assert len(set(started)) == 1


async def mark_until_over(socket: Socket, room: Room, at: int, heard: list[Frame]) -> int:
    """Marks on, a mark for each frame that comes, until DONE or a refusal comes; how many marks that were."""
    for number in range(40):
        await socket.mark(room.students[(at + number) % 2].id, ("present", "absent")[number // 2 % 2])
        heard.append(await socket.frame())
        if heard[-1]["event"] != "ATTENDANCE_MARKED":
            return number + 1
    return 40


async def end_soon(socket: Socket, heard: list[Frame]) -> int:
    """DONE, once the others are at it; no mark of its own."""
    heard += await socket.frames(4)
    await socket.send("DONE")
    return 0


async def test_marks_that_race_with_done_are_recorded_or_refused(server: Server, people: People) -> None:
    room = make_class(people.teacher, people.students[:2])
    refused = told = 0
    async with contextlib.AsyncExitStack() as stack:
        ender, *markers = await sockets(stack, server.ws_url, [room.teacher.token] * 5)
        student = await stack.enter_async_context(Socket(server.ws_url, room.students[0].token))
        for _ in range(20):
            room.start()
            before = len(server.database.records(room.class_id))
            heard_by: dict[Socket, list[Frame]] = {socket: [] for socket in (ender, *markers)}
            sent = await asyncio.gather(
                end_soon(ender, heard_by[ender]),
                *(mark_until_over(socket, room, at, heard_by[socket]) for at, socket in enumerate(markers)),
            )
            heard: list[Frame] = []
            while not heard or heard[-1]["event"] != "DONE":
                heard.append(await student.frame())
            await student.send("MY_ATTENDANCE")
            assert await student.frame() == error(NO_SESSION)  # and nothing before it: no mark after DONE

            statuses = {student.id: "absent" for student in room.students}
            statuses |= {frame["data"]["studentId"]: frame["data"]["status"] for frame in heard[:-1]}
            present = [*statuses.values()].count("present")
            assert heard[-1] == done(present, 2 - present)
            assert server.database.records(room.class_id)[before:] == sorted(statuses.items())

            errors = 0
            for socket, frames in heard_by.items():
                await socket.send("MY_ATTENDANCE")  # is answered behind all that this socket's marks came to
                while (frame := await socket.frame()) != error(STUDENT_ONLY):
                    frames.append(frame)
                assert [frame for frame in frames if frame != error(NO_SESSION)] == heard
                errors += frames.count(error(NO_SESSION))
            assert errors + len(heard) - 1 == sum(sent)
            refused += errors
            told += len(heard) - 1
    assert refused > 0, "no mark ever came too late: nothing raced"
    assert told > 0


@unit_of_work
def disable(user_id: str) -> None:
    """As a process would that nobody here hears of."""
    User.objects.filter(pk=user_id).update(is_active=False)
    announce_change()


async def test_a_revoked_teacher_who_does_not_read_can_mark_nobody_any_more(server: Server, people: People) -> None:
    """Such a socket stays connected for a while, because it does not take its close frame."""
    api = Api(server.url)
    room = make_class(api.signup("teacher"), people.students[:2])
    api.close()
    second = room.students[1]
    async with (
        Socket(server.ws_url, room.teacher.token, max_queue=1) as stuck,
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, second.token) as student,
    ):
        stuck.connection.transport.pause_reading()
        # Beyond what the kernel holds for a reader who does not read; and no commits, which on a slow database would
        # take so long that this one is let go before the account is disabled.
        count = 8000
        for _ in range(count):
            await teacher.send("TODAY_SUMMARY")
        await teacher.frames(count)
        await student.frames(count)
        server.database.ask(lambda: disable(room.teacher.id))
        assert await teacher.close_code() == 4401
        await stuck.mark(second.id)
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("not yet updated")
        await student.silence()
        stuck.connection.transport.abort()
    assert server.database.journal(room.class_id) == []
