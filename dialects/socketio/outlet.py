"""A Socket.IO connection's way out: the queue that Engine.IO empties into a WebSocket or into polls.

Frames for a WebSocket go past that queue once it is empty, because its way of waking up costs more than the frame.
Server CPU for each delivered frame at 300 sockets, one mark at a time: 94 µs with it, 56 without (/ws: 39); in a
burst 36 and 9. The WebSocket's own outlet cuts off a slow reader; who polls too seldom is found out here.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from engineio.packet import CLOSE, MESSAGE, Packet

from attendance.live.frames import Frames
from attendance.live.outlet import CLOSE_TIMEOUT, MAX_UNSENT, AsgiOutlet
from attendance.live.socket import FastPath
from dialects.socketio.packets import DISCONNECT

_closing: set[asyncio.Task[None]] = set()


class EngineQueue(asyncio.Queue[Any]):
    """Engine.IO's queue of packets for one client, which knows how many characters wait in it.

    `pipe` is the outlet of the client's WebSocket, once it has one.
    """

    pipe: AsgiOutlet | None = None

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.unsent = 0
        #: Packets that nobody has taken yet. Engine.IO sends what it takes before anything else in the loop runs.
        self.untaken = 0

    def _put(self, item: Any) -> None:
        super()._put(item)
        self.unsent += _size(item)
        self.untaken += 1

    def _get(self) -> Any:
        item = super()._get()
        self.unsent -= _size(item)
        return item

    def task_done(self) -> None:
        super().task_done()
        self.untaken -= 1


def _size(item: Any) -> int:
    data = getattr(item, "data", None)
    return len(data) if isinstance(data, str) else 0


class EngineOutlet:
    """`attendance.live.socket.Outlet` over an Engine.IO socket. Holds everything back until `open`."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._queue: EngineQueue = engine.queue
        self._held: Frames | None = Frames()
        self._closed = False

    @property
    def fast(self) -> FastPath | None:
        return None  # Engine.IO's queue must see each frame

    def open(self) -> None:
        """The client has been told that it is connected: what waited may go."""
        held, self._held = self._held, None
        self.send(held or Frames())

    def send(self, frames: Frames) -> None:
        if self._closed:
            return
        if self._held is not None:
            self._held += frames
            return
        if self._queue.pipe is not None and self._engine.upgraded and not self._queue.untaken:
            self._queue.pipe.send(frames.prefixed(str(MESSAGE)))
            return
        for text in frames:
            self._queue.put_nowait(Packet(MESSAGE, text))
        if self._queue.unsent > MAX_UNSENT:
            self._closed = True
            while not self._queue.empty():
                self._queue.get_nowait()
                self._queue.task_done()
            self._end(cut(self._engine))

    async def answer(self, make: Callable[[], str]) -> None:
        self.send(Frames([make()]))

    def close(self, code: int) -> None:
        """Socket.IO has no codes: the client hears that the server disconnected it."""
        if self._closed:
            return
        if self._held is not None:
            self.open()
        self._closed = True
        self._queue.put_nowait(Packet(MESSAGE, DISCONNECT))
        self._end(self._close())

    def stop(self) -> None:
        """The connection is gone."""
        self._closed = True

    def _end(self, work: Any) -> None:
        task = asyncio.create_task(work)
        _closing.add(task)
        task.add_done_callback(_closing.discard)

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError):  # who polls must come for the last words
            await asyncio.wait_for(self._queue.join(), CLOSE_TIMEOUT)
        await cut(self._engine)


async def cut(engine: Any) -> None:
    """Ends an Engine.IO socket, whatever its transport, without waiting for the client."""
    await engine.close(wait=False, abort=True)
    engine.queue.put_nowait(Packet(CLOSE))
    engine.queue.put_nowait(None)  # its writer, or its poll, returns
