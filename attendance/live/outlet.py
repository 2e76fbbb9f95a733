"""A socket's way out: through the ASGI `send`, which works under every server, or straight to the server's transport.

Through ASGI, a task of each socket sends the frames one after another, so that a stuck reader holds up nobody else. The
transport has a queue of its own, so that a batch of frames costs one call.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from attendance.live.frames import Frames
from attendance.live.socket import FastPath
from core import asking, logs
from core.asking import Asking
from core.server.fan_out import Connection
from core.server.websocket_protocol import EXTENSION, FrameTransport, nothing

logger = logging.getLogger(__name__)

#: A socket that lets more than this wait in the process is closed, characters.
MAX_UNSENT = 1024 * 1024
CLOSE_TRY_AGAIN_LATER = 1013
#: A stuck socket gets this long to take its close frame, seconds.
CLOSE_TIMEOUT = 5.0


def too_slow(by: Asking) -> None:
    """Tells the operator that a client is cut off because it does not read."""
    logs.event(logger, "too_slow", "A client that does not read is cut off.", by=by)


class AsgiOutlet:
    """`attendance.live.socket.Outlet` over ASGI. Holds everything back until `open`.

    `abandon` is called if the socket does not even take its close frame.
    """

    __slots__ = (
        *("_abandon", "_asking", "_close_code", "_frames", "_giving_up", "_opened", "_send", "_stopped", "_task"),
        "_unsent",
    )

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]], abandon: Callable[[], object]) -> None:
        self._send = send
        self._abandon = abandon
        #: Whose socket it is: what it sends is often caused by somebody else's.
        self._asking = asking.current.get()
        #: The frames that wait, and how many characters each of them counts towards MAX_UNSENT; None before the first.
        self._frames: deque[tuple[str, int]] | None = None
        self._unsent = 0
        self._opened = False
        self._close_code: int | None = None
        self._stopped = False
        self._giving_up: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def fast(self) -> FastPath | None:
        return None

    @property
    def is_gone(self) -> bool:
        return self._close_code is not None or self._stopped

    def open(self) -> None:
        """The socket is accepted: the frames that waited may go."""
        self._opened = True
        self._wake()

    def send(self, frames: Frames) -> None:
        if self._close_code is not None or self._stopped:
            return
        for text in frames:
            self._add(text, len(text))
        self._unsent += frames.characters
        if self._unsent > MAX_UNSENT:
            self._frames = None
            too_slow(self._asking)
            self.close(CLOSE_TRY_AGAIN_LATER)
        self._wake()

    async def drained(self) -> bool:
        await self.finish()
        return not self.is_gone

    async def answer(self, make: Callable[[], str]) -> None:
        if await self.drained():
            self._add(make(), 0)
            self._wake()

    def close(self, code: int) -> None:
        if self._close_code is not None or self._stopped:
            return
        self._close_code = code
        self._giving_up = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self._give_up)
        self._wake()

    async def finish(self) -> None:
        """Returns once the frames that wait and the close are sent, or given up."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def stop(self) -> None:
        """The socket is gone."""
        self._stopped = True
        if self._giving_up is not None:
            self._giving_up.cancel()  # else it keeps all that belongs to the socket
        self._abandon = nothing  # else consumer and outlet would be a cycle that waits for the garbage collector
        self._frames = None
        if self._task is not None:
            self._task.cancel()

    def _give_up(self) -> None:
        if not self._stopped:
            abandon = self._abandon
            self.stop()
            abandon()

    def _add(self, text: str, counted: int) -> None:
        if self._frames is None:
            self._frames = deque()
        self._frames.append((text, counted))

    def _wake(self) -> None:
        has_work = bool(self._frames) or self._close_code is not None
        if has_work and self._opened and self._task is None and not self._stopped:
            self._task = asyncio.create_task(self._drain())

    async def _send_close(self, code: int) -> None:
        try:
            await self._send({"type": "websocket.close", "code": code})
        except Exception:
            # daphne sends 1000 and 3000 to 4999 only, and would keep the socket open. There 4009 stands for 1009.
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
            self._stopped = True  # the client is gone; the server tells its consumer
        finally:
            self._task = None


class TransportOutlet(AsgiOutlet):
    """An outlet over the server's transport, with a fast path. Only the close passes ASGI."""

    __slots__ = ("_held", "_limit", "_transport", "changed")

    def __init__(
        self,
        send: Callable[[dict[str, Any]], Awaitable[None]],
        abandon: Callable[[], object],
        transport: FrameTransport,
    ) -> None:
        super().__init__(send, abandon)
        self._transport = transport
        #: What waits for `open`.
        self._held: tuple[Frames, ...] = ()
        self._limit = MAX_UNSENT
        self.changed: Callable[[], object] = nothing
        transport.changed = self._changed

    @property
    def fast(self) -> FastPath:
        return self

    @property
    def connection(self) -> Connection | None:
        free = self._opened and self._close_code is None and not self._stopped
        return self._transport.connection if free else None

    def _changed(self) -> None:
        self.changed()

    def open(self) -> None:
        super().open()
        for frames in self._held:
            self.send(frames)
        self._held = ()
        self.changed()

    def send(self, frames: Frames) -> None:
        if self._close_code is not None or self._stopped:
            return
        if self._opened:
            self._queue(frames.wire)
        else:
            self._held = (*self._held, frames)

    def send_rest(self, data: bytes) -> None:
        self._queue(data)

    @property
    def is_gone(self) -> bool:
        return super().is_gone or not self._transport.is_open

    async def drained(self) -> bool:
        await self._transport.drained()
        return not self.is_gone

    async def answer(self, make: Callable[[], str]) -> None:
        if await self.drained():
            frames = Frames([make()])
            self._limit = MAX_UNSENT + len(frames.wire)  # until the next answer, which waits for this one
            self.send(frames)

    def close(self, code: int) -> None:
        super().close(code)
        self.changed()

    def stop(self) -> None:
        super().stop()
        self.changed()

    def _give_up(self) -> None:
        if not self._stopped:
            self._transport.abort()
        super()._give_up()

    def _queue(self, data: bytes) -> None:
        self._transport.write(data)
        if self._transport.unsent > self._limit and self._close_code is None:
            too_slow(self._asking)
            self.close(CLOSE_TRY_AGAIN_LATER)


def make_outlet(
    scope: Any, send: Callable[[dict[str, Any]], Awaitable[None]], abandon: Callable[[], object]
) -> AsgiOutlet:
    """The quickest way out that the server offers for this WebSocket."""
    transport = scope.get("extensions", {}).get(EXTENSION)
    return TransportOutlet(send, abandon, transport) if transport is not None else AsgiOutlet(send, abandon)
