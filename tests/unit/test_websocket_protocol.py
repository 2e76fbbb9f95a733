"""A WebSocket's descriptor is written to past the server's transport only while that is safe."""

import asyncio
import socket
from collections.abc import Iterator
from itertools import repeat
from types import SimpleNamespace
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from core.server.handshakes import Opening
from core.server.websocket_protocol import EXTENSION, FrameTransport, WebSocketProtocol


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def protocol(ours: socket.socket, *, is_encrypted: bool = False) -> Any:
    """The server's, as far as it is asked here; its transport has `ours`."""
    limits: list[int] = []
    transport = SimpleNamespace(
        get_extra_info=lambda name: ours,
        set_write_buffer_limits=lambda high: limits.append(high),
        limits=limits,
        is_closing=lambda: False,
    )
    return SimpleNamespace(is_encrypted=is_encrypted, transport=transport, is_paused=False, is_open=True)


def test_bytes_go_to_the_peer_at_once_while_nothing_is_queued(pair: tuple[socket.socket, socket.socket]) -> None:
    of = protocol(pair[0])
    transport = FrameTransport(of)
    assert of.transport.limits == [0]  # so that the protocol is told as soon as anything is queued
    assert transport.connection is not None
    assert transport.connection.send(b"frame") == 5
    assert pair[1].recv(10) == b"frame"

    of.is_paused = True
    assert transport.connection is None
    of.is_paused = False
    assert transport.connection is not None
    of.is_open = False
    assert transport.connection is None
    transport.end()


def test_a_full_peer_makes_nobody_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    transport = FrameTransport(protocol(pair[0]))
    assert transport.connection is not None
    with pytest.raises(BlockingIOError):
        sum(map(transport.connection.send, repeat(b"x" * 4096)))
    transport.end()


def test_a_socket_kept_from_an_ended_connection_writes_nowhere(pair: tuple[socket.socket, socket.socket]) -> None:
    # The descriptor's number is free by then, and may be another client's, or the database's.
    transport = FrameTransport(protocol(pair[0]))
    kept = transport.connection
    transport.end()
    assert transport.connection is None
    assert kept is not None
    with pytest.raises(OSError, match="Bad file descriptor"):
        kept.send(b"frame")
    assert kept.fileno() == -1
    assert pair[0].fileno() >= 0  # it was not ours to close


def test_what_must_be_encrypted_goes_through_the_transport(pair: tuple[socket.socket, socket.socket]) -> None:
    assert FrameTransport(protocol(pair[0], is_encrypted=True)).connection is None


async def test_what_a_connection_owes_to_requests_goes_before_any_frame() -> None:
    # A client may ask for much, not read it, and open a WebSocket on the same connection.
    owed = b"x" * 10_000_000
    config = uvicorn.Config(wait_for_the_end, log_config=None, interface="asgi3")
    config.loaded_app = wait_for_the_end
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[asyncio.Transport] = loop.create_future()

    class Requests(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.set_result(cast(asyncio.Transport, transport))

    server = await loop.create_server(Requests, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    transport = await accepted
    transport.write(owed)
    assert transport.get_write_buffer_size() > 0

    sockets = WebSocketProtocol(config, ServerState(), loop)
    transport.set_protocol(sockets)
    sockets.open(
        transport,
        Opening(b"", []),
        target=b"/ws",
        headers=[],
        server=None,
        client=None,
        is_encrypted=False,
        app_state={},
    )
    frames = sockets._scope["extensions"][EXTENSION]
    assert frames.connection is None
    assert await reader.readexactly(len(owed)) == owed
    await frames.drained()
    assert frames.connection is not None
    transport.abort()
    writer.close()
    server.close()


async def wait_for_the_end(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass
