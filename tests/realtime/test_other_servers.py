"""The contract in short under the other ways to run the application: daphne, granian, runserver, uvicorn as it comes.

`make test-servers` runs all of this folder, and Socket.IO's tests, under each.
"""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from attendance.enums import Method, Status
from attendance.models import Mark, Session
from core.times import now
from tests.api.test_metrics import samples, until
from tests.realtime.conftest import make_people
from tests.realtime.contract import INVALID, UNAUTHORIZED, done, error, marked, mine, summary
from tests.support.clients import Api, Room, Socket, make_class
from tests.support.server import OTHER_SERVERS, SERVE, TOO_BIG, Server, heard

pytestmark = [pytest.mark.long, pytest.mark.one_database("What differs is the ASGI server.")]


@pytest.mark.parametrize("name", OTHER_SERVERS)
async def test_the_contract_holds_under_the_server(make_server: Callable[..., Server], name: str) -> None:
    server = make_server(command=OTHER_SERVERS[name])
    people = make_people(server)
    room = make_class(people.teacher, people.students[:2])
    first, second = room.students
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(f"{server.ws_url}/", first.token) as student,
        Socket(server.ws_url, None, subprotocols=["attendance.v1", second.token]) as synced,
        Socket(server.ws_url, None, additional_headers={"Authorization": people.outsider.token}) as outsider,
    ):
        assert synced.connection.subprotocol == "attendance.v1"
        await synced.send("SYNC")
        assert (await synced.frame())["data"]["marks"] == []
        for _ in range(50):
            await teacher.mark(first.id)
            await teacher.mark(second.id, "absent")
        await teacher.send("TODAY_SUMMARY")
        told = [marked(first.id), marked(second.id, "absent")] * 50 + [summary(1, 1)]
        for socket in (teacher, student, outsider):
            assert await socket.frames(101) == told
        assert [frame["seq"] for frame in await synced.frames(101)] == [*range(1, 101), 100]
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("present")
        for frame in ("{", b'{"event": "DONE"}', '{"event": "TODAY_SUMMARY", "data": 5}', "x" * 64 * 1024):
            await teacher.send_raw(frame)
            assert await teacher.frame() == error(INVALID)
        await teacher.send("DONE")
        for socket in (teacher, student, outsider):
            assert await socket.frame() == done(1, 1)
        assert await synced.frame() == done(1, 1, seq=100)
    assert len(server.database.records(room.class_id)) == 2

    async with Socket(server.ws_url, "hello") as stranger:
        assert await stranger.rest() == [error(UNAUTHORIZED)]
        assert await stranger.close_code() == 4401
    for frame in ("x" * (64 * 1024 + 1), "é" * (32 * 1024 + 1), b"x" * (64 * 1024 + 1)):
        async with Socket(server.ws_url, room.teacher.token) as teacher:
            await teacher.send_raw(frame)
            assert await teacher.close_code() == heard(TOO_BIG, name)


LARGE = ["--websocket-max-message-size", "67108864", "--websocket-max-frame-size", "67108864"]
#: Marks whose answer to SYNC is larger than 1 MiB.
MANY = 12_000
SERVES = [*SERVE, "--port", "{port}"]


def long_session(server: Server) -> Room:
    """A class whose live session has MANY marks, which the server knows when it starts again."""
    room = Api(server.url).make_room(2)
    session = server.database.ask(lambda: Session.objects.get(class_ref_id=room.class_id))
    moment = now()
    marks = [
        Mark(
            session=session,
            seq=seq,
            student_id=room.students[seq % 2].id,
            status=Status.PRESENT,
            at=moment,
            by_id=room.teacher.id,
            method=Method.TEACHER,
        )
        for seq in range(1, MANY + 1)
    ]

    def write() -> None:
        Mark.objects.bulk_create(marks, batch_size=1000)
        Session.objects.filter(pk=session.pk).update(last_seq=MANY, last_activity_at=moment)

    server.stop()
    server.database.ask(write)
    server.start()
    return room


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(OTHER_SERVERS["runserver"], id="runserver"),
        pytest.param([*OTHER_SERVERS["daphne"][:-1], *LARGE, OTHER_SERVERS["daphne"][-1]], id="daphne as documented"),
    ],
)
async def test_daphne_sends_an_answer_of_more_than_a_mebibyte_as_one_message(
    make_server: Callable[..., Server], command: Sequence[str]
) -> None:
    server = make_server(command=command, LIMITS="False")
    room = long_session(server)
    async with Socket(server.ws_url, room.students[0].token, max_size=None) as student:
        await student.send("SYNC")
        answer = [mark["seq"] for mark in (await student.frame())["data"]["marks"]]
        assert answer == list(range(1, MANY + 1))


@pytest.mark.parametrize("name", ["serve", *OTHER_SERVERS])
async def test_a_client_that_vanishes_or_leaves_with_any_code_is_let_go_of(
    make_server: Callable[..., Server], name: str
) -> None:
    server = make_server(command=OTHER_SERVERS.get(name, SERVES), METRICS="127.0.0.1")
    room = Api(server.url).make_room(2)
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        leavers = [Socket(server.ws_url, student.token) for student in room.students * 2]
        for leaver in leavers:
            await leaver.__aenter__()
            await leaver.send("MY_ATTENDANCE")
            await leaver.frame()
        assert (await asyncio.to_thread(samples, server))["attendance_sockets", ""] == 5
        await leavers[0].connection.close()
        await leavers[1].connection.close(4000, "bye")
        for vanishing in leavers[2:]:
            await vanishing.send("SYNC")  # its answer is under way
            vanishing.connection.transport.abort()
        await until(server, lambda found: found["attendance_sockets", ""] == 1)
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)


async def test_what_was_told_before_daphne_stopped_without_a_word_is_there_when_it_is_back(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(command=OTHER_SERVERS["daphne"])
    room = Api(server.url).make_room(1)
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)
        server.stop()
    server.start()
    async with Socket(server.ws_url, room.students[0].token) as student:
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("present")
