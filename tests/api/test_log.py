"""Tokens and passwords never stand in the server's log, however talkative it is."""

from collections.abc import Callable

import pytest
from websockets.typing import Subprotocol

from tests.support.clients import PASSWORD, Api, Socket
from tests.support.database import Databases, manage
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The redaction of log lines knows no database.")


async def test_no_token_and_no_password_stands_in_the_most_talkative_log(make_server: Callable[..., Server]) -> None:
    server = make_server(LOG_LEVEL="DEBUG")
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
