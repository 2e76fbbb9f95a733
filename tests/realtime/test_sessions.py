"""Whose session is active, one at a time and one a class; sessions that are set aside, resumed, forgotten."""

import asyncio
from collections.abc import Callable

import pytest

from attendance.models import Session
from tests.realtime.conftest import People, make_people
from tests.realtime.contract import NO_SESSION, done, error, marked, mine, summary
from tests.support.clients import FRAME_LIMIT, Room, Socket, make_class
from tests.support.server import Server

pytestmark = pytest.mark.long


class TestOneAtATime:
    async def test_starting_another_class_sets_the_first_aside_and_its_start_resumes_it(
        self, server: Server, people: People
    ) -> None:
        first, second = people.students[:2]
        ours = make_class(people.teacher, [first])
        started_at = ours.start()
        async with (
            Socket(server.ws_url, people.teacher.token) as teacher,
            Socket(server.ws_url, people.other_teacher.token) as other_teacher,
            Socket(server.ws_url, first.token) as student,
            Socket(server.ws_url, second.token) as other_student,
        ):
            everybody = (teacher, other_teacher, student, other_student)
            await teacher.mark(first.id)
            for socket in everybody:
                assert await socket.frame() == marked(first.id)

            theirs = make_class(people.other_teacher, [second])
            for socket, event in ((teacher, "TODAY_SUMMARY"), (teacher, "DONE"), (student, "MY_ATTENDANCE")):
                await socket.send(event)
                assert await socket.frame() == error(NO_SESSION)
            await teacher.mark(first.id, "absent")
            assert await teacher.frame() == error(NO_SESSION)
            await other_student.send("MY_ATTENDANCE")
            assert await other_student.frame() == mine("not yet updated")
            await other_teacher.mark(second.id, "absent")
            await other_teacher.send("TODAY_SUMMARY")
            for socket in everybody:
                assert await socket.frames(2) == [marked(second.id, "absent"), summary(0, 1)]

            assert ours.start() == started_at
            await student.send("MY_ATTENDANCE")
            assert await student.frame() == mine("present")
            await other_teacher.send("DONE")
            assert await other_teacher.frame() == error(NO_SESSION)
            await teacher.send("DONE")
            for socket in everybody:
                assert await socket.frame() == done(1, 0)

            # The end of one leaves the other aside until its own start.
            await other_teacher.send("TODAY_SUMMARY")
            assert await other_teacher.frame() == error(NO_SESSION)
            theirs.start()
            await other_teacher.send("DONE")
            for socket in everybody:
                assert await socket.frame() == done(0, 1)
        assert server.database.journal(ours.class_id) == [(1, first.id, "present")]
        assert server.database.records(theirs.class_id) == [(second.id, "absent")]

    async def test_two_classes_of_one_teacher_take_turns(self, server: Server, people: People) -> None:
        first, second = people.students[:2]
        async with Socket(server.ws_url, people.teacher.token) as teacher:
            physics = make_class(people.teacher, [first])
            await teacher.mark(first.id)
            assert await teacher.frame() == marked(first.id)
            chemistry = make_class(people.teacher, [second])
            await teacher.mark(first.id)
            assert await teacher.error() == "Student not enrolled in class"
            # There is no choosing here: the class that `data` may name means nothing.
            await teacher.send(
                "ATTENDANCE_MARKED", {"studentId": second.id, "status": "present", "classId": physics.class_id}
            )
            assert await teacher.frame() == marked(second.id)
            await teacher.send("DONE", {"classId": physics.class_id})
            assert await teacher.frame() == done(1, 0)
        assert server.database.records(physics.class_id) == []
        assert len(server.database.records(chemistry.class_id)) == 1

    async def test_a_race_between_done_and_another_start_tells_done_once(self, server: Server, people: People) -> None:
        """DONE comes to its sender once, whether the other class's session set this one aside before or after."""
        room = make_class(people.teacher, people.students[:1])
        other_room = make_class(people.other_teacher, people.students[1:2])
        async with Socket(server.ws_url, people.teacher.token) as teacher:
            for _ in range(40):
                room.start()
                await teacher.mark(room.students[0].id)
                await asyncio.gather(teacher.send("DONE"), asyncio.to_thread(other_room.start))
                frames = await teacher.frames(2)
                await teacher.hears_nothing()
                assert frames in (
                    [marked(room.students[0].id), done(1, 0)],
                    [marked(room.students[0].id), error(NO_SESSION)],
                    [error(NO_SESSION), error(NO_SESSION)],
                )

    async def test_a_race_between_marks_and_another_start_tells_each_mark_once(
        self, server: Server, people: People
    ) -> None:
        room = make_class(people.teacher, people.students[:1])
        other_room = make_class(people.other_teacher, people.students[1:2])
        told = 0
        async with Socket(server.ws_url, people.teacher.token) as teacher:
            for _ in range(40):
                room.start()
                starting = asyncio.create_task(asyncio.to_thread(other_room.start))
                for _ in range(5):
                    await teacher.mark(room.students[0].id)
                frames = await teacher.frames(5)
                await starting
                await teacher.hears_nothing()
                told += frames.count(marked(room.students[0].id))
                assert all(frame in (marked(room.students[0].id), error(NO_SESSION)) for frame in frames)
        assert len(server.database.journal(room.class_id)) == told


