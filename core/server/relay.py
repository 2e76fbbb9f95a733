"""A connection with TLS that another worker serves: its bytes go to and fro through the worker that accepted it.

The keys of a TLS connection stay in the process that has agreed on them, so such a connection cannot move as others do.
The other worker gets one end of a pair of sockets, and is told who is at the far end.
"""

import asyncio
import json
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from core.server.adopted import adopt


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

    def __init__(self, transport: asyncio.Transport, connections: set[Any]) -> None:
        super().__init__()
        self.transport = transport
        self._connections = connections
        #: What came before there was a way on.
        self.early: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        if self.other.transport is None:
            self.early.append(data)
        else:
            super().data_received(data)

    def connection_lost(self, failure: Exception | None) -> None:
        super().connection_lost(failure)
        self.leave()

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
        self.other.leave()


def relay(transport: asyncio.Transport, ours: socket.socket, connections: set[Any]) -> Coroutine[Any, Any, None]:
    """Puts a relay in the place of the protocol that `transport` had. What is returned joins it with `ours`."""
    client, worker = _ToClient(transport, connections), _ToWorker()
    client.other, worker.other = worker, client
    transport.pause_reading()
    transport.set_protocol(client)
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
