"""Closing a WebSocket while the application waits to receive: some ASGI servers need help with that.

granian (2.8) sends the close frame only once no `receive` is under way, and an application of ours always receives: its
clients would hear of no bad token, and stay.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from core.server.websocket_protocol import EXTENSION

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def closable(scope: Any, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """`receive` and `send` of one WebSocket, such that a close goes out at once. Our own server's are so already."""
    if EXTENSION in scope.get("extensions", {}):
        return receive, send
    pair = _Pair(receive, send)
    return pair.receive, pair.send


class _Pair:
    """Lets go of the `receive` under way before a close is sent; after it, what is received is the end."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._receiving: asyncio.Future[dict[str, Any]] | None = None
        #: Done when the close that is being sent is sent, or could not be.
        self._closing: asyncio.Future[int | None] | None = None

    async def receive(self) -> dict[str, Any]:
        while True:
            if self._closing is not None:
                code = await asyncio.shield(self._closing)
                if code is not None:
                    return {"type": "websocket.disconnect", "code": code}
            self._receiving = asyncio.ensure_future(self._receive())
            try:
                return await self._receiving
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
            finally:
                self._receiving = None

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] != "websocket.close":
            await self._send(message)
            return
        self._closing = asyncio.get_running_loop().create_future()
        code = None
        try:
            if self._receiving is not None:
                self._receiving.cancel()
                await asyncio.sleep(0)  # the server's turn, to take its future back
            await self._send(message)
            code = int(message.get("code", 1000))
        finally:
            closing, self._closing = self._closing, self._closing if code is not None else None
            closing.set_result(code)
