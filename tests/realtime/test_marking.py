"""A session from its first mark to DONE, frame by frame, through a real server process."""

from tests.realtime.conftest import People
from tests.realtime.contract import INVALID, NO_SESSION, done, marked, mine, summary
from tests.support.clients import Room, Socket, make_class
from tests.support.server import Server


async def test_a_mark_reaches_everybody_connected(server: Server, people: People, room: Room) -> None:
    first = room.students[0]
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as student,
        Socket(server.ws_url, people.outsider.token) as outsider,
        Socket(server.ws_url, people.other_teacher.token) as other_teacher,
    ):
        for status in ("present", "absent"):
            await teacher.mark(first.id, status)
            for socket in (teacher, student, outsider, other_teacher):
                assert await socket.frame() == marked(first.id, status)
        for socket in (teacher, student, outsider, other_teacher):
            await socket.hears_nothing()


async def test_the_slashed_path_is_the_same_socket(server: Server, room: Room) -> None:
    async with Socket(f"{server.ws_url}/", room.teacher.token) as teacher:
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)


async def test_an_upper_case_id_means_the_same_student(server: Server, room: Room) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.mark(room.students[0].id.upper())
        assert await teacher.frame() == marked(room.students[0].id)
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)
        await teacher.send("TODAY_SUMMARY")
        assert await teacher.frame() == summary(1, 0)


async def test_a_summary_counts_the_marks_so_far_and_goes_to_everybody(
    server: Server, people: People, room: Room
) -> None:
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as student,
        Socket(server.ws_url, people.outsider.token) as outsider,
    ):
        everybody = (teacher, student, outsider)
        await teacher.send("TODAY_SUMMARY")
        for socket in everybody:
            assert await socket.frame() == summary(0, 0)
        await teacher.mark(first.id)
        await teacher.mark(second.id, "absent")
        await teacher.send("TODAY_SUMMARY", {})
        for socket in everybody:
            assert await socket.frames(3) == [marked(first.id), marked(second.id, "absent"), summary(1, 1)]


async def test_a_summary_stands_behind_the_marks_that_its_sender_did_not_wait_for(server: Server, room: Room) -> None:
    first, second = room.students
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        for _ in range(20):
            await teacher.mark(first.id)
            await teacher.mark(second.id)
            await teacher.send("TODAY_SUMMARY")
            await teacher.mark(second.id, "absent")
            await teacher.send("TODAY_SUMMARY")
        expected = [
            marked(first.id),
            marked(second.id),
            summary(2, 0),
            marked(second.id, "absent"),
            summary(1, 1),
        ] * 20
        for socket in (teacher, student):
            assert await socket.frames(100) == expected


async def test_a_student_who_is_marked_again_counts_once(server: Server, room: Room) -> None:
    first, second = room.students
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        for student, status in ((first, "present"), (second, "present"), (first, "absent"), (first, "absent")):
            await teacher.mark(student.id, status)
            assert await teacher.frame() == marked(student.id, status)
        await teacher.send("TODAY_SUMMARY")
        assert await teacher.frame() == summary(1, 1)
        await teacher.send("DONE")
        assert await teacher.frame() == done(1, 1)


async def test_a_student_asks_for_their_own_status_and_nobody_else_hears_it(server: Server, room: Room) -> None:
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, first.token) as student,
        Socket(server.ws_url, first.token) as same_student,
        Socket(server.ws_url, second.token) as other_student,
    ):
        everybody = (teacher, student, same_student, other_student)
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("not yet updated")
        for status in ("present", "absent"):
            await teacher.mark(first.id, status)
            for socket in everybody:
                assert await socket.frame() == marked(first.id, status)
            await student.send("MY_ATTENDANCE", {})
            assert await student.frame() == mine(status)
            await other_student.send("MY_ATTENDANCE")
            assert await other_student.frame() == mine("not yet updated")
        for socket in everybody:
            await socket.hears_nothing()


