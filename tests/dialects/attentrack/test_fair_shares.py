"""The limits on messages and on what a teacher makes, in AttenTrack's words."""

from collections.abc import Iterator
from typing import Any

import pytest

from dialects.attentrack.messages import LONGEST_PLACE
from tests.dialects.attentrack.people import LiveSchool, make_school
from tests.support.database import Databases
from tests.support.server import Server

TOO_MANY = {"type": "error", "message": "Too many requests"}
INVALID = {"type": "error", "message": "Invalid message format"}
#: More than can be sent before the server refuses one.
FLOOD = 40


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """One message of a kind to everybody a second, and two at once."""
    with Server(databases.fresh(), LIMIT_BROADCASTS="1") as running:
        yield running
        running.assert_clean()


@pytest.fixture
def school(server: Server) -> Iterator[LiveSchool]:
    made = make_school(server)
    yield made
    made.close()


@pytest.mark.one_database("These limits are counted in the process.")
@pytest.mark.parametrize(
    ("kind", "told", "fields"),
    [
        ("first_call", "first_call", {}),
        ("time_update", "time_update2", {"time": 5}),
        ("teacherLoc", "teacherLoc", {"location": {"latitude": 1, "longitude": 2}, "range": 5}),
    ],
)
async def test_messages_to_everybody_beyond_a_teachers_share_are_refused_to_the_sender(
    school: LiveSchool, kind: str, told: str, fields: dict[str, Any]
) -> None:
    async with school.teacher.socket() as teacher:
        for _ in range(FLOOD):
            await teacher.send(kind, **fields)
        frames = [await teacher.frame() for _ in range(FLOOD)]
        assert 2 <= [frame["type"] for frame in frames].count(told) < FLOOD
        assert [frame for frame in frames if frame["type"] != told] == [TOO_MANY] * frames.count(TOO_MANY)


@pytest.mark.one_database("These limits are of the message alone.")
async def test_what_everybody_is_told_is_short(school: LiveSchool) -> None:
    async with school.teacher.socket() as teacher:
        await teacher.send("time_update", time="x" * 200)
        await teacher.send("teacherLoc", location="", range="x" * 200)
        assert [await teacher.frame() for _ in range(2)] == [INVALID] * 2
    async with school.other_teacher.socket() as teacher:
        await teacher.send("time_update", time=1, location={"latitude": 1, "more": "x" * LONGEST_PLACE})
        await teacher.send("teacherLoc", location={"latitude": 1, "longitude": 2, "more": "x" * LONGEST_PLACE}, range=1)
        assert [await teacher.frame() for _ in range(2)] == [INVALID] * 2
