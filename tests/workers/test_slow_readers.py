"""A client that reads nothing, whose connection another worker serves than the one that accepted it.

Wherever it is, little waits for it in the server's memory, others hear everything meanwhile, and it is cut off.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from attendance.live.outlet import MAX_UNSENT
from core.server import handover, relay
from core.server.websocket_protocol import EXTENSION
from tests.workers.running import LIMIT, Running, keys_in, relayed, trust, until, url_of

FRAME = b"\x82\x7e" + (0x8000).to_bytes(2, "big") + b"x" * 0x8000
CLOSE = b"\x88\x02\x03\xe8"
#: What may wait for one client, bytes: what the outlet lets wait, and twice as much in the relay and in the kernel,
#: whose buffers take now more and now less.
MOST = 3 * MAX_UNSENT
#: With less, whoever reads again would wait for each few bytes.
ROOM = 64 * 1024


class Telling(Running):
    """A worker that tells whoever asks for it more than the client takes, and then cuts the client off."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        #: How much the worker could tell, bytes, before the limit on what waits was reached; None until then.
        self.told: int | None = None
        self.may_cut = asyncio.Event()

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket" or b"&tell" not in scope["query_string"]:
            await super().answer(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        out, told = scope["extensions"][EXTENSION], 0
        while out.unsent < MAX_UNSENT:
            out.write(FRAME)
            told += len(FRAME)
            await asyncio.sleep(0)
            assert told < 4 * MOST, "nothing holds the worker back"
        self.told = told
        if scope["query_string"].endswith(b"&end"):
            await send({"type": "websocket.close"})
        else:
            await self.may_cut.wait()
            out.abort()


@pytest.fixture(autouse=True)
def routes() -> Iterator[None]:
    """/for?NAME is for the worker NAME, and so is /for?NAME&tell."""
    before = dict(handover._owners)
    handover.route("/for", lambda query: query.decode().partition("&")[0] or None)
    yield
    handover._owners.clear()
    handover._owners.update(before)


@pytest.fixture(params=["plain", "TLS"])
async def workers(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Telling, Telling]]:
    keys = keys_in(tmp_path) if request.param == "TLS" else None
    pair = Telling("one", tmp_path, keys), Telling("two", tmp_path, keys)
    for worker in pair:
        await worker.start()
    yield pair
    for worker in pair:
        worker.may_cut.set()
        await worker.stop()


@asynccontextmanager
async def stalled(worker: Telling, target: str) -> AsyncIterator[asyncio.StreamReader]:
    """The answer to a WebSocket's handshake, from which nothing is read, with not much room for it in the kernel."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
    plug.connect(("127.0.0.1", worker.port))
    keys = trust(worker)
    reader, writer = await asyncio.open_connection(
        sock=plug, ssl=keys, server_hostname="127.0.0.1" if keys else None, limit=1
    )
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(
        f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    try:
        yield reader
    finally:
        writer.transport.abort()


async def test_who_reads_nothing_makes_little_wait_and_is_cut_off(
    workers: tuple[Telling, Telling], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "END_LIMIT", 0.1)
    one, two = workers
    async with connect(url_of(one, "/for?two"), ssl=trust(one)) as other, stalled(one, "/for?two&tell"):
        assert await other.recv() == "two"
        await until(lambda: two.told is not None)
        assert two.told is not None
        assert two.told < MOST
        await other.send("still there")
        assert await other.recv() == "still there"
        assert len(one.state.connections) == 2 * relayed(one)
        two.may_cut.set()
        await until(lambda: (len(one.state.connections), len(two.state.connections)) == (relayed(one), 1))
        await other.send("and still")
        assert await other.recv() == "and still"


async def test_who_reads_on_hears_all_that_was_said_before_the_end(workers: tuple[Telling, Telling]) -> None:
    one, two = workers
    async with stalled(one, "/for?two&tell&end") as reader:
        await until(lambda: two.told is not None)
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        heard = b""
        async with asyncio.timeout(LIMIT):
            while not heard.endswith(CLOSE):
                heard += await reader.read(65536)
        assert heard.count(FRAME) * len(FRAME) == two.told
