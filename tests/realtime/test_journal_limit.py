"""A session's journal has a limit: then a mark is refused, and everything else goes on."""

from collections.abc import Iterator

import pytest

from attendance.models import Mark
from attendance_project.settings import LIMIT_JOURNAL as JOURNAL_MARKS
from tests.realtime.contract import done, error, marked, summary
from tests.support.clients import Room, Socket
from tests.support.database import Databases
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The limit is reckoned in the process.")


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """Its teachers may mark as fast as they like."""
    with Server(databases.fresh(), LIMIT_MARKS="0") as running:
        yield running
        running.assert_clean()


async def test_a_session_takes_a_thousand_marks_and_refuses_the_next(server: Server, room: Room) -> None:
    first, second = room.students  # 50 marks a student are fewer than a thousand
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        for _ in range(JOURNAL_MARKS - 1):
            await teacher.mark(first.id)
        for socket in (teacher, student):
            assert await socket.frames(JOURNAL_MARKS - 1) == [marked(first.id)] * (JOURNAL_MARKS - 1)
        await teacher.mark(second.id)
        await teacher.mark(second.id, "absent")
        assert {(await teacher.frame())["event"] for _ in range(2)} == {"ATTENDANCE_MARKED", "ERROR"}
        await teacher.mark(second.id, "absent")
        assert await teacher.frame() == error("Too many marks in this session")
        await teacher.send("TODAY_SUMMARY")
        await teacher.send("DONE")
        assert await teacher.frames(2) == [summary(2, 0), done(2, 0)]
        assert await student.frames(3) == [marked(second.id), summary(2, 0), done(2, 0)]
        # The next session has a journal of its own.
        room.start()
        await teacher.mark(first.id)
        assert await teacher.frame() == marked(first.id)
    of_class = Mark.objects.filter(session__class_ref_id=room.class_id)
    assert server.database.ask(of_class.count) == JOURNAL_MARKS + 1


async def test_marks_on_their_way_have_their_place_in_the_journal(server: Server, room: Room) -> None:
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        for _ in range(JOURNAL_MARKS + 20):  # none waits for the one before
            await teacher.mark(room.students[0].id)
        events = [(await teacher.frame())["event"] for _ in range(JOURNAL_MARKS + 20)]
    assert (events.count("ATTENDANCE_MARKED"), events.count("ERROR")) == (JOURNAL_MARKS, 20)
