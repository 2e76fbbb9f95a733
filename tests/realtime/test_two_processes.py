"""Two server processes over one SQLite file, between which no hint ever crosses: the look makes everything good."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.realtime.conftest import People
from tests.realtime.contract import NO_SESSION, Frame, done, error, marked, mine
from tests.support.clients import FRAME_LIMIT, Api, Person, Room, Socket, make_class
from tests.support.database import Databases
from tests.support.server import Server, two_servers

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def pair(databases: Databases) -> Iterator[tuple[Server, Server]]:
    """Two servers over one database."""
    with two_servers(databases.fresh(), LIMITS="False") as servers:
        yield servers


def new_student(server: Server) -> Person:
    """Somebody who is in no class yet, so that no earlier session of this module concerns them."""
    api = Api(server.url)
    student = api.signup("student")
    api.close()
    return student


async def known(server: Server, room: Room) -> None:
    """Returns once `server` knows that the room's session is the live one."""
    async with Socket(server.ws_url, room.teacher.token) as teacher, asyncio.timeout(FRAME_LIMIT):
        frame: Frame = {}
        while frame.get("event") != "SYNC" or frame["data"]["classId"] != room.class_id:
            await teacher.send("SYNC")
            frame = await teacher.frame()


async def test_marks_and_done_on_one_reach_the_sockets_of_the_other_in_order(
    pair: tuple[Server, Server], crowd: People
) -> None:
    here, there = pair
    room = make_class(crowd.teacher, [new_student(here), crowd.students[1]])
    first, second = room.students
    async with (
        Socket(here.ws_url, room.teacher.token) as teacher,
        Socket(there.ws_url, first.token) as student,
        Socket(there.ws_url, second.token) as synced,
        Socket(there.ws_url, crowd.outsider.token) as outsider,
    ):
        await student.send("MY_ATTENDANCE")  # a start elsewhere is found before anybody is refused
        assert await student.frame() == mine("not yet updated")
        await synced.send("SYNC")
        assert (await synced.frame())["data"]["seq"] == 0
        statuses = ["present", "absent", "absent", "present", "absent"]
        for status in statuses:
            await teacher.mark(first.id, status)
        for socket in (student, outsider):
            assert await socket.frames(5) == [marked(first.id, status) for status in statuses]
        assert await synced.frames(5) == [marked(first.id, status, seq=at) for at, status in enumerate(statuses, 1)]
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("absent")
        await teacher.mark(second.id)
        await teacher.send("DONE")
        for socket in (student, outsider):
            assert await socket.frames(2) == [marked(second.id), done(1, 1)]
        assert await synced.frames(2) == [marked(second.id, seq=6), done(1, 1, seq=6)]
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == error(NO_SESSION)


async def test_a_session_started_marked_and_done_at_once_on_one_is_heard_whole_on_the_other(
    pair: tuple[Server, Server], crowd: People
) -> None:
    here, there = pair
    room = make_class(crowd.teacher, crowd.students[:2], start=False)
    first = room.students[0]
    async with (
        Socket(here.ws_url, room.teacher.token) as teacher,
        Socket(there.ws_url, first.token) as student,
        Socket(there.ws_url, crowd.outsider.token) as outsider,
    ):
        for _ in range(3):  # each within one look, as likely as not
            room.start()
            await teacher.mark(first.id)
            await teacher.send("DONE")
            assert await teacher.frames(2) == [marked(first.id), done(1, 1)]
            for socket in (student, outsider):
                assert await socket.frames(2) == [marked(first.id), done(1, 1)]
        for socket in (student, outsider):
            await socket.hears_nothing()


