"""Who may send which event to `/ws/v2`, as one table. An event without a row fails the suite."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from dialects.v2.live.events import EVENTS
from tests.dialects.v2.socket import V2Socket
from tests.realtime.conftest import People, make_people
from tests.support.clients import Api, Person, Room, make_class
from tests.support.server import Server

pytestmark = pytest.mark.one_database(
    "Permissions stand above the database; what they let through, the contract's tests do on each."
)

WHO = ("owner", "co-teacher", "other teacher", "student", "stranger")

Row = tuple[str, ...]
TEACHERS: Row = ("OK", "OK", "session_not_found", "teacher_event_only", "teacher_event_only")
MEMBERS: Row = ("OK", "OK", "session_not_found", "OK", "session_not_found")
ANYBODY: Row = ("OK",) * 5

#: Event → what answers each of WHO: `OK`, or the code of an `ERROR`.
TABLE: Mapping[str, Row] = {
    "PING": ANYBODY,
    "FOLLOW": MEMBERS,
    "UNFOLLOW": ANYBODY,
    "MARK": TEACHERS,
    "REST": TEACHERS,
    "UNDO": tuple("nothing_to_undo" if answer == "OK" else answer for answer in TEACHERS),
    "END": TEACHERS,
    "CHECK_IN": ("student_event_only",) * 3 + ("check_in_closed",) * 2,
}


def test_every_event_has_a_row_and_every_row_an_event() -> None:
    assert TABLE.keys() == EVENTS.keys()


@dataclass
class Lesson:
    """An open session of a class with two teachers."""

    room: Room
    session: str
    people: Mapping[str, Person]


@pytest.fixture(scope="module")
def people(server: Server) -> Iterator[tuple[People, Person]]:
    """People, and a colleague of the teacher's."""
    made, api = make_people(server), Api(server.url)
    yield made, api.signup("teacher")
    made.teacher.http.close()
    api.close()


@pytest.fixture
def lesson(people: tuple[People, Person]) -> Lesson:
    made, colleague = people
    room = make_class(made.teacher, made.students[:1], start=False)
    room.teacher.data("POST", f"/api/v2/classes/{room.class_id}/teachers", {"email": colleague.email})
    session = room.teacher.data("POST", f"/api/v2/classes/{room.class_id}/sessions", {})["_id"]
    named = (made.teacher, colleague, made.other_teacher, made.students[0], made.outsider)
    return Lesson(room, session, dict(zip(WHO, named, strict=True)))


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_is_for_those_in_the_table(server: Server, lesson: Lesson, event: str, who: str) -> None:
    more: Mapping[str, Any] = {
        "MARK": {"marks": [{"studentId": lesson.room.students[0].id, "status": "present"}]},
        "REST": {"status": "absent"},
    }
    data: Mapping[str, Any] = (
        {"code": "0"}
        if event == "CHECK_IN"
        else {}
        if event == "PING"
        else {"session": lesson.session, **more.get(event, {})}
    )
    async with V2Socket(server, lesson.people[who]) as socket:
        *_, answer = await socket.asked(event, **data)
    expected = TABLE[event][WHO.index(who)]
    assert (answer == expected) if expected != "OK" else not isinstance(answer, str)


@pytest.mark.parametrize(
    ("who", "expected"),
    [*zip(WHO, ("OK", "OK", "class_not_found", "OK", "class_not_found"), strict=True)],
)
async def test_a_class_is_followed_by_its_members(server: Server, lesson: Lesson, who: str, expected: str) -> None:
    async with V2Socket(server, lesson.people[who]) as socket:
        *_, answer = await socket.asked("FOLLOW", class_=lesson.room.class_id)
    assert (answer == expected) if expected != "OK" else answer is None


@pytest.mark.parametrize("reference", ["f" * 24, "x", ""])
@pytest.mark.parametrize("event", ["FOLLOW", "UNDO", "END"])
async def test_what_there_is_not_is_not_found(server: Server, lesson: Lesson, event: str, reference: str) -> None:
    async with V2Socket(server, lesson.room.teacher) as socket:
        assert await socket.ask(event, session=reference) == "session_not_found"
