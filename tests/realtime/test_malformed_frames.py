"""Malformed frames, in whatever state of the connection they come: the server closes it, and logs no traceback."""

import re
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.realtime.raw_frames import ROWS
from tests.support.clients import Api
from tests.support.server import Server, only_serve

pytestmark = [pytest.mark.one_database("No frame of these reaches the database."), only_serve]

PATHS = ("/ws", "/nowhere", "/socket.io/?EIO=4&transport=websocket", "/socket.io/?EIO=4&transport=polling")
HANDSHAKE = (
    "GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


#: Whatever is wrong, and what is sent behind the end of a connection.
FRAMES = {name: row.sent for name, row in ROWS.items() if row.code in (1002, 1007, 1009)} | {
    name: ROWS[name].sent for name in ("two closes", "what comes after a close", "not UTF-8, then a close")
}
NOT_UTF8_THEN_CLOSE = FRAMES["not UTF-8, then a close"]


def end(connection: socket.socket) -> None:
    """Reads until the server has closed the connection."""
    with connection, suppress(ConnectionError):
        with suppress(OSError):  # the server has closed it already
            connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def open_socket(server: Server, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=15)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(HANDSHAKE.format(path).encode())
    return connection


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("frames", FRAMES.values(), ids=list(FRAMES))
def test_malformed_frames_close_their_connection_and_log_no_traceback(server: Server, path: str, frames: bytes) -> None:
    for wait_for_answer in (True, False):  # frames before the handshake is answered come in another state
        connection = open_socket(server, path)
        if wait_for_answer:
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
        with suppress(ConnectionError):  # a handshake on an unknown path is refused, and closed
            connection.sendall(frames)
        end(connection)


def test_a_flood_of_malformed_frames_leaves_a_few_lines_in_the_log(make_server: Callable[..., Server]) -> None:
    server = make_server()
    for _ in range(300):
        connection = open_socket(server, PATHS[2])
        connection.recv(4096)
        connection.sendall(NOT_UTF8_THEN_CLOSE)
        end(connection)
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as other:
        other.sendall(b"HELLO\r\n\r\n" * 2)
        assert b"400" in other.recv(4096)
    api = Api(server.url)
    assert api.http.get("/healthz").status_code == 200
    api.close()
    server.stop()
    log = server.log_text()
    lines = re.findall("A client's frames cannot be read", log)
    assert "Traceback" not in log
    assert 0 < len(lines) <= 12, log
    assert "more like this" in log
