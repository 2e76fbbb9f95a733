"""core.server.websocket_close: a close goes out while the application waits to receive, under every server."""

import asyncio
from typing import Any

import pytest

from core.server.websocket_close import closable
from core.server.websocket_protocol import EXTENSION

CLOSE = {"type": "websocket.close", "code": 4401}


class Server:
    """A server that sends no close while a `receive` is under way, and refuses some."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused
        self.incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.receiving = 0

    async def receive(self) -> dict[str, Any]:
        self.receiving += 1
        try:
            return await self.incoming.get()
        finally:
            self.receiving -= 1

    async def send(self, message: dict[str, Any]) -> None:
        if message.get("code") in self.refused:
            raise ValueError(message)
        if message["type"] == "websocket.close":
            assert not self.receiving
        self.sent.append(message)


async def test_a_close_is_sent_while_the_application_receives_and_ends_that() -> None:
    server = Server()
    receive, send = closable({}, server.receive, server.send)
    receiving = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert server.receiving
    await send(CLOSE)
    assert server.sent == [CLOSE]
    assert await receiving == {"type": "websocket.disconnect", "code": 4401}
    assert await receive() == {"type": "websocket.disconnect", "code": 4401}


async def test_after_a_close_that_the_server_refuses_what_comes_is_received_as_before() -> None:
    server = Server(1009)
    receive, send = closable({}, server.receive, server.send)
    receiving = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="1009"):
        await send({**CLOSE, "code": 1009})
    message = {"type": "websocket.receive", "text": "x"}
    server.incoming.put_nowait(message)
    assert await receiving == message


async def test_an_application_that_is_cancelled_stays_cancelled() -> None:
    server = Server()
    receive, _ = closable({}, server.receive, server.send)
    receiving = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    receiving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await receiving


async def test_our_own_server_needs_none_of_it() -> None:
    server = Server()
    scope = {"extensions": {EXTENSION: object()}}
    assert closable(scope, server.receive, server.send) == (server.receive, server.send)
