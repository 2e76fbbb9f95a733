"""Raw frames on /ws, right and wrong: each is answered as RFC 6455 says, and the next client finds the server well."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.realtime.conftest import People
from tests.realtime.raw_frames import CLOSE, MESSAGE, PONG, ROWS, TEXT, Row, close
from tests.realtime.test_malformed_frames import open_socket
from tests.support.server import Server, only_serve

pytestmark = [pytest.mark.one_database("No frame of these reaches the database."), only_serve]


def frames(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """The server's frames: first byte, payload. They end with the connection."""
    stream = connection.makefile("rb")
    with suppress(ConnectionError):  # the server has closed it before it had read all
        while head := stream.read(2):
            length = head[1]
            if length >= 126:
                length = int.from_bytes(stream.read(2 if length == 126 else 8))
            yield head[0], stream.read(length)


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_frames_are_answered_as_the_rfc_says(server: Server, people: People, row: Row) -> None:
    connection = open_socket(server, f"/ws?token={people.teacher.token}")
    with connection:
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 ")
        with suppress(ConnectionError):  # a message that is too long is refused while it is sent
            connection.sendall(row.sent)
        heard: list[bytes | str] = []
        code = None
        if row.code is None and not row.heard:
            connection.sendall(close(1000))
        for first, payload in frames(connection):
            if first == CLOSE:
                code = int.from_bytes(payload[:2]) if payload else 1005
                break
            assert first in (TEXT, PONG), (first, payload)
            heard.append(payload if first == PONG else MESSAGE)
            if row.code is None and len(heard) == len(row.heard):
                connection.sendall(close(1000))
        assert (heard, code) == (row.heard, row.code or 1000)
        assert list(frames(connection)) == []
