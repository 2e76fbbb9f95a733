"""A Socket.IO connection's way out: the queue that Engine.IO empties into a WebSocket or into polls.

Once the queue is empty, frames for a WebSocket go past it, because to wake the queue costs more than the frame. Server
CPU for each delivered frame at 300 sockets, one mark at a time: 94 µs through the queue, 56 past it (/ws: 39); in a
burst 36 and 9. The WebSocket's own outlet closes a slow reader; a client that polls too seldom is closed here.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from engineio.packet import CLOSE, MESSAGE, Packet

from attendance.live.frames import Frames
from attendance.live.outlet import CLOSE_TIMEOUT, MAX_UNSENT, AsgiOutlet, too_slow
from attendance.live.socket import FastPath
from core import asking
from dialects.socketio.packets import DISCONNECT

_closing: set[asyncio.Task[None]] = set()


class EngineQueue(asyncio.Queue[Any]):
    """Engine.IO's queue of packets for one client. It counts the characters that wait in it.

    `pipe` is the outlet of the client's WebSocket, once the client has one.
    """

    pipe: AsgiOutlet | None = None

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self.unsent = 0
        #: The number of packets that Engine.IO has not taken yet. It sends a packet in the turn in which it takes it.
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
    """`attendance.live.socket.Outlet` over an Engine.IO socket. It holds all frames back until `open`."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._asking = asking.current.get()
        self._queue: EngineQueue = engine.queue
        self._held: Frames | None = Frames()
        self._closed = False

    @property
    def fast(self) -> FastPath | None:
        return None  # Engine.IO's queue must see each frame

    def open(self) -> None:
        """The client knows that it is connected: the frames that were held back may go."""
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
            too_slow(self._asking)
            self._end(cut(self._engine))

    @property
    def is_gone(self) -> bool:
        return self._closed or bool(self._engine.closed)

    async def drained(self) -> bool:
        return not self.is_gone

    async def answer(self, make: Callable[[], str]) -> None:
        self.send(Frames([make()]))

    def close(self, code: int) -> None:
        """Disconnects the client. Socket.IO has no close codes, so the client hears none."""
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
        with contextlib.suppress(TimeoutError):  # a client that polls must fetch its last frames
            await asyncio.wait_for(self._queue.join(), CLOSE_TIMEOUT)
        await cut(self._engine)


async def cut(engine: Any) -> None:
    """Ends an Engine.IO socket, whatever its transport, without waiting for the client."""
    await engine.close(wait=False, abort=True)
    engine.queue.put_nowait(Packet(CLOSE))
    engine.queue.put_nowait(None)  # ends the wait of its writer or of its poll