class TestOneAClass:
    async def test_broadcasts_reach_only_the_class(self, per_class_server: Server, per_class_people: People) -> None:
        people, url = per_class_people, per_class_server.ws_url
        first, second, third = people.students
        ours, theirs = make_class(people.teacher, [first, second]), make_class(people.other_teacher, [second, third])
        async with (
            Socket(url, people.teacher.token) as teacher,
            Socket(url, people.other_teacher.token) as other_teacher,
            Socket(url, first.token) as in_ours,
            Socket(url, second.token) as in_both,
            Socket(url, third.token) as in_theirs,
            Socket(url, people.outsider.token) as outsider,
        ):
            await teacher.mark(first.id)
            await teacher.send("TODAY_SUMMARY")
            for socket in (teacher, in_ours, in_both):
                assert await socket.frames(2) == [marked(first.id), summary(1, 0)]
            await other_teacher.mark(third.id, "absent")
            for socket in (other_teacher, in_both, in_theirs):
                assert await socket.frame() == marked(third.id, "absent")
            # Both are live: neither start set the other aside.
            await teacher.send("DONE")
            for socket in (teacher, in_ours, in_both):
                assert await socket.frame() == done(1, 1)
            await other_teacher.send("DONE")
            for socket in (other_teacher, in_both, in_theirs):
                assert await socket.frame() == done(0, 2)
            for socket in (teacher, other_teacher, in_ours, in_both, in_theirs, outsider):
                await socket.hears_nothing()
        assert len(per_class_server.database.records(ours.class_id)) == 2
        assert len(per_class_server.database.records(theirs.class_id)) == 2

    async def test_the_session_started_last_counts_and_class_id_chooses_another(
        self, per_class_server: Server, per_class_people: People
    ) -> None:
        people, url = per_class_people, per_class_server.ws_url
        student = people.students[0]
        early, late = make_class(people.teacher, [student]), make_class(people.teacher, [student])
        foreign = make_class(people.other_teacher, people.students[1:2])
        early.start()  # resuming is no start
        async with Socket(url, people.teacher.token) as teacher, Socket(url, student.token) as listener:
            await teacher.mark(student.id)
            await teacher.send(
                "ATTENDANCE_MARKED", {"studentId": student.id, "status": "absent", "classId": early.class_id.upper()}
            )
            for socket in (teacher, listener):
                assert await socket.frames(2) == [marked(student.id), marked(student.id, "absent")]
            for class_id, status in ((None, "present"), (late.class_id, "present"), (early.class_id, "absent")):
                await listener.send("MY_ATTENDANCE", None if class_id is None else {"classId": class_id})
                assert await listener.frame() == mine(status)
            for class_id in (foreign.class_id, "abc", "", "0" * 24):
                for event in ("TODAY_SUMMARY", "DONE", "SYNC"):
                    await teacher.send(event, {"classId": class_id})
                    assert await teacher.frame() == error(NO_SESSION)
            await teacher.send("SYNC", {"classId": early.class_id})
            assert (await teacher.frame())["data"]["classId"] == early.class_id
            await teacher.send("DONE")
            assert await teacher.frame() == done(1, 0, seq=1)
            await teacher.send("DONE")  # now the early one is the last one
            assert await teacher.frame() == done(0, 1, seq=1)
        assert per_class_server.database.records(late.class_id) == [(student.id, "present")]
        assert per_class_server.database.records(early.class_id) == [(student.id, "absent")]

    async def test_a_session_that_was_deleted_is_over(self, per_class_server: Server, per_class_people: People) -> None:
        people = per_class_people
        room = make_class(people.teacher, people.students[:1])
        async with Socket(per_class_server.ws_url, people.outsider.token) as outsider:
            await outsider.hears_nothing()
        async with Socket(per_class_server.ws_url, room.students[0].token) as student:
            await student.send("SYNC", {"classId": room.class_id})
            await student.frame()
            sessions = Session.objects.filter(class_ref_id=room.class_id)
            per_class_server.database.ask(sessions.delete)  # and the focus with it
            async with asyncio.timeout(FRAME_LIMIT):
                frame = mine("not yet updated")
                while frame == mine("not yet updated"):
                    await student.send("MY_ATTENDANCE", {"classId": room.class_id})
                    frame = await student.frame()
        assert frame == error(NO_SESSION)