async def test_done_makes_everybody_else_absent_and_keeps_the_records(server: Server, people: People) -> None:
    room = make_class(people.teacher, people.students)
    first, second, third = room.students
    for person in room.students:
        assert person.data("GET", f"/class/{room.class_id}/my-attendance")["status"] is None
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, second.token) as student,
        Socket(server.ws_url, people.outsider.token) as outsider,
    ):
        await teacher.mark(first.id)
        await teacher.mark(second.id)
        await teacher.mark(second.id, "absent")
        await teacher.send("DONE")
        told = [marked(first.id), marked(second.id), marked(second.id, "absent"), done(1, 2)]
        for socket in (teacher, student, outsider):
            assert await socket.frames(4) == told
            await socket.hears_nothing()
    expected = {first.id: "present", second.id: "absent", third.id: "absent"}
    assert server.database.records(room.class_id) == sorted(expected.items())
    for person in room.students:
        for path in (f"/class/{room.class_id}/my-attendance", f"/attendance/{room.class_id}/my-attendance"):
            answer = person.get(path).json()
            assert answer == {"success": True, "data": {"classId": room.class_id, "status": expected[person.id]}}


async def test_done_without_a_mark_makes_everybody_absent(server: Server, room: Room) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.send("DONE")
        assert await teacher.frame() == done(0, 2)
    assert [status for _, status in server.database.records(room.class_id)] == ["absent", "absent"]


async def test_after_done_nothing_of_the_session_can_be_used(server: Server, room: Room) -> None:
    first = room.students[0]
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        await teacher.mark(first.id)
        await teacher.send("DONE")
        await teacher.frames(2)
        await student.frames(2)
        for _ in range(2):
            await teacher.send("DONE")
            assert await teacher.error() == NO_SESSION
            await teacher.mark(first.id, "absent")
            assert await teacher.error() == NO_SESSION
            await teacher.send("TODAY_SUMMARY")
            assert await teacher.error() == NO_SESSION
            await teacher.send("SYNC")
            assert await teacher.error() == NO_SESSION
            await student.send("MY_ATTENDANCE")
            assert await student.error() == NO_SESSION
        await student.hears_nothing()
    assert server.database.journal(room.class_id) == [(1, first.id, "present")]
    assert first.data("GET", f"/class/{room.class_id}/my-attendance")["status"] == "present"


async def test_what_is_sent_behind_done_without_waiting_comes_too_late(server: Server, room: Room) -> None:
    first = room.students[0]
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.mark(first.id)
        await teacher.send("DONE")
        await teacher.mark(first.id, "absent")
        await teacher.send("DONE")
        assert await teacher.frames(2) == [marked(first.id), done(1, 1)]
        assert [await teacher.error(), await teacher.error()] == [NO_SESSION, NO_SESSION]


async def test_starting_again_after_done_opens_a_fresh_session(server: Server, room: Room) -> None:
    first = room.students[0]
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        await teacher.send("SYNC")
        started_at = (await teacher.frame())["data"]["startedAt"]
        await teacher.mark(first.id)
        await teacher.send("DONE")
        assert await student.frames(2) == [marked(first.id), done(1, 1)]
        assert room.start() > started_at
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("not yet updated")
        await teacher.frames(2)
        await teacher.send("TODAY_SUMMARY")
        assert await teacher.frame() == summary(0, 0, seq=0)
        await teacher.send("DONE")
        assert await teacher.frame() == done(0, 2, seq=0)
    assert len(server.database.records(room.class_id)) == 4
    assert first.data("GET", f"/class/{room.class_id}/my-attendance")["status"] == "absent"


async def test_starting_an_active_session_changes_nothing(server: Server, room: Room) -> None:
    first = room.students[0]
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        started_at = room.start()
        await teacher.mark(first.id)
        await teacher.frame()
        assert room.start() == started_at
        await teacher.send("TODAY_SUMMARY")
        assert await teacher.frame() == summary(1, 0)


async def test_events_without_data_take_an_object_and_nothing_else(server: Server, room: Room) -> None:
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        for data in ('"text"', "[]", "5", "null", "true"):
            for event in ("TODAY_SUMMARY", "DONE", "SYNC"):
                await teacher.send_raw(f'{{"event": "{event}", "data": {data}}}')
                assert await teacher.error() == INVALID
            await student.send_raw(f'{{"event": "MY_ATTENDANCE", "data": {data}}}')
            assert await student.error() == INVALID
        await teacher.send("DONE", {})
        assert await teacher.frame() == done(0, 2)
