"""Tokens and passwords never stand in the server's log, however talkative it is."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.typing import Subprotocol

from tests.support.clients import FRAME_LIMIT, PASSWORD, Api, Socket
from tests.support.database import Databases, manage
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The redaction of log lines knows no database.")


@pytest.mark.parametrize("kind", ["text", "json"])
async def test_no_token_and_no_password_stands_in_the_most_talkative_log(
    make_server: Callable[..., Server], kind: str
) -> None:
    server = make_server(LOG_LEVEL="DEBUG", LOG_FORMAT=kind)
    api = Api(server.url)
    room = api.make_room(students=1)
    student = room.students[0]
    forged = "Bearer forged-secret-of-nobody"
    assert api.http.get("/auth/me", headers={"Authorization": forged}).status_code == 401
    assert api.http.get("/nothing", params={"token": student.token}).status_code == 404
    assert api.http.get("/auth/me", headers={"Authorization": f"Bearer {student.token}"}).status_code == 200
    login = api.http.post("/auth/login", json={"email": student.email, "password": PASSWORD}).json()["data"]["token"]
    api.http.post("/auth/login", content=b'{"password": "half-a-secret', headers={"Content-Type": "application/json"})
    asked = {"event": "MY_ATTENDANCE"}
    offered = [Subprotocol("attendance.v1"), Subprotocol(login)]
    for socket in (
        Socket(server.ws_url, student.token),
        Socket(server.ws_url, None, additional_headers={"Authorization": f"Bearer {login}"}),
        Socket(server.ws_url, None, subprotocols=offered),
    ):
        async with socket:
            await socket.send(asked["event"])
            assert (await socket.frame())["event"] == "MY_ATTENDANCE"
    async with Socket(server.ws_url, "forged-secret-of-the-url") as socket:
        assert await socket.error() == "Unauthorized or invalid token"
    api.close()
    server.stop()
    log = server.log_text()
    for secret in (student.token, room.teacher.token, login, "forged-secret", PASSWORD, "half-a-secret"):
        assert secret not in log
        assert secret.split(".")[-1] not in log


def test_at_the_level_debug_everything_is_logged(databases: Databases) -> None:
    code = "import logging; logging.getLogger('somebody').debug('a detail')"
    done = manage("shell", "-c", code, database=databases.fresh(), LOG_LEVEL="DEBUG")
    assert "DEBUG somebody: a detail" in done.stderr, done.stderr


@pytest.mark.parametrize("path", ["/auth/signup", "/auth/login"])
def test_a_body_that_fails_its_schema_is_not_logged(server: Server, api: Api, path: str) -> None:
    answer = api.http.post(path, json={"email": "not an address", "password": "my-secret-password"})
    assert answer.status_code == 400
    assert "my-secret-password" not in server.log_text()


def lines(server: Server) -> list[dict[str, Any]]:
    """The lines that are JSON; beside them stands what `serve` says at its start."""
    return [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]


async def until_told(server: Server, number: int, **wanted: str) -> list[dict[str, Any]]:
    """The log's lines that say this, once there are so many."""
    async with asyncio.timeout(FRAME_LIMIT):
        while True:
            found = [line for line in lines(server) if wanted.items() <= line.items()]
            if len(found) >= number:
                return found
            await asyncio.sleep(0.01)


async def test_what_clients_do_is_told_as_events_with_the_ids_that_they_know(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(LOG_FORMAT="json")
    api = Api(server.url)
    room = api.make_room(students=1)
    student = room.students[0]
    wrong = {"email": student.email, "password": "wrong-secret"}
    own_id = "of-the-proxy-0001"
    answer = api.http.post("/auth/login", json=wrong, headers={"X-Request-ID": own_id})
    assert (answer.status_code, answer.headers["x-request-id"]) == (400, own_id)
    (failed,) = await until_told(server, 1, event="sign_in_failed")
    assert (failed["request_id"], failed["address"], failed["account"]) == (own_id, "127.0.0.1", student.id)

    refused = student.post("/class", {"className": "Art"})
    (told,) = await until_told(server, 1, event="refused")
    assert (told["request_id"], told["account"]) == (refused.headers["x-request-id"], student.id)
    assert told["code"] == "teacher_only"

    while (answer := api.http.post("/auth/login", json=wrong)).status_code != 429:
        pass
    (told,) = await until_told(server, 1, event="limit_reached")
    assert (told["limit"], told["account"]) == ("wrong_passwords", student.id)
    assert told["request_id"] == answer.headers["x-request-id"]

    async with Socket(server.ws_url, "no-token", additional_headers={"X-Request-ID": "of-the-proxy-0002"}) as socket:
        await socket.error()
    (told,) = await until_told(server, 1, event="refused", socket_id="of-the-proxy-0002")
    assert "request_id" not in told
    api.close()
    server.stop()
    for secret in ("wrong-secret", student.token):
        assert secret not in server.log_text()
