"""Closing a WebSocket while the application awaits `receive`, which some ASGI servers do not do by themselves.

granian (2.8) sends the close frame only when no `receive` is under way. This project's applications always await
`receive`, so the client of a bad token would hear nothing and stay connected.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from core.server.websocket_protocol import EXTENSION

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def closable(scope: Any, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """`receive` and `send` of one WebSocket, with which a close goes out at once. `manage.py serve` needs no change."""
    if EXTENSION in scope.get("extensions", {}):
        return receive, send
    pair = _Pair(receive, send)
    return pair.receive, pair.send


class _Pair:
    """Cancels the `receive` under way before a close is sent. After the close, `receive` gives the disconnect."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._receiving: asyncio.Future[dict[str, Any]] | None = None
        #: The close that is being sent: its result is the code once it is sent, and None if sending failed.
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
                await asyncio.sleep(0)  # the server learns of the cancellation in its own turn of the loop
            await self._send(message)
            code = int(message.get("code", 1000))
        finally:
            closing, self._closing = self._closing, self._closing if code is not None else None
            closing.set_result(code)
