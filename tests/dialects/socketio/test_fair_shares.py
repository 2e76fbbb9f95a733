"""The limits on sockets and messages, in the words of the two Socket.IO dialects."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.dialects.rooms.contract import ERROR
from tests.support.clients import Api
from tests.support.database import Databases
from tests.support.server import Server
from tests.support.socketio import Refused, events_socket, rooms_socket

pytestmark = pytest.mark.one_database("These limits are counted in the process.")

TOO_MANY = {"message": "Too many requests"}
#: More than can be sent before the server refuses one.
FLOOD = 60


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """A mark a second and ten at once, a read of a whole class a second and 20 at once, three sockets an account."""
    few = {"LIMIT_MARKS": "1", "LIMIT_READS": "1", "LIMIT_ACCOUNT_SOCKETS": "3"}
    with Server(databases.fresh(), LIVE_SESSIONS="per-class", **few) as running:
        yield running
        running.assert_clean()


async def test_marks_beyond_a_teachers_share_are_refused_in_each_dialects_words(server: Server, api: Api) -> None:
    room = api.make_room(1)
    mark = {"studentId": room.students[0].id}
    async with events_socket(server.url, room.teacher.token) as teacher:
        answers = [await teacher.call("MARK_ATTENDANCE", mark) for _ in range(FLOOD)]
        assert answers.count({**mark, "status": "present"}) >= 10
        assert answers.count(TOO_MANY) > 0
        heard = [await teacher.hear() for _ in range(FLOOD)]
        assert heard.count(("ERROR", TOO_MANY)) == answers.count(TOO_MANY)
    async with rooms_socket(server.url, room.teacher.token) as teacher:
        await teacher.send("startAttendanceSession", {"session_id": room.class_id})
        await teacher.hear("attendanceSessionStarted")
        of = {"session_id": room.class_id, "student_id": room.students[0].id}
        answers = [await teacher.call("markStudentAbsent", of) for _ in range(FLOOD)]
        assert answers.count(TOO_MANY) > 0
        assert (ERROR, TOO_MANY) in [await teacher.hear() for _ in range(FLOOD)]


async def test_marks_in_bulk_count_as_many_as_they_are(server: Server, api: Api) -> None:
    room = api.make_room(11)
    updates = [{"student_id": student.id, "status": "present"} for student in room.students]
    bulk = {"session_id": room.class_id, "attendanceUpdates": updates}
    async with rooms_socket(server.url, room.teacher.token) as teacher:
        await teacher.send("startAttendanceSession", {"session_id": room.class_id})
        await teacher.hear("attendanceSessionStarted")
        assert await teacher.call("bulkUpdateAttendance", bulk) == TOO_MANY  # eleven at once are one too many
        made = await teacher.call("bulkUpdateAttendance", {**bulk, "attendanceUpdates": updates[:5]})
        assert made["totalUpdated"] == 5
    assert len(server.database.journal(room.class_id)) == 5


async def test_reads_of_a_whole_class_have_a_share_of_their_own(server: Server, api: Api) -> None:
    room = api.make_room(1)
    async with rooms_socket(server.url, room.teacher.token) as teacher:
        asked = {"session_id": room.class_id}
        answers = [await teacher.call("getAttendanceSessionData", asked) for _ in range(FLOOD)]
        assert TOO_MANY in answers
        assert TOO_MANY not in answers[:20]


async def test_an_account_with_too_many_sockets_is_refused_at_the_handshake(server: Server, api: Api) -> None:
    token = api.signup("teacher").token
    async with events_socket(server.url, token), rooms_socket(server.url, token), events_socket(server.url, token):
        for socket in (events_socket(server.url, token), rooms_socket(server.url, token)):
            with pytest.raises(Refused, match="Too many requests"):
                await socket.__aenter__()


def test_clients_that_never_say_who_they_are_are_soon_too_many(make_server: Callable[..., Server]) -> None:
    server = make_server(LIMIT_HANDSHAKES="5")
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    answers = [httpx.get(url) for _ in range(10)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 5
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert httpx.get(f"{server.url}/healthz").status_code == 200
