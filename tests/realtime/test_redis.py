"""Two server processes with Redis between them: what one commits the other tells at once, whatever becomes of Redis."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.programs.outage import Outage
from tests.realtime.conftest import People
from tests.realtime.contract import NO_SESSION, STUDENT_ONLY, done, error, marked, summary
from tests.support.clients import FRAME_LIMIT, Api, Room, Socket, make_class
from tests.support.database import Databases
from tests.support.redis import RedisServer
from tests.support.server import Server, two_servers

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def pair(databases: Databases, redis: RedisServer) -> Iterator[tuple[Server, Server]]:
    """Two servers over one database and one Redis."""
    with two_servers(databases.fresh(), REDIS_URL=redis.url, LIMITS="False") as servers:
        yield servers


@pytest.fixture(scope="module")
def six(pair: tuple[Server, Server]) -> Iterator[Room]:
    """A class of six, none of whom is in another."""
    api = Api(pair[0].url)
    yield api.make_room(6, start=False)
    api.close()


async def hears_hints(here: Server, there: Server, room: Room) -> None:
    """Returns once a summary asked for at `here` is told at `there`: only hints carry those."""
    async with (
        Socket(here.ws_url, room.teacher.token) as teacher,
        Socket(there.ws_url, room.students[0].token) as student,
        asyncio.timeout(2 * FRAME_LIMIT),
    ):
        asked = heard = 0
        while not heard:
            await teacher.send("TODAY_SUMMARY")
            await teacher.frame()
            asked += 1
            with contextlib.suppress(TimeoutError):
                # One at a time, so that none is still on its way when this returns.
                assert "TODAY_SUMMARY" in str(await asyncio.wait_for(student.connection.recv(), 1))
                heard = 1
        with contextlib.suppress(TimeoutError):
            while heard < asked:  # those before it may be lost, or only late
                await asyncio.wait_for(student.connection.recv(), 1)
                heard += 1


async def test_marks_summaries_and_done_on_one_are_told_on_the_other_in_order(
    pair: tuple[Server, Server], crowd: People
) -> None:
    here, there = pair
    room = make_class(crowd.teacher, crowd.students[:2])
    first, second = room.students
    await hears_hints(here, there, room)
    async with (
        Socket(here.ws_url, room.teacher.token) as teacher,
        Socket(there.ws_url, first.token) as student,
    ):
        await teacher.mark(first.id)
        await teacher.send("TODAY_SUMMARY")
        await teacher.mark(second.id, "absent")
        await teacher.send("TODAY_SUMMARY")
        await teacher.send("DONE")
        expected = [marked(first.id), summary(1, 0), marked(second.id, "absent"), summary(1, 1), done(1, 1)]
        for socket in (teacher, student):
            assert await socket.frames(5) == expected
            await socket.hears_nothing()


@pytest.mark.parametrize("times", range(5))
async def test_of_done_on_both_at_once_one_wins(pair: tuple[Server, Server], crowd: People, times: int) -> None:
    here, there = pair
    room = make_class(crowd.teacher, crowd.students[:2])
    first = room.students[0]
    await hears_hints(here, there, room)
    async with (
        Socket(here.ws_url, room.teacher.token) as one,
        Socket(there.ws_url, room.teacher.token) as other,
        Socket(there.ws_url, first.token) as student,
    ):
        await one.mark(first.id)
        for socket in (one, other, student):
            assert await socket.frame() == marked(first.id)
        await asyncio.gather(one.send("DONE"), other.send("DONE"))
        heard = []
        for socket in (one, other):
            await socket.send("MY_ATTENDANCE")  # is answered behind all that its DONE came to
            while (frame := await socket.frame()) != error(STUDENT_ONLY):
                heard.append(frame)
        assert sorted(heard, key=str) == [done(1, 1), done(1, 1), error(NO_SESSION)]
        assert await student.frame() == done(1, 1)
        await student.hears_nothing()
    assert len(here.database.records(room.class_id)) == 2


async def kill_and_restart(redis: RedisServer, outage: Outage) -> None:
    await asyncio.to_thread(redis.kill)
    await outage.marks(20)
    await asyncio.to_thread(redis.restart)


async def cut_connections(redis: RedisServer, outage: Outage) -> None:
    await asyncio.to_thread(redis.cut_connections)


async def hang(redis: RedisServer, outage: Outage) -> None:
    redis.freeze()
    try:
        await outage.marks(20)
    finally:
        redis.thaw()


@pytest.mark.parametrize(("trouble", "times"), [(cut_connections, 5), (kill_and_restart, 2), (hang, 1)])
async def test_everybody_hears_all_marks_once_and_in_order_though_redis(
    pair: tuple[Server, Server],
    six: Room,
    redis: RedisServer,
    trouble: Callable[[RedisServer, Outage], Awaitable[None]],
    times: int,
) -> None:
    here, there = pair
    six.start()
    await hears_hints(here, there, six)
    outage = Outage(six, here.database, [here.ws_url, there.ws_url])

    async def again_and_again() -> None:
        for _ in range(times):
            await outage.marks(20)
            await trouble(redis, outage)
        await outage.marks(20)

    await outage.during(again_and_again())
    assert outage.faults == []
    assert [listener.cuts for listener in outage.listeners] == [0] * len(outage.listeners)
    for one, other in ((here, there), (there, here)):
        await hears_hints(one, other, six)  # again


async def test_a_server_starts_without_redis_and_finds_it_later(databases: Databases, redis: RedisServer) -> None:
    later = RedisServer()
    with contextlib.ExitStack() as stack:
        stack.callback(later.close)
        here = Server(databases.fresh(), REDIS_URL=later.url)
        there = Server(here.database, REDIS_URL=later.url)
        for server in (here, there):
            stack.callback(server.close)
            server.start()
        api = Api(here.url)
        stack.callback(api.close)
        room = api.make_room(1)
        async with (
            Socket(here.ws_url, room.teacher.token) as teacher,
            Socket(there.ws_url, room.students[0].token) as student,
        ):
            await teacher.mark(room.students[0].id)
            for socket in (teacher, student):
                assert await socket.frame() == marked(room.students[0].id)
        later.start()
        await hears_hints(here, there, room)
    for server in (here, there):
        server.assert_clean()
        assert server.log_text().count("The channel layer does not answer") == 1
