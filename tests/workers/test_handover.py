"""`core.server.handover`: a connection moves to the worker that its next request is for. Two workers in one process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from core.server import handover
from core.server.handover import Handover
from core.server.workers import Worker

LIMIT = 15.0  # seconds for whatever is to come


@pytest.fixture(autouse=True)
def routes() -> Iterator[None]:
    """/for?NAME is for the worker NAME."""
    before = dict(handover._owners)
    handover.route("/for", lambda query: query.decode() or None)
    yield
    handover._owners.clear()
    handover._owners.update(before)


class Running:
    """A worker whose application answers every request with the worker's name and what came."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.handover = Handover(Worker(name, folder))
        self.state = ServerState()
        self.held: asyncio.Event | None = None

    async def start(self) -> None:
        config = uvicorn.Config(
            self.answer,
            http=self.handover.protocol,  # type: ignore[arg-type]
            ws="core.server.websocket_protocol:WebSocketProtocol",
            interface="asgi3",
            lifespan="off",
            log_config=None,
        )
        config.load()

        def make() -> Any:
            return config.http_protocol_class(config=config, server_state=self.state, app_state={})  # type: ignore[call-arg]

        self.server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.handover.open(make)

    async def stop(self) -> None:
        self.handover.close()
        self.server.close()
        for connection in list(self.state.connections):
            connection.transport.abort()
        await until(lambda: not self.state.connections)

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": self.name})
            while (message := await receive())["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})
            return
        if scope["path"] == "/early":
            text = b"early"
        else:
            length = 0
            while True:
                message = await receive()
                length += len(message.get("body", b""))
                if not message.get("more_body"):
                    break
            text = f"{self.name} {scope['method']} {length} {scope['server'][1]}".encode()
        if self.held is not None:
            await self.held.wait()
        headers = [(b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[tuple[Running, Running]]:
    pair = Running("one", tmp_path), Running("two", tmp_path)
    for worker in pair:
        await worker.start()
    yield pair
    for worker in pair:
        await worker.stop()


class Client:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> str:
        """The body of the next answer."""
        async with asyncio.timeout(LIMIT):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            return (await self.reader.readexactly(length)).decode()

    async def ask(self, target: str, body: bytes = b"") -> str:
        await self.say(request(target, body))
        return await self.hear()


def request(target: str, body: bytes = b"") -> bytes:
    method = "POST" if body else "GET"
    return f"{method} {target} HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def client_of(worker: Running) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection("127.0.0.1", worker.port))
    try:
        yield client
    finally:
        client.writer.close()


async def until(holds: Callable[[], bool]) -> None:
    """Returns once `holds()`."""
    async with asyncio.timeout(LIMIT):
        while not holds():
            await asyncio.sleep(0)


async def test_a_request_is_answered_by_the_worker_that_it_is_for(workers: tuple[Running, Running]) -> None:
    one, two = workers
    async with client_of(one) as client:
        assert await client.ask("/for?two") == f"two GET 0 {one.port}"
        await until(lambda: not one.state.connections)
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
            await until(lambda: not one.state.connections)


@pytest.mark.parametrize("size", [70_000, 240_000, 3_000_000])
async def test_a_body_of_any_size_goes_along(workers: tuple[Running, Running], size: int) -> None:
    async with client_of(workers[0]) as client:
        assert (await client.ask("/for?two", b"x" * size)).startswith(f"two POST {size} ")
        assert (await client.ask("/for?one", b"x" * size)).startswith(f"one POST {size} ")


async def test_a_websocket_is_opened_by_the_worker_that_it_is_for(workers: tuple[Running, Running]) -> None:
    one, two = workers
    async with connect(f"ws://127.0.0.1:{one.port}/for?two") as socket:
        assert await socket.recv() == "two"
        await socket.send("hello")
        assert await socket.recv() == "hello"
        assert not one.state.connections
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
        await connect(f"ws://127.0.0.1:{one.port}/for?two")
