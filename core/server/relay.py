"""A connection with TLS that another worker serves: its bytes go to and fro through the worker that accepted it.

The keys of a TLS connection stay in the process that has agreed on them, so such a connection cannot move as others do.
The other worker gets one end of a pair of sockets, and is told who is at the far end.

Little waits here: a client that reads slowly is waited for in the other worker, which ends the connection of one that
is too slow. It is then this worker that has to cut the client off.
"""

import asyncio
import json
import select
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from core.server.adopted import adopt

#: Once a worker has ended a connection, its client has this long to take what is left, seconds.
END_LIMIT = 10.0
#: While a client takes nothing, this long passes between two looks whether the worker has ended that, seconds.
LOOK_INTERVAL = 1.0
#: So much may wait for a client, bytes, and as much again as is read at once. Transports with TLS would take 512 KiB.
MOST_UNSENT = 64 * 1024


@dataclass(frozen=True)
class FarEnd:
    """What the worker that serves a relayed connection cannot ask its own socket: addresses, as `(host, port)`."""

    client: tuple[str, int]
    server: tuple[str, int]

    @property
    def line(self) -> bytes:
        return json.dumps([self.client, self.server]).encode()


def far_end_of(line: bytes) -> FarEnd | None:
    """What `FarEnd.line` wrote; None for an empty line."""
    if not line:
        return None
    client, server = json.loads(line)
    return FarEnd(tuple(client), tuple(server))


class RelayedTransport:
    """The transport of a relayed connection's end, which answers for the far end: a client of the server's, by TLS."""

    def __init__(self, transport: asyncio.Transport, far_end: FarEnd) -> None:
        self._transport = transport
        self.far_end = far_end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "socket":
            return _FarSocket(self._transport.get_extra_info("socket"), self.far_end)
        return True if name == "sslcontext" else self._transport.get_extra_info(name, default)


class _FarSocket:
    """The socket of a relayed connection's end, with the addresses of the far end."""

    def __init__(self, plug: Any, far_end: FarEnd) -> None:
        self._plug, self._far_end = plug, far_end

    def fileno(self) -> int:
        return int(self._plug.fileno())

    def getpeername(self) -> tuple[str, int]:
        return self._far_end.client

    def getsockname(self) -> tuple[str, int]:
        return self._far_end.server


class _Relay(asyncio.Protocol):
    """One of two connections; what comes from it goes to the other, no faster than the other takes it."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.other: _Relay
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self.other.transport.write(data)

    def pause_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, failure: Exception | None) -> None:
        self.is_lost = True
        if self.other.transport is not None:
            self.other.transport.close()


class _ToClient(_Relay):
    """The client's connection. It counts as one of the server's `connections` until both it and the other are gone."""

    other: "_ToWorker"

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        super().__init__()
        self.transport = transport
        self._connections = connections
        #: What came before there was a way on.
        self.early: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        #: For the next look, or for the end.
        self._timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self.other.transport is None:
            self.early.append(data)
        else:
            super().data_received(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._set_timer(LOOK_INTERVAL, self._look)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.other.is_lost:
            self._stop_timer()

    def connection_lost(self, failure: Exception | None) -> None:
        super().connection_lost(failure)
        self._stop_timer()
        self.leave()

    def end(self) -> None:
        """Cuts the client off, if it does not take in time what is left for it."""
        if not self.is_lost:
            self._set_timer(END_LIMIT, self.transport.abort)

    def _look(self) -> None:
        """Looks whether the worker has ended the connection: while nothing is read from it, nobody is told."""
        if self.other.has_hung_up:
            self.end()
        else:
            self._set_timer(LOOK_INTERVAL, self._look)

    def _set_timer(self, seconds: float, then: Callable[[], object]) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, then)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def leave(self) -> None:
        """Counts no longer, if neither end is there."""
        if self.is_lost and self.other.is_lost:
            self._connections.discard(self)

    def shutdown(self) -> None:
        """Nothing yet: the worker that serves the connection ends it, or it is cut off with all that are left."""


class _ToWorker(_Relay):
    """The connection to the worker that serves the client."""

    other: _ToClient

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.writelines(self.other.early)
        self.other.early.clear()
        if self.other.transport.is_closing():
            transport.close()
        else:
            self.other.transport.resume_reading()

    def connection_lost(self, failure: Exception | None) -> None:
        super().connection_lost(failure)
        self.other.end()
        self.other.leave()

    @property
    def has_hung_up(self) -> bool:
        """Whether the worker has closed its end, though there may be more to read."""
        looking = select.poll()
        looking.register(self.transport.get_extra_info("socket").fileno(), 0)  # of a hang-up it tells unasked
        return any(event & select.POLLHUP for _, event in looking.poll(0))


def relay(transport: asyncio.Transport, ours: socket.socket, connections: set[Any]) -> Coroutine[Any, Any, None]:
    """Puts a relay in the place of the protocol that `transport` had. What is returned joins it with `ours`."""
    client, worker = _ToClient(transport, connections), _ToWorker()
    client.other, worker.other = worker, client
    transport.pause_reading()
    transport.set_protocol(client)
    transport.set_write_buffer_limits(MOST_UNSENT)
    connections.add(client)
    return _join(worker, ours)


async def _join(worker: _ToWorker, ours: socket.socket) -> None:
    try:
        await adopt(ours, worker)
    except BaseException:
        worker.is_lost = True  # it never began
        worker.other.leave()
        worker.other.transport.abort()
        raise


def far_end(transport: asyncio.Transport) -> FarEnd | None:
    """Who is at the far end of a connection with TLS; None for any other."""
    client, server = get_remote_addr(transport), get_local_addr(transport)
    if not is_ssl(transport) or client is None or server is None or server[1] is None:
        return None
    return FarEnd(client, (server[0], server[1]))