async def test_marks_made_on_both_have_one_order_everywhere(pair: tuple[Server, Server], crowd: People) -> None:
    here, there = pair
    room = make_class(crowd.teacher, crowd.students[:2])
    first, second = room.students
    count = 100
    await known(here, room)
    await known(there, room)
    async with (
        Socket(here.ws_url, room.teacher.token) as teacher_here,
        Socket(there.ws_url, room.teacher.token) as teacher_there,
        Socket(here.ws_url, first.token) as synced_here,
        Socket(there.ws_url, first.token) as synced_there,
    ):
        for synced in (synced_here, synced_there):
            await synced.send("SYNC")
            await synced.frame()

        async def mark(socket: Socket, student: Person) -> None:
            for at in range(count):
                await socket.mark(student.id, ("present", "absent")[at % 2])

        await asyncio.gather(mark(teacher_here, first), mark(teacher_there, second))
        heard = [await socket.frames(2 * count) for socket in (synced_here, synced_there)]
        stored = [
            marked(student_id, status, seq=seq) for seq, student_id, status in here.database.journal(room.class_id)
        ]
        assert len(stored) == 2 * count
        assert heard == [stored, stored]
        await asyncio.gather(teacher_here.send("DONE"), teacher_there.send("DONE"))
        for synced in (synced_here, synced_there):
            assert await synced.frame() == done(0, 2, seq=2 * count)
            await synced.hears_nothing()
    assert len(here.database.records(room.class_id)) == 2


async def test_a_class_started_on_one_sets_aside_the_session_of_the_other(
    pair: tuple[Server, Server], crowd: People
) -> None:
    here, there = pair
    ours = make_class(crowd.teacher, crowd.students[:1])
    await known(there, ours)
    await known(here, ours)
    async with (
        Socket(there.ws_url, crowd.teacher.token) as teacher,
        Socket(there.ws_url, crowd.other_teacher.token) as other_teacher,
        Socket(here.ws_url, crowd.outsider.token) as listener,
    ):
        await teacher.mark(ours.students[0].id)
        assert await teacher.frame() == marked(ours.students[0].id)
        assert await other_teacher.frame() == marked(ours.students[0].id)
        assert await listener.frame() == marked(ours.students[0].id)
        theirs = make_class(crowd.other_teacher, crowd.students[1:2])
        await known(there, theirs)
        await known(here, theirs)
        await other_teacher.mark(theirs.students[0].id)
        for socket in (other_teacher, teacher, listener):
            assert await socket.frame() == marked(theirs.students[0].id)
        await teacher.send("TODAY_SUMMARY")
        assert await teacher.frame() == error(NO_SESSION)


async def test_a_student_enrolled_on_one_can_be_marked_on_the_other(pair: tuple[Server, Server], crowd: People) -> None:
    here, there = pair
    room = make_class(crowd.teacher, crowd.students[:1])
    added = new_student(here)
    await known(there, room)
    async with Socket(there.ws_url, room.teacher.token) as teacher:
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)
        room.teacher.data("POST", f"/class/{room.class_id}/add-student", {"studentId": added.id})
        await teacher.mark(added.id)
        assert await teacher.frame() == marked(added.id)


async def test_the_first_mark_after_a_start_elsewhere_is_not_held_against_the_class_before(
    pair: tuple[Server, Server], crowd: People
) -> None:
    here, there = pair
    before = make_class(crowd.teacher, crowd.students[:1])
    await known(there, before)
    for _ in range(3):
        async with Socket(there.ws_url, crowd.teacher.token) as teacher:
            room = make_class(crowd.teacher, [new_student(here)])
            await teacher.mark(room.students[0].id)
            assert await teacher.frame() == marked(room.students[0].id)
    assert here.database.journal(before.class_id) == []


async def test_the_last_words_of_two_sessions_within_one_look_are_heard(
    pair: tuple[Server, Server], crowd: People
) -> None:
    """One class is started, marked and done, and then another, before the other process looks."""
    here, there = pair
    ours, theirs = (
        make_class(teacher, crowd.students[:1], start=False) for teacher in (crowd.teacher, crowd.other_teacher)
    )
    student_id = crowd.students[0].id
    async with (
        Socket(here.ws_url, crowd.teacher.token) as teacher,
        Socket(here.ws_url, crowd.other_teacher.token) as other_teacher,
        Socket(there.ws_url, crowd.outsider.token) as listener,
    ):
        for _ in range(5):
            for room, socket in ((ours, teacher), (theirs, other_teacher)):
                room.start()
                await socket.mark(student_id)
                await socket.send("DONE")
                for hearer in (teacher, other_teacher):
                    assert await hearer.frames(2) == [marked(student_id), done(1, 0)]
        ours.start()
        await known(there, ours)
        await teacher.mark(student_id, "absent")
        heard = [await listener.frame()]
        while heard[-1] != marked(student_id, "absent"):
            heard.append(await listener.frame())
        assert heard[:-1] == [marked(student_id), done(1, 0)] * 10
