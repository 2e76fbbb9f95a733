"""Hands a client's connection over to the worker that the client's next request is for.

Several workers accept connections on one port, and any of them may get a client's next one. A protocol that keeps its
clients in memory, as Engine.IO does, names the worker in its requests. A connection whose next request names another
worker moves to that worker: the file descriptor, and the bytes of the request that were read, go through the other
worker's Unix socket. The other worker then serves the connection as if it had accepted the connection itself. No byte
passes through two workers afterwards, and polls, posts and WebSockets need no code of their own. With TLS, bytes do:
`core.server.relay`.

New connections are spread over the workers by `core.server.spreading`.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from uvicorn.protocols.utils import is_ssl

from core.server.adopted import adopt
from core.server.channels import channels_to
from core.server.http_protocol import HttpProtocol
from core.server.relay import FarEnd, RelayedTransport, far_end, far_end_of, relay
from core.server.spreading import Spread
from core.server.workers import Worker

#: The query of a request, as bytes → the name of the worker that the request is for, or None for any worker.
Owner = Callable[[bytes], str | None]

#: A connection with a longer request line stays with its worker, bytes.
LONGEST_LINE = 16 * 1024
_CHUNK = 256 * 1024
_BACKLOG = 4096
_NAME = re.compile(r"[A-Za-z0-9]{1,32}\Z")

_owners: dict[bytes, Owner] = {}


def route(path: str, owner: Owner) -> None:
    """Registers `owner` for the requests of exactly this path."""
    _owners[path.encode()] = owner


class Handover:
    """Takes connections over from the other workers, and gives connections to them."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self.spread = Spread(worker)
        self._listening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def protocol(self, **options: Any) -> "HandoverProtocol":
        """For uvicorn's `http` option."""
        return HandoverProtocol(self, **options)

    def open(self, make_protocol: Callable[[], "HandoverProtocol"]) -> None:
        """Starts to take connections over. `make_protocol` is called for each. Call this in the event loop."""
        path = self._address(self._worker.name)
        path.unlink(missing_ok=True)  # a worker that was killed may have had the same name
        listener = socket.socket(socket.AF_UNIX)
        listener.setblocking(False)
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        self._listening = self._start(self._accept(listener, make_protocol))

        def make_taken() -> HandoverProtocol:
            protocol = make_protocol()
            protocol.begin_with(b"")
            return protocol

        self.spread.open(make_taken)

    def close(self) -> None:
        """Stops taking connections over. The other workers then answer the requests that name this one."""
        self.spread.close()
        if self._listening is not None:
            self._listening.cancel()
            self._address(self._worker.name).unlink(missing_ok=True)

    def other_owner(self, line: bytes) -> str | None:
        """The name of the worker that a request with this first line is for; None for this worker and for any."""
        path, _, query = line.split(b" ", 2)[1].partition(b"?") if line.count(b" ") > 1 else (b"", b"", b"")
        owner = _owners.get(path)
        name = owner(query) if owner is not None else None
        return name if name is not None and name != self._worker.name and _NAME.match(name) else None

    def give(self, owner: str, connection: Any, begun: bytes, far_end: FarEnd | None = None) -> bool:
        """Hands the socket `connection` over, with the bytes `begun` that were read from it.

        `far_end`: who is at the other end of a socket that is relayed. False if the worker is gone.
        """
        begun = (far_end.line if far_end is not None else b"") + b"\n" + begun
        channel = socket.socket(socket.AF_UNIX)
        channel.setblocking(False)
        try:
            channel.connect(str(self._address(owner)))
            sent = socket.send_fds(channel, [begun], [connection.fileno()])
        except OSError:
            channel.close()
            return False
        if sent < len(begun):
            self._start(self._send_rest(channel, begun[sent:]))
        else:
            channel.close()  # the end of the channel tells the other worker that it has all bytes
        return True

    def _address(self, name: str) -> Path:
        return self._worker.folder / f"{name}.handover"

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def give_through(self, owner: str, transport: asyncio.Transport, begun: bytes, connections: set[Any]) -> bool:
        """As `give`, for a connection with TLS, which goes on passing through this worker."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            if not self.give(owner, theirs, begun, far_end(transport)):
                ours.close()
                return False
        self._start(relay(transport, ours, connections))
        return True

    async def _send_rest(self, channel: socket.socket, rest: bytes) -> None:
        with channel, contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(channel, rest)

    async def _accept(self, listener: socket.socket, make_protocol: Callable[[], "HandoverProtocol"]) -> None:
        async with contextlib.aclosing(channels_to(listener)) as channels:
            async for channel in channels:
                self._start(self._take(channel, make_protocol))

    async def _take(self, channel: socket.socket, make_protocol: Callable[[], "HandoverProtocol"]) -> None:
        loop = asyncio.get_running_loop()
        with channel, contextlib.suppress(OSError):  # the client or the other worker is gone
            await _readable(channel)
            begun, descriptors, _, _ = socket.recv_fds(channel, _CHUNK, 1)
            if not descriptors:
                return
            connection = socket.socket(fileno=descriptors[0])
            try:
                while more := await loop.sock_recv(channel, _CHUNK):
                    begun += more
                line, _, begun = begun.partition(b"\n")
                protocol = make_protocol()
                protocol.begin_with(begun, far_end_of(line))
            except BaseException:
                connection.close()
                raise
            await adopt(connection, protocol)


async def _readable(channel: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(channel, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(channel)


class HandoverProtocol(HttpProtocol):
    """The HTTP protocol of one worker of several. It reads each request's first line before it parses the request."""

    def __init__(self, handover: Handover, **options: Any) -> None:
        super().__init__(**options)
        self._handover = handover
        #: The bytes of this connection that another worker has read; None if this worker has accepted it.
        self._begun: bytes | None = None
        self._far_end: FarEnd | None = None
        #: Whether another worker has the connection, though nothing was read from it.
        self._passed_on = False
        #: Whether the last request was read to its end and no other has begun.
        self._between = True
        #: The bytes of a request whose first line has not ended yet; None if there is no such request.
        self._first_line: bytes | None = None

    def begin_with(self, begun: bytes, far_end: FarEnd | None = None) -> None:
        """Sets the bytes that come before all others of the connection: another worker has accepted it, and it stays.

        `far_end`: who is at the other end of a relayed one. Call this before the connection is made.
        """
        self._begun, self._far_end = begun, far_end

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        spread, begun = self._handover.spread, self._begun
        # With TLS the client has agreed on keys with this process, before it is known here.
        may_move = begun is None and not is_ssl(transport)
        if may_move and spread.passes_on(transport.get_extra_info("socket"), len(self.connections)):
            self._passed_on = True
            transport.abort()  # closes this process's descriptor alone
            return
        if self._far_end is not None:
            super().connection_made(RelayedTransport(transport, self._far_end))  # type: ignore[arg-type]
        else:
            super().connection_made(transport)
        spread.note(len(self.connections))
        if begun:
            self.data_received(begun)
            self._begun = b""

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._passed_on:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # A request that came before the last one was answered stays here: answers go out in the order of requests.
        if self._between and (self.cycle is None or self.cycle.response_complete):
            self._first_line = b""
        if self._first_line is None or not self._moved(data):
            super().data_received(data)

    def _moved(self, data: bytes) -> bool:
        """Gives the connection to another worker if the request that `data` belongs to is for that worker."""
        self._first_line, request = None, (self._first_line or b"") + data
        line, ended, _ = request.partition(b"\n")
        if not ended:
            if len(request) < LONGEST_LINE:
                self._first_line = request
            return False
        owner = self._handover.other_owner(line)
        return owner is not None and self._given(owner, request)

    def _given(self, owner: str, request: bytes) -> bool:
        """Gives the connection away, with the request that has begun on it. False if it has to stay."""
        if is_ssl(self.transport) and self._far_end is None:
            if not self._handover.give_through(owner, self.transport, request, self.connections):
                return False
            self._unset_keepalive_if_required()
            self.connection_lost(ConnectionAbortedError())  # another protocol has the transport now
            return True
        if self.transport.get_write_buffer_size() > 0:
            return False
        if not self._handover.give(owner, self.transport.get_extra_info("socket"), request, self._far_end):
            return False
        self.transport.abort()  # closes this process's descriptor; the other worker's keeps the connection open
        return True

    def on_message_begin(self) -> None:
        self._between = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._between = True
        super().on_message_complete()
