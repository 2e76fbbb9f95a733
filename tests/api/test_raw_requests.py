"""Raw requests, right and wrong, over TCP: each is answered as RFC 9112 says, and the next client is well served."""

import json
import re
import socket

import httpx
import pytest

from tests.api.raw_requests import CONNECTION, HANDSHAKES, KEY, LAST, ROWS, UPGRADE, handshake
from tests.support.server import Server, only_serve

pytestmark = [pytest.mark.one_database("No request of these reaches the database."), only_serve]


def answers(server: Server, sent: bytes) -> bytes:
    """What comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(sent)
        return connection.makefile("rb").read()


def statuses_of(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


@pytest.mark.parametrize(("sent", "statuses"), ROWS.values(), ids=list(ROWS))
def test_a_request_is_answered_as_the_rfc_says_and_a_refusal_is_an_envelope(
    server: Server, sent: bytes, statuses: list[int]
) -> None:
    answer = answers(server, sent + LAST)
    assert statuses_of(answer) == statuses
    if statuses[-1] != 200:
        head, _, body = answer.rpartition(b"\r\n\r\n")
        assert b"\r\nconnection: close" in head
        assert json.loads(body)["success"] is False
    assert statuses_of(answers(server, LAST)) == [200]


@pytest.mark.parametrize(("sent", "statuses"), HANDSHAKES.values(), ids=list(HANDSHAKES))
def test_a_handshake_with_a_mistake_opens_no_socket(server: Server, sent: bytes, statuses: list[int]) -> None:
    assert statuses_of(answers(server, sent + LAST)) == statuses
    assert statuses_of(answers(server, LAST)) == [200]


@pytest.mark.parametrize("path", ["/ws", "/ws/v2", "/socket.io/?EIO=4&transport=websocket", "/api/v2", "/nowhere"])
def test_a_handshake_of_another_version_is_told_the_one_that_is_spoken(server: Server, path: str) -> None:
    line = f"GET {path} HTTP/1.1".encode()
    answer = answers(server, handshake(UPGRADE, CONNECTION, KEY, b"Sec-WebSocket-Version: 14", line=line))
    assert statuses_of(answer) == [426]
    assert b"\r\nsec-websocket-version: 13\r\n" in answer.lower()


def test_a_connection_that_asked_for_another_protocol_goes_on(server: Server) -> None:
    """Java's client asks for HTTP/2 in its first request, and keeps the connection."""
    asking = {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA"}
    with httpx.Client(base_url=server.url) as client:
        streams = []
        for headers in (asking, {}, asking, {}):
            answer = client.get("/healthz", headers=headers)
            assert answer.status_code == 200
            streams.append(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(set(streams)) == 1
