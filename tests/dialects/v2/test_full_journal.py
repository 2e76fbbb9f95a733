"""A session whose journal is full answers a mark that is in it, sent again by its key, and refuses others."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from attendance.models import Mark
from tests.dialects.v2.socket import V2Socket
from tests.realtime.conftest import People
from tests.support.clients import Room, make_class
from tests.support.database import Databases
from tests.support.server import Server


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    with Server(databases.fresh(), LIMIT_JOURNAL="2", LIMIT_JOURNAL_A_STUDENT="1") as running:
        yield running
        running.assert_clean()


@pytest.fixture
def room(people: People) -> Room:
    return make_class(people.teacher, people.students[:2])


@pytest.fixture
def session(room: Room) -> str:
    listed = room.teacher.data("GET", f"/api/v2/classes/{room.class_id}/sessions")["items"]
    return str(listed[0]["_id"])


@pytest.fixture
def queue(room: Room) -> list[dict[str, Any]]:
    """A mark of each student, and a room for no more."""
    return [{"studentId": one.id, "status": "present", "key": f"of {one.name}"} for one in room.students]


def marks_of(server: Server, session: str) -> int:
    return int(server.database.ask(Mark.objects.filter(session_id=session).count))


async def test_over_a_socket(server: Server, room: Room, session: str, queue: list[dict[str, Any]]) -> None:
    async with V2Socket(server, room.teacher) as desk:
        first = await desk.ask("MARK", session=session, marks=queue[:1])
        full = await desk.ask("MARK", session=session, marks=queue)
        assert [mark["seq"] for mark in full["marks"]] == [1, 2], "only what is new needs room"
        assert await desk.ask("MARK", session=session, marks=queue) == full
        assert await desk.ask("MARK", session=session, marks=queue[:1]) == first
        another = [queue[0], {**queue[1], "key": "another"}]
        assert await desk.ask("MARK", session=session, marks=another) == "journal_full"
        assert await desk.ask("MARK", session=session, marks=[{**queue[0], "key": None}]) == "journal_full"
    assert marks_of(server, session) == 2


async def test_over_a_socket_while_the_first_is_on_its_way(
    server: Server, room: Room, session: str, queue: list[dict[str, Any]]
) -> None:
    async with V2Socket(server, room.teacher) as desk:
        for number in range(5):  # none waits for the one before
            message = {"event": "MARK", "data": {"session": session, "marks": queue}, "id": number}
            await desk.send_raw(json.dumps(message))
        answers = [await desk.until("OK") for _ in range(5)]
    assert [answer["id"] for answer in answers] == [*range(5)]
    assert len({json.dumps(answer["data"]) for answer in answers}) == 1
    assert marks_of(server, session) == 2


def test_over_rest(server: Server, room: Room, session: str, queue: list[dict[str, Any]]) -> None:
    path = f"/api/v2/sessions/{session}/marks"
    full = room.teacher.data("POST", path, {"marks": queue})
    assert room.teacher.data("POST", path, {"marks": queue}) == full
    refused = room.teacher.request("POST", path, {"marks": [{**queue[0], "key": "another"}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "journal_full")
    assert marks_of(server, session) == 2