class TestForgotten:
    """Sessions without a mark for SESSION_IDLE_MINUTES; the clock is the database's, moved by the test."""

    async def test_a_session_that_nobody_marks_in_ends_as_done_would_end_it(self, server: Server, room: Room) -> None:
        first, second = room.students
        async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
            await teacher.mark(first.id)
            await teacher.frame()
            await student.frame()
            server.database.forget(room.class_id)
            for socket in (teacher, student):
                assert await socket.frame() == done(1, 1)
            await teacher.mark(second.id)
            assert await teacher.frame() == error(NO_SESSION)
        expected = {first.id: "present", second.id: "absent"}
        assert server.database.records(room.class_id) == sorted(expected.items())
        assert second.data("GET", f"/class/{room.class_id}/my-attendance")["status"] == "absent"

    async def test_a_forgotten_session_without_a_mark_is_voided_and_nobody_is_told(
        self, server: Server, room: Room
    ) -> None:
        first = room.students[0]
        async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
            await student.hears_nothing()
            server.database.forget(room.class_id)
            async with asyncio.timeout(FRAME_LIMIT):
                frame = mine("not yet updated")
                while frame == mine("not yet updated"):
                    await student.send("MY_ATTENDANCE")
                    frame = await student.frame()
            assert frame == error(NO_SESSION)
            for socket in (teacher, student):
                await socket.hears_nothing()
        assert server.database.records(room.class_id) == []
        assert server.database.states(room.class_id) == ["voided"]
        assert first.data("GET", f"/class/{room.class_id}/my-attendance")["status"] is None

    async def test_a_forgotten_session_that_was_set_aside_ends_and_nobody_is_told(
        self, server: Server, people: People
    ) -> None:
        aside = make_class(people.teacher, people.students[:2])
        async with Socket(server.ws_url, people.teacher.token) as teacher:
            await teacher.mark(aside.students[0].id)
            await teacher.frame()
            live = make_class(people.other_teacher, people.students[:1])
            server.database.forget(aside.class_id)
            async with Socket(server.ws_url, live.teacher.token) as other_teacher, asyncio.timeout(FRAME_LIMIT):
                while not server.database.records(aside.class_id):
                    await other_teacher.mark(live.students[0].id)
                    assert await other_teacher.frame() == marked(live.students[0].id)
                    assert await teacher.frame() == marked(live.students[0].id)
                await other_teacher.send("DONE")
                for socket in (teacher, other_teacher):
                    assert await socket.frame() == done(1, 0)
                    await socket.hears_nothing()

    @pytest.mark.parametrize("was_marked", [True, False], ids=["with a mark", "without a mark"])
    async def test_the_next_start_never_resumes_a_forgotten_session(
        self, make_server: Callable[..., Server], was_marked: bool
    ) -> None:
        server = make_server()
        people = make_people(server)
        room = make_class(people.teacher, people.students[:2])
        started_at = room.start()
        first = room.students[0]
        if was_marked:
            async with Socket(server.ws_url, room.teacher.token) as teacher:
                await teacher.mark(first.id)
                await teacher.frame()
        server.stop()
        server.database.forget(room.class_id, hours=24)
        server.restart()
        assert room.start() != started_at
        async with Socket(server.ws_url, first.token) as student:
            await student.send("MY_ATTENDANCE")
            assert await student.frame() == mine("not yet updated")
        assert server.database.states(room.class_id) == ["ended" if was_marked else "voided", "open"]
        assert len(server.database.records(room.class_id)) == (2 if was_marked else 0)
