"""HTTP as a real server process speaks it: great and chunked bodies, HEAD, raw paths, kept connections."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPMessage, HTTPResponse
from typing import Any

import httpx
import pytest

from attendance_project import __version__
from tests.support.clients import Api
from tests.support.database import Databases, environment_of
from tests.support.processes import ROOT
from tests.support.server import Server

pytestmark = pytest.mark.one_database("HTTP as the server speaks it, whatever is behind the routes.")

MIB = 1024 * 1024
TOO_LARGE = {"success": False, "error": "Payload too large"}


def chunks(size: int, piece: int = 64 * 1024) -> Iterator[bytes]:
    """A body whose length nobody declares."""
    for _ in range(size // piece):
        yield b" " * piece


def talk(server: Server, *requests: bytes) -> list[tuple[int, HTTPMessage, bytes]]:
    """Raw requests on one connection, the next one sent after the answer: `(status, headers, body)` of each."""
    answers = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        for request in requests:
            connection.sendall(request)
            response = HTTPResponse(connection, method=request.split()[0].decode())
            response.begin()
            answers.append((response.status, response.headers, response.read()))
    return answers


def get(path: bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    return b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""])


@pytest.mark.parametrize("path", ["/auth/login", "/class", "/nothing", "/auth/me"])
def test_ten_megabytes_are_answered_413_which_the_client_receives(api: Api, path: str) -> None:
    answer = api.http.post(path, content=b"x" * (10 * MIB), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_ten_megabytes_of_an_undeclared_length_are_answered_413(api: Api) -> None:
    answer = api.http.post("/auth/login", content=chunks(10 * MIB), headers={"Content-Type": "application/json"})
    assert "transfer-encoding" in answer.request.headers
    assert (answer.status_code, answer.json()) == (413, TOO_LARGE)


def test_after_a_413_the_same_connection_goes_on(server: Server) -> None:
    body = b"x" * (MIB + 1)
    large = b"POST /class HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    first, second = talk(server, large, get(b"/healthz"))
    assert (first[0], json.loads(first[2])) == (413, TOO_LARGE)
    assert (second[0], json.loads(second[2])) == (
        200,
        {"success": True, "data": {"status": "ok", "version": __version__}},
    )


def test_a_chunked_body_within_the_limit_is_read(api: Api) -> None:
    body = {"email": "nobody@example.com", "password": "x" * 1000}
    pieces = iter([json.dumps(body).encode()[:20], b"", json.dumps(body).encode()[20:]])
    answer = api.http.post("/auth/login", content=pieces, headers={"Content-Type": "application/json"})
    assert answer.json() == {"success": False, "error": "Invalid email or password"}


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(api: Api) -> None:
    for size, status in ((MIB, 400), (MIB + 1, 413)):
        answer = api.http.post("/auth/login", content=b" " * size, headers={"Content-Type": "application/json"})
        assert answer.status_code == status


def test_head_has_the_headers_of_get_and_no_body_and_the_connection_goes_on(server: Server) -> None:
    head, whole, refused, missing, last = talk(
        server,
        get(b"/healthz", method=b"HEAD"),
        get(b"/healthz"),
        get(b"/auth/me", method=b"HEAD"),
        get(b"/nothing", method=b"HEAD"),
        get(b"/healthz"),
    )
    assert head[0] == whole[0] == last[0] == 200
    assert head[1]["Content-Type"] == whole[1]["Content-Type"] == "application/json; charset=utf-8"
    assert int(head[1]["Content-Length"]) == len(whole[2]) == len(last[2])
    assert refused[0] == 401
    assert missing[0] == 404


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (b"/class/%00", "Class not found"),
        (b"/class/%0A", "Class not found"),
        (b"/class/%FF%FE", "Class not found"),
        (b"/class/%ED%A0%80", "Class not found"),
        (b"/class/" + b"%EF%BC%91" * 24, "Class not found"),
        (b"/class/a%2Fb", "Not found"),
        (b"/class/..", "Class not found"),
        (b"/class/%2e%2e", "Class not found"),
        (b"//class", "Not found"),
        (b"/class/a?b=%00&c=%FF", "Class not found"),
        (b"/%", "Not found"),
        (b"/" + b"a" * 8000, "Not found"),
    ],
)
def test_a_raw_path_is_answered_in_the_envelope(server: Server, teacher_token: str, path: bytes, error: str) -> None:
    ((status, _, body),) = talk(server, get(path, b"Authorization: " + teacher_token.encode()))
    assert status == 404
    assert json.loads(body) == {"success": False, "error": error}


def test_strange_headers_are_a_401_or_nothing(server: Server, teacher_token: str) -> None:
    token = teacher_token.encode()
    good = get(b"/auth/me", b"Authorization: Bearer " + token, b"X-Odd: \xff\xfe", b"Cookie: \xff=\xfe; =;;")
    bad = get(b"/auth/me", b"Authorization: \xff\xfe")
    twice = get(b"/auth/me", b"Authorization: " + token, b"Authorization: " + token)
    underscored = get(b"/auth/me", b"HTTP_AUTHORIZATION: " + token, b"Authorization_: " + token)
    answers = talk(server, good, bad, twice, underscored)
    assert [status for status, _, _ in answers] == [200, *[401] * 3]
    assert {body for _, _, body in answers[1:]} == {
        b'{"success":false,"error":"Unauthorized, token missing or invalid"}'
    }


def test_a_malformed_host_is_answered_in_the_envelope(server: Server) -> None:
    ((status, _, body),) = talk(server, b"GET /auth/me HTTP/1.1\r\nHost: bad host\r\n\r\n")
    assert status == 400
    assert json.loads(body) == {"success": False, "error": "Bad request"}


@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_websocket_handshake_that_cannot_be_read_is_answered_and_not_left_open(server: Server, method: bytes) -> None:
    upgrade = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13", b"X-Long: " + b"x" * 9000)
    ((status, headers, body),) = talk(server, get(b"/ws?token=x", *upgrade, method=method))
    assert (status, headers["Connection"]) == (400, "close")
    assert json.loads(body) == {"success": False, "error": "Bad request"}


def test_what_is_no_http_is_answered_in_the_envelope(server: Server) -> None:
    ((status, _, body),) = talk(server, b"HELLO\r\n\r\n")
    assert (status, json.loads(body)) == (400, {"success": False, "error": "Bad request"})


def test_a_client_that_goes_in_the_middle_of_its_body_leaves_nothing_behind(server: Server, api: Api) -> None:
    log = len(server.log_text())
    body = b'{"name":"A","email":"gone@example.com","password":"secret1","role":"student"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        head = b"POST /auth/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n"
        connection.sendall(head + body)
    answer = api.http.post("/auth/signup", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    assert "Traceback" not in server.log_text()[log:]


def test_expect_100_continue_is_answered(server: Server) -> None:
    body = b'{"email":"nobody@example.com","password":"secret1"}'
    head = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body))
        stream = connection.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert b'"error":"Invalid email or password"' in stream.read()


@pytest.fixture(scope="module")
def teacher_token(server: Server) -> str:
    client = Api(server.url)
    try:
        return client.signup("teacher").token
    finally:
        client.close()


def test_nothing_of_a_login_stands_in_the_answers_headers(api: Api) -> None:
    person = api.signup("teacher")
    answer = person.get("/auth/me")
    assert isinstance(answer, httpx.Response)
    assert not {"set-cookie", "server", "x-powered-by"} & set(answer.headers)
    assert person.token not in str(answer.headers)


def test_port_0_is_any_that_is_free_and_the_server_says_which_and_its_version(databases: Databases) -> None:
    with subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment_of(databases.fresh(), {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            said: list[Any] = []
            while not said or not said[-1].startswith("Listening on "):
                said.append(next(process.stdout))
            assert said[-2] == f"Live attendance {__version__}\n"
            answer = httpx.get(f"{said[-1].split()[2]}/healthz", timeout=60)
            assert answer.json()["data"] == {"status": "ok", "version": __version__}
        finally:
            process.kill()


def test_what_to_try_is_said_at_the_first_start_alone_and_addresses_are_those_that_are_let_in(
    databases: Databases,
) -> None:
    database = databases.fresh()
    command = [sys.executable, "manage.py", "serve", "--setup", "--port", "{port}"]
    first = Server(database, command, ALLOWED_HOSTS="localhost").start()
    first.close()
    second = Server(database, command, ALLOWED_HOSTS="localhost").start()
    try:
        for server in (first, second):
            assert f"Listening on http://localhost:{server.port} " in server.log_text()
            assert "http://127.0.0.1" not in server.log_text()
            assert "System check" not in server.log_text()
        page = httpx.get(f"http://localhost:{second.port}/app/", timeout=60, follow_redirects=True)
        assert page.status_code == 200
        assert "curl -s http://localhost" in first.log_text()
        assert "curl" not in second.log_text()
    finally:
        second.close()
