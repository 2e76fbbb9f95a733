"""Malformed frames, in whatever state of the connection they come: the server closes it, and logs no traceback."""

import re
import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support.clients import Api
from tests.support.server import Server, only_serve

pytestmark = [pytest.mark.one_database("No frame of these reaches the database."), only_serve]

PATHS = ("/ws", "/nowhere", "/socket.io/?EIO=4&transport=websocket", "/socket.io/?EIO=4&transport=polling")
HANDSHAKE = (
    "GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(first: int, payload: bytes, mask: int = 0x80) -> bytes:
    key = b"\0\0\0\0" if mask else b""
    length = bytes([mask | len(payload)]) if len(payload) < 126 else bytes([mask | 126, 0, len(payload)])
    return bytes([first]) + length + key + payload


CLOSE = frame(0x88, b"\x03\xe8")
NOT_UTF8 = frame(0x81, b"\xff\xfe")
FRAMES = {
    "not masked": frame(0x81, b"hi", mask=0),
    "reserved bits": frame(0xF1, b"hi"),
    "unknown opcode": frame(0x83, b"x"),
    "not UTF-8": NOT_UTF8,
    "not UTF-8, then a close": NOT_UTF8 + CLOSE,
    "not UTF-8 three times": NOT_UTF8 * 3,
    "not UTF-8 in fragments, then a close": frame(0x01, b"\xff") + frame(0x80, b"\xfe") + CLOSE,
    "a continuation of nothing": frame(0x80, b"x"),
    "text within a fragmented text": frame(0x01, b"a") + frame(0x81, b"b"),
    "a ping that is too long": frame(0x89, b"x" * 200),
    "a ping in fragments": frame(0x09, b"x"),
    "a close code of one byte": frame(0x88, b"\x03"),
    "a close code that nobody may send": frame(0x88, b"\x00\x01"),
    "a close reason that is not UTF-8": frame(0x88, b"\x03\xe8\xff"),
    "a length without end": b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    "two closes": CLOSE * 2,
    "another request": b"GET / HTTP/1.1\r\n\r\n",
}


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
        connection.sendall(NOT_UTF8 + CLOSE)
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
