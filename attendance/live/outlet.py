"""A socket's way out through the ASGI `send`, which works under every server.

Frames are sent one after another by a task of the socket's own, so that one stuck reader holds up nobody else.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

#: A socket that lets more than this wait in the process is closed, characters.
MAX_UNSENT = 1024 * 1024
CLOSE_TOO_SLOW = 1013
#: A stuck socket gets this long to take its close frame, seconds.
CLOSE_TIMEOUT = 5.0


class AsgiOutlet:
    """`attendance.live.hub.Outlet` over ASGI. Holds everything back until `open`.

    `abandon` is called for a socket that does not even take its close frame.
    """

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]], abandon: Callable[[], object]) -> None:
        self._send = send
        self._abandon = abandon
        #: What waits, each with what it counts towards MAX_UNSENT.
        self._frames: deque[tuple[str, int]] = deque()
        self._unsent = 0
        self._opened = False
        self._close_code: int | None = None
        self._stopped = False
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """The socket is accepted: what waited may go."""
        self._opened = True
        self._wake()

    def send(self, frames: list[str]) -> None:
        if self._close_code is not None or self._stopped:
            return
        self._frames.extend((text, len(text)) for text in frames)
        self._unsent += sum(map(len, frames))
        if self._unsent > MAX_UNSENT:
            self._frames.clear()
            self.close(CLOSE_TOO_SLOW)
        self._wake()

    async def answer(self, make: Callable[[], str]) -> None:
        while self._task is not None:
            await asyncio.wait([self._task])
        if self._close_code is None and not self._stopped:
            self._frames.append((make(), 0))
            self._wake()

    def close(self, code: int) -> None:
        if self._close_code is not None or self._stopped:
            return
        self._close_code = code
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._give_up)
        self._wake()

    async def finish(self) -> None:
        """Returns once what waits is sent, the close too, or given up."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def stop(self) -> None:
        """The socket is gone."""
        self._stopped = True
        self._frames.clear()
        if self._task is not None:
            self._task.cancel()

    def _give_up(self) -> None:
        if not self._stopped:
            self.stop()
            self._abandon()

    def _wake(self) -> None:
        if self._opened and self._task is None and not self._stopped:
            self._task = asyncio.create_task(self._drain())

    async def _send_close(self, code: int) -> None:
        try:
            await self._send({"type": "websocket.close", "code": code})
        except Exception:
            # daphne sends 1000 and 3000 to 4999 only, and left alone would keep the socket: 4009 for 1009 there.
            await self._send({"type": "websocket.close", "code": code + 3000})

    async def _drain(self) -> None:
        try:
            while self._frames:
                text, counted = self._frames.popleft()
                await self._send({"type": "websocket.send", "text": text})
                self._unsent -= counted
            if self._close_code is not None:
                await self._send_close(self._close_code)
                self._stopped = True
        except Exception:
            self._stopped = True  # the client is gone; its consumer hears of it from the server
        finally:
            self._task = None
