"""`core.server.handover`: a connection moves to the worker that its next request is for. Two workers in one process.

With TLS it goes on passing through the worker that accepted it (`core.server.relay`), and clients notice no difference.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from core.server import handover
from core.server.adopted import adopt
from core.server.handover import Handover
from core.server.workers import Worker
from tests.workers.running import Running, client_of, keys_in, relayed, request, trust, until, url_of


@pytest.fixture(autouse=True)
def routes() -> Iterator[None]:
    """/for?NAME is for the worker NAME."""
    before = dict(handover._owners)
    handover.route("/for", lambda query: query.decode() or None)
    yield
    handover._owners.clear()
    handover._owners.update(before)


@pytest.fixture(params=["plain", "TLS"])
async def workers(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Running, Running]]:
    keys = keys_in(tmp_path) if request.param == "TLS" else None
    pair = Running("one", tmp_path, keys), Running("two", tmp_path, keys)
    for worker in pair:
        await worker.start()
    yield pair
    for worker in pair:
        await worker.stop()


async def test_a_request_is_answered_by_the_worker_that_it_is_for(workers: tuple[Running, Running]) -> None:
    one, two = workers
    async with client_of(one) as client:
        assert await client.ask("/for?two") == f"two GET 0 {one.port}"
        await until(lambda: len(one.state.connections) == relayed(one))
        assert len(two.state.connections) == 1


async def test_a_connection_moves_as_often_as_its_requests_ask(workers: tuple[Running, Running]) -> None:
    async with client_of(workers[0]) as client:
        for name in ["one", "two", "two", "one", "two", "one"]:
            assert (await client.ask(f"/for?{name}")).startswith(name)
        assert (await client.ask("/elsewhere?two")).startswith("one")
        assert (await client.ask("/for")).startswith("one")


async def test_a_first_line_may_come_in_pieces(workers: tuple[Running, Running]) -> None:
    one, _ = workers
    whole = request("/for?two", b"hello")
    for cut in range(1, len(whole), 7):
        async with client_of(one) as client:
            await client.say(whole[:cut])
            if b"\n" not in whole[:cut]:
                await until(lambda: any(cast(Any, connection)._first_line for connection in one.state.connections))
            await client.say(whole[cut:])
            assert (await client.hear()).startswith("two POST 5")
            await until(lambda: len(one.state.connections) == relayed(one))
        await until(lambda: not one.state.connections)


@pytest.mark.parametrize("size", [70_000, 240_000, 3_000_000])
async def test_a_body_of_any_size_goes_along(workers: tuple[Running, Running], size: int) -> None:
    async with client_of(workers[0]) as client:
        assert (await client.ask("/for?two", b"x" * size)).startswith(f"two POST {size} ")
        assert (await client.ask("/for?one", b"x" * size)).startswith(f"one POST {size} ")


async def test_a_websocket_is_opened_by_the_worker_that_it_is_for(workers: tuple[Running, Running]) -> None:
    one, two = workers
    async with connect(url_of(one, "/for?two"), ssl=trust(one)) as live:
        assert await live.recv() == "two"
        await live.send("hello")
        assert await live.recv() == "hello"
        assert len(one.state.connections) == relayed(one)
        assert len(two.state.connections) == 1


async def test_a_worker_that_is_gone_leaves_its_requests_to_whoever_has_them(workers: tuple[Running, Running]) -> None:
    one, two = workers
    two.handover.close()
    async with client_of(one) as client:
        for name in ["two", "three", "../two", "two%2f", "t" * 2000, "t" * 20_000]:
            assert (await client.ask(f"/for?{name}")).startswith("one")


async def test_a_socket_that_a_killed_worker_left_behind_is_nobody(tmp_path: Path) -> None:
    one = Running("one", tmp_path)
    await one.start()
    left = Handover(Worker("two", tmp_path))
    left.open(lambda: pytest.fail("nobody is there"))
    await asyncio.sleep(0)
    assert left._listening is not None
    left._listening.cancel()  # its file stays
    await asyncio.wait([left._listening])
    async with client_of(one) as client:
        assert (await client.ask("/for?two")).startswith("one")
    two = Running("two", tmp_path)  # another with its name takes its place
    await two.start()
    async with client_of(one) as client:
        assert (await client.ask("/for?two")).startswith("two")
    await one.stop()
    await two.stop()


async def test_a_request_before_the_last_answer_waits_its_turn_where_it_is(workers: tuple[Running, Running]) -> None:
    one, _ = workers
    async with client_of(one) as client:
        one.held = asyncio.Event()
        await client.say(request("/for?one"))
        await until(lambda: bool(one.state.tasks))
        await client.say(request("/for?two"))
        await until(lambda: any(cast(Any, connection).pipeline for connection in one.state.connections))
        one.held.set()
        assert (await client.hear()).startswith("one")
        assert (await client.hear()).startswith("one")
        assert (await client.ask("/for?two")).startswith("two")


async def test_a_body_that_looks_like_a_request_is_a_body(workers: tuple[Running, Running]) -> None:
    one, two = workers
    smuggled = request("/for?two")
    async with client_of(one) as client:
        await client.say(b"POST /early HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(smuggled))
        assert await client.hear() == "early"  # before its body
        await client.say(smuggled)
        assert (await client.ask("/for?one")).startswith("one")
        assert two.state.total_requests == 0


async def test_a_client_that_is_gone_costs_the_other_worker_nothing(workers: tuple[Running, Running]) -> None:
    one, two = workers
    for _ in range(20):
        async with client_of(one) as client:
            await client.say(request("/for?two"))
    async with client_of(one) as client:
        assert (await client.ask("/for?two")).startswith("two")
    await until(lambda: not one.state.connections)
    await until(lambda: not two.state.connections)


@pytest.mark.long
async def test_many_connections_move_at_once(workers: tuple[Running, Running]) -> None:
    async def talk(number: int) -> None:
        here, there = workers if number % 2 else workers[::-1]
        async with client_of(here) as client:
            for worker in (there, here, there):
                assert (await client.ask(f"/for?{worker.name}", b"x" * number * 100)).startswith(worker.name)

    await asyncio.gather(*(talk(number) for number in range(200)))


async def test_a_websocket_for_a_worker_that_refuses_it_hears_of_it(workers: tuple[Running, Running]) -> None:
    one, two = workers

    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    two.answer = refuse  # type: ignore[method-assign]
    two.handover.close()
    two.server.close()
    await two.start()
    with pytest.raises(InvalidStatus):
        await connect(url_of(one, "/for?two"), ssl=trust(one))


async def test_a_descriptor_is_closed_once_where_the_connection_ends_as_it_begins() -> None:
    class Leaving(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            transport.abort()

    ours, theirs = socket.socketpair()
    with theirs:
        await adopt(ours, Leaving())
        await until(lambda: ours.fileno() == -1)  # else its number would be closed again with the object
