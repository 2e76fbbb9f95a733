"""What one account's sockets, one address and one client may have and send, on a server with small limits."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.realtime.contract import error, marked
from tests.support.clients import NO_CERTIFICATES, Api, Room, Socket
from tests.support.database import Databases
from tests.support.server import TRY_AGAIN_LATER, Server, heard, only_serve

pytestmark = pytest.mark.one_database("These limits are counted in the process.")

TOO_MANY = "Too many requests"
#: More than can be sent before the server refuses one, and more than comes again meanwhile.
FLOOD = 60


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """One mark a second and ten at once; one broadcast of a kind or SYNC a second and two at once; and so on."""
    limits = {"MARKS": 1, "MESSAGES": 1, "SYNCS": 1, "BROADCASTS": 1, "ACCOUNT_SOCKETS": 3, "ADDRESS_SOCKETS": 8}
    few = {f"LIMIT_{name}": str(number) for name, number in limits.items()}
    with Server(databases.fresh(), LIVE_SESSIONS="per-class", **few) as running:
        yield running
        running.assert_clean()


async def answers(socket: Socket, count: int) -> tuple[int, int]:
    """How many of the next frames are none of a refusal, and how many are."""
    frames = [await socket.frame() for _ in range(count)]
    refused = frames.count(error(TOO_MANY))
    assert sum(frame["event"] == "ERROR" for frame in frames) == refused, frames
    return count - refused, refused


async def test_marks_beyond_a_teachers_share_are_refused_and_the_others_are_all_told(server: Server, api: Api) -> None:
    room = api.make_room(1)
    student_id = room.students[0].id
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as pupil,
    ):
        for _ in range(FLOOD):
            await teacher.mark(student_id)
        made, refused = await answers(teacher, FLOOD)
        assert made >= 10
        assert refused > 0
        assert await pupil.frames(made) == [marked(student_id)] * made
        assert len(server.database.journal(room.class_id)) == made


@pytest.mark.parametrize(("event", "answer"), [("SYNC", "SYNC"), ("TODAY_SUMMARY", "TODAY_SUMMARY")])
async def test_what_costs_much_has_a_smaller_share(server: Server, api: Api, event: str, answer: str) -> None:
    room = api.make_room(1)
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        for _ in range(FLOOD):
            await teacher.send(event)
        refused = 0
        while refused < FLOOD // 2:  # several SYNCs that wait share an answer
            frame = await teacher.frame()
            assert frame["event"] in (answer, "ERROR")
            refused += frame == error(TOO_MANY)
        # Another person, and what is counted elsewhere, has nothing to do with it.
        await teacher.mark(room.students[0].id)
        while (frame := await teacher.frame())["event"] != "ATTENDANCE_MARKED":
            assert frame["event"] == answer or frame == error(TOO_MANY)
    async with Socket(server.ws_url, room.students[0].token) as pupil:
        await pupil.send("SYNC")
        assert (await pupil.frame())["event"] == "SYNC"


async def test_an_accounts_sockets_share_what_it_may_send(server: Server, api: Api) -> None:
    room = api.make_room(1)
    async with (
        Socket(server.ws_url, room.students[0].token) as first,
        Socket(server.ws_url, room.students[0].token) as second,
    ):
        for _ in range(FLOOD):
            await first.send("MY_ATTENDANCE")
        assert (await answers(first, FLOOD))[1] > 0
        for _ in range(FLOOD // 2):
            await second.send("MY_ATTENDANCE")
        told, refused = await answers(second, FLOOD // 2)
        assert refused > told


async def test_an_account_has_so_many_sockets_and_one_that_leaves_makes_room(server: Server, api: Api) -> None:
    room = api.make_room(1)
    token = room.teacher.token
    async with Socket(server.ws_url, token), Socket(server.ws_url, token):
        async with Socket(server.ws_url, token):
            async with Socket(server.ws_url, token) as refused:
                assert await refused.error() == TOO_MANY
                assert await refused.close_code() == heard(TRY_AGAIN_LATER)
            async with Socket(server.ws_url, room.students[0].token) as pupil:
                await pupil.hears_nothing()
        await until_let_in(server, token)


async def until_let_in(server: Server, token: str) -> None:
    """The server hears a moment later that a socket has gone."""
    async with asyncio.timeout(30):
        while True:
            async with Socket(server.ws_url, token) as socket:
                await socket.send("A PROBE")
                if await socket.error() == "Unknown event":
                    return


@only_serve
async def test_an_address_has_so_many_sockets_and_its_requests_are_still_served(server: Server, api: Api) -> None:
    rooms: list[Room] = [api.make_room(2, start=False)]
    people = [rooms[0].teacher, *rooms[0].students]
    sockets = [Socket(server.ws_url, people[number // 3].token) for number in range(8)]
    for socket in sockets:
        await socket.__aenter__()
    for url in (
        server.ws_url,
        f"{server.ws_url}?token=bad",
        f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket",
    ):
        with pytest.raises(InvalidStatus) as refused:
            await Socket(url, None).__aenter__()
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "1"
    assert people[0].get("/auth/me").status_code == 200
    assert httpx.get(f"{server.url}/healthz", verify=NO_CERTIFICATES).status_code == 200
    for socket in sockets:
        await socket.__aexit__()


def test_marks_by_requests_have_the_same_share(server: Server, api: Api) -> None:
    pytest.importorskip("dialects.v2")
    room = api.make_room(1)
    (session,) = server.database.sessions(room.class_id)
    mark = {"studentId": room.students[0].id, "status": "present"}
    path = f"/api/v2/sessions/{session.id}/marks"
    assert room.teacher.post(path, {"marks": [mark] * 10}).status_code == 200
    answers = [room.teacher.post(path, {"marks": [mark] * 10}) for _ in range(3)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 2
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
