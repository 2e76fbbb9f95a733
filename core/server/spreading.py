"""Spreads new connections evenly over the workers of one server.

All workers accept on the same ports, and the kernel wakes whom it likes: on a quiet machine one of four workers got 268
of 300 connections. Here each worker tells the others how many it has, in a file that they map. A worker that has
accepted a connection, and has clearly more than another, passes it on before it reads a byte: the file descriptor goes
through a Unix socket that stays open between the two. The port's queue stays one for all workers, so that what waits
in it is served by the others when a worker is killed. (With a queue for each worker, SO_REUSEPORT, it would be lost,
and shares would be a matter of luck.) With TLS each worker keeps what it has accepted.
"""

import asyncio
import contextlib
import mmap
import os
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from core.server.adopted import adopt
from core.server.channels import channels_to
from core.server.workers import Worker

#: A worker may have so many connections more than another before it passes new ones on, or this part of the other's:
#: to pass one on costs both of them some 50 µs, and short requests even out by themselves.
SLACK = 4
SLACK_PART = 1 / 16
#: A worker that has not said for this long how it is gets nothing, seconds: it hangs, or is gone.
SILENCE = 1.0
#: So many connections may be on their way from one worker to another.
ON_THE_WAY = 128
#: When a worker last said how it is, by the system's monotonic clock, and how many connections it has.
_RECORD = struct.Struct("=dq")
_BACKLOG = 128


@dataclass(slots=True)
class _Other:
    """Another worker, as this one knows it."""

    record: mmap.mmap
    #: To the worker; None before the first connection is passed on.
    channel: socket.socket | None = None
    #: The connections passed on that the worker has not taken yet.
    on_the_way: int = 0

    def load(self, moment: float) -> float:
        """How many connections it has, or will have; infinity while it can take none."""
        said, connections = _RECORD.unpack_from(self.record)
        if moment - said > SILENCE:
            return float("inf")
        if self.on_the_way and self.channel is not None:
            with contextlib.suppress(OSError):
                self.on_the_way -= len(self.channel.recv(ON_THE_WAY))  # a byte for each that was taken
        return float(connections + self.on_the_way) if self.on_the_way < ON_THE_WAY else float("inf")

    def close(self) -> None:
        self.record.close()
        if self.channel is not None:
            self.channel.close()


@dataclass(slots=True)
class Spread:
    """One worker's part in it. All methods belong to its event loop."""

    worker: Worker
    _make: Callable[[], Any] = field(init=False)
    _record: mmap.mmap | None = None
    _others: dict[str, _Other] = field(default_factory=dict)
    _taking: set[socket.socket] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _listening: asyncio.Task[None] | None = None

    def open(self, make_protocol: Callable[[], Any]) -> None:
        """From now on the others pass connections on to this worker. `make_protocol` is called for each."""
        self._make = make_protocol
        channel = self.worker.folder / f"{self.worker.name}.spread"
        channel.unlink(missing_ok=True)  # a worker that was killed may have had the same name
        listener = socket.socket(socket.AF_UNIX)
        listener.setblocking(False)
        listener.bind(str(channel))
        listener.listen(_BACKLOG)
        self._listening = self._start(self._accept(listener))
        # The file comes under its name once it is whole.
        path = self.worker.folder / f"{self.worker.name}.load"
        new = path.with_suffix(".new")
        new.write_bytes(_RECORD.pack(time.monotonic(), 0))
        with new.open("r+b") as file:
            self._record = mmap.mmap(file.fileno(), _RECORD.size)
        new.replace(path)

    def close(self) -> None:
        """The others pass nothing on any more, and what they have passed on is served here."""
        if self._record is None or self._listening is None:
            return
        _RECORD.pack_into(self._record, 0, float("-inf"), 0)
        for ending in ("load", "spread"):
            (self.worker.folder / f"{self.worker.name}.{ending}").unlink(missing_ok=True)
        self._listening.cancel()
        for channel in list(self._taking):
            self._take(channel)
            self._hang_up(channel)
        for other in self._others.values():
            other.close()
        self._others.clear()
        self._record.close()
        self._record = None

    def beat(self, connections: int) -> None:
        """Says that this worker is there and has so many connections, and finds the others. Call it often."""
        if self._record is None:
            return
        self.note(connections)
        names = {name[: -len(".load")] for name in os.listdir(self.worker.folder) if name.endswith(".load")}
        names.discard(self.worker.name)
        for gone in self._others.keys() - names:
            self._others.pop(gone).close()
        for new in names - self._others.keys():
            with contextlib.suppress(OSError), (self.worker.folder / f"{new}.load").open("rb") as file:
                self._others[new] = _Other(mmap.mmap(file.fileno(), _RECORD.size, access=mmap.ACCESS_READ))

    def note(self, connections: int) -> None:
        """Says how many connections this worker has."""
        if self._record is not None:
            _RECORD.pack_into(self._record, 0, time.monotonic(), connections)

    def passes_on(self, connection: Any, connections: int) -> bool:
        """Whether `connection`, from which nothing was read, is another worker's now: this one has `connections`.

        The caller then closes its own descriptor.
        """
        if self._record is None or not self._others or connections < SLACK:
            return False
        moment = time.monotonic()
        loads = {name: other.load(moment) for name, other in self._others.items()}
        lowest = min(loads, key=loads.__getitem__)
        if connections - loads[lowest] < max(SLACK, SLACK_PART * loads[lowest]):
            return False
        return self._send(lowest, connection.fileno())

    def _send(self, name: str, descriptor: int) -> bool:
        other = self._others[name]
        try:
            if other.channel is None:
                channel = socket.socket(socket.AF_UNIX)
                other.channel, other.on_the_way = channel, 0
                channel.setblocking(False)
                channel.connect(str(self.worker.folder / f"{name}.spread"))
            socket.send_fds(other.channel, [b"\0"], [descriptor])
        except BlockingIOError:
            return False  # the worker is behind
        except OSError:
            self._others.pop(name).close()  # the worker is gone; if it is not, the next beat finds it
            return False
        other.on_the_way += 1
        return True

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        async with contextlib.aclosing(channels_to(listener)) as channels:
            async for channel in channels:
                self._taking.add(channel)
                loop.add_reader(channel, self._take, channel)

    def _take(self, channel: socket.socket) -> None:
        """Takes what is in a channel."""
        while True:
            try:
                begun, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                begun, descriptors = b"", []
            if not begun:
                self._hang_up(channel)  # the other worker is gone
                return
            self._start(self._serve(channel, descriptors))

    async def _serve(self, channel: socket.socket, descriptors: list[int]) -> None:
        with contextlib.suppress(OSError):  # the client is gone
            for descriptor in descriptors:
                await adopt(socket.socket(fileno=descriptor), self._make())
        with contextlib.suppress(OSError):  # the other worker is gone
            channel.send(b"\0")

    def _hang_up(self, channel: socket.socket) -> None:
        if channel in self._taking:
            self._taking.discard(channel)
            asyncio.get_running_loop().remove_reader(channel)
            channel.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
