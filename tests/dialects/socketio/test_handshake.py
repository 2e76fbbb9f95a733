"""The handshake: where tokens stand, how refusals are worded, and which pages and ports are let in."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from jwt.warnings import InsecureKeyLengthWarning
from websockets.exceptions import InvalidStatus

from tests.dialects.rooms.contract import ERROR
from tests.realtime.conftest import People
from tests.realtime.contract import UNAUTHORIZED
from tests.realtime.test_tokens import CHANGES, change_elsewhere
from tests.support.clients import NO_CERTIFICATES, Api, Room, Socket, make_token
from tests.support.environment import JWT_SECRET
from tests.support.origins import LIST, ORIGINS
from tests.support.processes import free_port
from tests.support.server import Server
from tests.support.socketio import Refused, SocketIo, events_socket, rooms_socket

pytestmark = pytest.mark.early

NO_TOKEN, BAD_TOKEN, NO_USER = "No token provided", "Invalid token", "User not found"


async def refusal(socket: SocketIo) -> str:
    """The words of the refusal; "" if the connection is let in."""
    try:
        async with socket:
            return ""
    except Refused as refused:
        return str(refused)


def bad_tokens(user_id: str) -> dict[str, tuple[str, str]]:
    """Bad tokens, and the words in which rooms refuses them; the user is a teacher."""
    now = int(time.time())
    claims = {"userId": user_id, "role": "teacher", "iat": now, "exp": now + 3600}
    return {
        "no token at all": ("hello", BAD_TOKEN),
        "empty": ("", NO_TOKEN),
        "another secret": (jwt.encode(claims, "another secret, which is not the server's own", "HS256"), BAD_TOKEN),
        "no signature": (jwt.encode(claims, "", "none"), BAD_TOKEN),
        "expired": (make_token(user_id, "teacher", iat=now - 100, exp=now - 50), BAD_TOKEN),
        "another role": (make_token(user_id, "student"), BAD_TOKEN),
        "an old version": (make_token(user_id, "teacher", ver=7), BAD_TOKEN),
        "nobody's": (make_token("0" * 24, "teacher"), NO_USER),
    }


@pytest.mark.parametrize("kind", bad_tokens("0" * 24))
async def test_a_bad_token_is_refused_in_the_dialects_words(server: Server, room: Room, kind: str) -> None:
    token, words = bad_tokens(room.teacher.id)[kind]
    assert await refusal(events_socket(server.url, token)) == UNAUTHORIZED
    assert await refusal(rooms_socket(server.url, token)) == words


async def test_the_token_says_which_dialect_is_meant(server: Server, room: Room) -> None:
    good, query = room.teacher.token, {"token": room.teacher.token}
    for socket, error in (
        (SocketIo(server.url, query=query), "ERROR"),
        (SocketIo(server.url, query=query, auth={}), "ERROR"),
        (SocketIo(server.url, query=query, auth={"name": "x"}), "ERROR"),
        (SocketIo(server.url, auth={"token": good}), ERROR),
        (SocketIo(server.url, auth={"token": f"Bearer {good}"}), ERROR),
        (SocketIo(server.url, query={"token": "bad"}, auth={"token": good}), ERROR),
    ):
        async with socket:
            await socket.send("nothing")
            assert (await socket.hear())[0] == error
    auths: list[tuple[Any, str]] = [
        (None, UNAUTHORIZED),
        ({}, NO_TOKEN),
        ({"token": None}, NO_TOKEN),
        ({"token": ""}, NO_TOKEN),
        ({"token": 5}, BAD_TOKEN),
        ({"token": {"a": 1}}, BAD_TOKEN),
        ("a string", NO_TOKEN),
        ([good], NO_TOKEN),
    ]
    for auth, words in auths:
        assert await refusal(SocketIo(server.url, auth=auth)) == words, auth
    assert await refusal(SocketIo(server.url, query=query, auth={"token": "bad"})) == BAD_TOKEN


@pytest.mark.parametrize("payload", ['{"token":"a\\u0000b"}', '{"token":', "{'token': 1}", '{"token":NaN}', "[" * 9999])
async def test_a_connect_that_cannot_be_read_is_refused_at_once(server: Server, room: Room, payload: str) -> None:
    for socket, words in (
        (events_socket(server.url, room.teacher.token), UNAUTHORIZED),
        (rooms_socket(server.url, room.teacher.token), BAD_TOKEN),
    ):
        async with socket:
            await socket.raw("41")
            await socket.raw("40" + payload)
            assert await socket.packet() == f'44{{"message":"{words}"}}'


async def test_a_refused_client_may_try_again_on_the_same_connection(server: Server, room: Room) -> None:
    socket = SocketIo(server.url, auth={"token": room.teacher.token})
    async with socket:
        await socket.raw("41")
        await socket.raw('40{"token":"bad"}')
        assert await socket.packet() == f'44{{"message":"{BAD_TOKEN}"}}'
        await socket.raw('42["startAttendanceSession",{"session_id":"x"}]')  # an event before the CONNECT does nothing
        await socket.raw(f'40{{"token":"{room.teacher.token}"}}')
        assert (await socket.packet()).startswith('40{"sid":')


@pytest.mark.long
@pytest.mark.parametrize("open_socket", [events_socket, rooms_socket])
async def test_a_token_that_expires_ends_its_connection(
    server: Server, room: Room, open_socket: Callable[..., SocketIo]
) -> None:
    brief = make_token(
        room.teacher.id, "teacher", exp=int(time.time()) + 5
    )  # long enough for a busy machine to connect
    error = "ERROR" if open_socket is events_socket else ERROR
    async with open_socket(server.url, brief) as socket, open_socket(server.url, room.teacher.token) as other:
        assert await socket.last_words() == [(error, {"message": UNAUTHORIZED}), "41", "1"]
        await other.send("nothing")
        assert (await other.hear())[0] == error


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_of_an_account_by_another_process_ends_its_connections(
    server: Server, api: Api, people: People, change: str
) -> None:
    person = api.signup("teacher")
    token = api.login(person)
    async with (
        events_socket(server.url, token) as first,
        rooms_socket(server.url, token) as second,
        events_socket(server.url, people.outsider.token) as bystander,
    ):
        await change_elsewhere(server, person, CHANGES[change])
        assert await first.last_words() == [("ERROR", {"message": UNAUTHORIZED}), "41", "1"]
        assert await second.last_words() == [(ERROR, {"message": UNAUTHORIZED}), "41", "1"]
        await bystander.hears_nothing("ERROR", "Unknown event")
    assert await refusal(events_socket(server.url, token)) == UNAUTHORIZED


async def test_rooms_may_have_a_secret_and_a_port_of_their_own(make_server: Callable[..., Server]) -> None:
    secret, port = "another system's secret, long enough to be one", free_port()
    server = make_server(ACCESS_TOKEN_SECRET=secret, CHAT_PORT=str(port))
    chat = f"http://127.0.0.1:{port}"
    api = Api(server.url)
    room = api.make_room(1, start=False)
    claims = {"userId": room.teacher.id, "exp": int(time.time()) + 3600}
    theirs = jwt.encode(claims, secret, "HS256")
    for url in (server.url, chat):
        assert await refusal(rooms_socket(url, room.teacher.token)) == BAD_TOKEN
        assert await refusal(rooms_socket(url, jwt.encode({**claims, "userId": "0" * 24}, secret, "HS256"))) == NO_USER
        async with rooms_socket(url, theirs) as socket:
            answer = await socket.call("startAttendanceSession", {"session_id": room.class_id})
            assert answer["session"]["className"] == "Physics"
    assert await refusal(events_socket(server.url, theirs)) == UNAUTHORIZED
    async with events_socket(server.url, room.teacher.token) as socket:
        await socket.hears_nothing("ERROR", "Unknown event")
    # Nothing but rooms is spoken on this port.
    assert await refusal(events_socket(chat, room.teacher.token)) == NO_TOKEN
    for path in ("/auth/me", "/healthz", "/", "/admin/"):
        assert httpx.get(chat + path, verify=NO_CERTIFICATES).status_code == 404
    with pytest.raises(InvalidStatus):
        await Socket(f"ws://127.0.0.1:{port}/ws", room.teacher.token).__aenter__()
    api.close()


async def test_a_short_access_token_secret_is_a_warning(make_server: Callable[..., Server]) -> None:
    server = make_server(ACCESS_TOKEN_SECRET="short")
    api = Api(server.url)
    person = api.signup("teacher")
    with pytest.warns(InsecureKeyLengthWarning):
        token = jwt.encode({"id": person.id, "exp": int(time.time()) + 3600}, "short", "HS256")
    assert await refusal(rooms_socket(server.url, token)) == ""
    assert "ACCESS_TOKEN_SECRET is shorter than 32 bytes" in server.log_text()
    api.close()


@pytest.fixture(scope="module")
def listed(databases: Any) -> Any:
    """A server that lists its origins."""
    running = Server(databases.fresh(), ALLOWED_ORIGINS=LIST).start()
    yield running
    running.close()
    running.assert_clean()


@pytest.mark.parametrize("origin", ORIGINS)
async def test_with_a_list_of_origins_only_their_pages_connect(listed: Server, origin: str | None) -> None:
    host = f"127.0.0.1:{listed.port}"
    headers = {} if origin is None else {"Origin": origin.format(host=host)}
    token = make_token("0" * 24, "teacher")
    polled = httpx.get(f"{listed.url}/socket.io/?EIO=4&transport=polling", headers=headers, verify=NO_CERTIFICATES)
    if ORIGINS[origin]:
        assert polled.status_code == 200
        assert polled.headers.get("Access-Control-Allow-Origin") == headers.get("Origin")
        assert "Access-Control-Allow-Credentials" not in polled.headers
        assert await refusal(rooms_socket(listed.url, token, additional_headers=headers)) == NO_USER
        async with Socket(listed.ws_url, token, additional_headers=headers) as socket:
            assert await socket.error() == UNAUTHORIZED
        return
    assert (polled.status_code, polled.json()) == (403, {"code": 4, "message": "Forbidden"})
    for attempt in (
        rooms_socket(listed.url, token, additional_headers=headers),
        Socket(listed.ws_url, token, additional_headers=headers),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await attempt.__aenter__()
        assert refused.value.response.status_code == 403


async def test_without_a_list_of_origins_every_page_connects(server: Server, room: Room) -> None:
    headers = {"Origin": "https://anywhere.example"}
    async with (
        rooms_socket(server.url, room.teacher.token, additional_headers=headers),
        Socket(server.ws_url, room.teacher.token, additional_headers=headers) as ws,
    ):
        await ws.hears_nothing()
    preflight = httpx.options(
        f"{server.url}/socket.io/?EIO=4&transport=polling",
        headers={**headers, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
        verify=NO_CERTIFICATES,
    )
    assert preflight.headers["Access-Control-Allow-Origin"] == headers["Origin"]
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type"
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    assert JWT_SECRET not in server.log_text()
    assert room.teacher.token not in server.log_text()


@pytest.fixture(scope="module")
def named(databases: Any) -> Any:
    """A server that lists its hosts."""
    running = Server(databases.fresh(), ALLOWED_HOSTS="attendance.example, .school.example").start()
    yield running
    running.close()
    running.assert_clean()


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("attendance.example", True),
        ("ATTENDANCE.example:3000", True),
        ("pupils.school.example", True),
        ("127.0.0.1", False),
        ("attendance.example.evil.example", False),
        ("[", False),
    ],
)
async def test_sockets_of_every_protocol_ask_for_a_host_that_is_listed(named: Server, host: str, known: bool) -> None:
    token = make_token("0" * 24, "teacher")
    headers = {"Host": host}
    polled = httpx.get(f"{named.url}/socket.io/?EIO=4&transport=polling", headers=headers, verify=NO_CERTIFICATES)
    assert polled.status_code == (200 if known else 403)
    assert httpx.get(f"{named.url}/auth/me", headers=headers, verify=NO_CERTIFICATES).status_code == (
        401 if known else 400
    )
    for path in ("/ws", "/socket.io/?EIO=4&transport=websocket", "/attentrack"):
        status = await handshake(named, path, host, token)
        assert (status == 101) is known, path
        assert known or status == 403


async def handshake(server: Server, path: str, host: str, token: str) -> int:
    """The status of a WebSocket's handshake with a `Host` of the test's own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [
        f"GET {path}{'&' if '?' in path else '?'}token={token} HTTP/1.1",
        f"Host: {host}",
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", ""),
    ]
    writer.write("\r\n".join(lines).encode())
    status = (await reader.readline()).split()[1]
    writer.close()
    return int(status)
