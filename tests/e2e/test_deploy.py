"""docs/deploy.md: its nginx in front of two workers, with TLS, as it stands there but for addresses and folders."""

import asyncio
import re
import shutil
import ssl
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from accounts import limits
from accounts.credentials import account_named
from accounts.models import Attempts
from core.times import now
from tests.realtime.contract import marked
from tests.support.clients import FRAME_LIMIT, PASSWORD, Api, Socket
from tests.support.database import Database, Databases, manage
from tests.support.nginx import NGINX, Nginx, documented
from tests.support.node import assert_a_crowd_stays, needs_node, run_client
from tests.support.processes import ROOT
from tests.support.redis import RedisServer
from tests.support.server import Server
from tests.support.workers import connections_alternate

pytestmark = [
    pytest.mark.skipif(
        NGINX is None or not shutil.which("redis-server") or not shutil.which("openssl"),
        reason="nginx, redis-server and openssl are not all here",
    ),
    pytest.mark.one_database(
        "nginx, TLS and workers stand in front of the routes; other tests ask each database for what is behind."
    ),
    pytest.mark.long,
]


PAGE = (ROOT / "docs" / "deploy.md").read_text()
#: The page's settings.
SETTINGS = dict(line.split("=", 1) for line in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].splitlines())
#: The unit's command, on any port.
START = [sys.executable, *re.findall(r"^ExecStart=\S+/python (.+)$", PAGE, re.MULTILINE)[0].split(), "--port", "{port}"]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="module")
def database(databases: Databases) -> Database:
    return databases.fresh()


@pytest.fixture(scope="module")
def server(database: Database, redis: RedisServer) -> Iterator[Server]:
    """Two workers on one port, started as the page says."""
    running = Server(database, START, REDIS_URL=redis.url, WORKERS="2", HSTS_SECONDS=SETTINGS["HSTS_SECONDS"]).start()
    yield running
    running.close()
    running.assert_clean()


@pytest.fixture(scope="module")
def nginx(server: Server) -> Iterator[Nginx]:
    """The page's nginx, before both workers."""
    with Nginx(documented(), {"127.0.0.1:3000": server.port}) as running:
        yield running


def trusting(nginx: Nginx) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(nginx.certificate))


def http(nginx: Nginx, *, local_address: str = "127.0.0.1") -> httpx.Client:
    """A client of the site, which comes from `local_address`."""
    transport = httpx.HTTPTransport(verify=trusting(nginx), local_address=local_address)
    return httpx.Client(base_url=nginx.url, transport=transport, timeout=60)


@pytest.fixture
def site(nginx: Nginx) -> Iterator[Api]:
    """The REST side of the site."""
    api = Api(nginx.url)
    api.http.close()
    api.http = http(nginx)
    yield api
    api.close()


def test_rest_is_served_over_tls(site: Api) -> None:
    room = site.make_room(2)
    assert room.teacher.data("GET", f"/class/{room.class_id}")["_id"] == room.class_id
    assert site.login(room.teacher)
    unknown = site.http.get("/nowhere")
    assert (unknown.status_code, unknown.json()["success"]) == (404, False)
    assert unknown.headers["strict-transport-security"] == "max-age=31536000"


def test_plain_http_is_sent_to_tls(nginx: Nginx) -> None:
    answer = httpx.get(f"http://127.0.0.1:{nginx.http_port}/class/1?a=b")
    assert (answer.status_code, answer.headers["location"]) == (301, "https://127.0.0.1/class/1?a=b")


def test_a_body_that_is_too_large_is_refused_in_the_servers_words(site: Api) -> None:
    answer = site.http.post("/auth/login", content=b" " * 1_500_000, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["success"]) == (413, False)


def test_the_admin_knows_that_it_is_asked_over_tls(nginx: Nginx) -> None:
    with http(nginx) as client:
        page = client.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": "nobody@example.com", "password": PASSWORD}
        answer = client.post("/admin/login/", data=form, headers={"Origin": nginx.url, "Referer": nginx.url})
        assert (answer.status_code, "Please enter the correct" in answer.text) == (200, True)


async def test_a_mark_reaches_everybody(nginx: Nginx, site: Api) -> None:
    room = site.make_room(2)
    context = trusting(nginx)
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(Socket(nginx.ws_url, person.token, ssl=context))
            for person in [room.teacher, *room.students * 6]
        ]
        for student in room.students:
            await sockets[0].mark(student.id)
            for socket in sockets:
                assert await socket.frame() == marked(student.id, "present")


@needs_node
async def test_twenty_default_socketio_clients_connect_and_stay(server: Server, nginx: Nginx) -> None:
    async with connections_alternate(server):
        await assert_a_crowd_stays(nginx.url, NODE_EXTRA_CA_CERTS=str(nginx.certificate))


#: What AttenTrack answers for an account that there is not.
UNKNOWN = 400


def login(url: str, client: httpx.Client, forged: str | None = None) -> int:
    """The status of a login of nobody's."""
    headers = {"X-Forwarded-For": forged} if forged is not None else {}
    body = {"email": "nobody@example.com", "password": PASSWORD}
    return client.post(f"{url}/api/teacher/login", json=body, headers=headers).status_code


def exhaust(database: Database, address: str) -> None:
    """Whoever comes from this address has to wait for the next guess at nobody's password."""
    moment = now()
    place = limits._key("place", account_named(email="nobody@example.com"), address)
    row = {"key": place, "number": 100, "last_at": moment, "until": moment + limits.FORGOTTEN}
    database.ask(lambda: Attempts.objects.create(**row))


def test_limits_count_the_clients_own_address_whatever_it_says(nginx: Nginx, server: Server) -> None:
    exhaust(server.database, "127.0.0.5")
    with http(nginx, local_address="127.0.0.5") as guesser, http(nginx, local_address="127.0.0.6") as other:
        assert login(nginx.url, other) == UNKNOWN
        assert login(nginx.url, other, forged="127.0.0.5") == UNKNOWN
        assert login(nginx.url, guesser) == 429
        assert login(nginx.url, guesser, forged="127.0.0.6") == 429


def test_past_the_proxy_nobodys_word_is_taken(server: Server) -> None:
    exhaust(server.database, "127.0.0.7")
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.7")) as guesser:
        assert login(server.url, guesser) == 429
        assert login(server.url, guesser, forged="127.0.0.8") == 429


async def test_no_token_comes_into_the_logs(nginx: Nginx, server: Server, site: Api, redis: RedisServer) -> None:
    student = site.signup("student")
    async with Socket(nginx.ws_url, student.token, ssl=trusting(nginx)):
        pass
    gone = Nginx(documented(), {"127.0.0.1:3000": 1})
    with gone, http(gone) as client:
        for path in ("/ws", "/socket.io/"):
            assert client.get(path, params={"token": student.token}).status_code == 502
        async with asyncio.timeout(FRAME_LIMIT):  # nginx writes the line once the answer is sent
            while not all(f'"GET {path}" 502 ' in gone.logs for path in ("/ws", "/socket.io/")):
                await asyncio.sleep(0.01)
        logs = nginx.logs + gone.logs
    assert '"GET /ws" 101 ' in logs
    assert student.token not in logs


@needs_node
async def test_two_machines_share_the_socketio_clients(server: Server, database: Database, redis: RedisServer) -> None:
    second = Server(database, REDIS_URL=redis.url, WORKERS="2").start()
    try:
        machines = {"10.0.0.11:3000": server.port, "10.0.0.12:3000": second.port}
        with Nginx(documented(machines=True), machines) as nginx:
            ca = str(nginx.certificate)
            await assert_a_crowd_stays(nginx.url, NODE_EXTRA_CA_CERTS=ca)
            assert (await run_client("rooms.js", nginx.url, "upgrade", NODE_EXTRA_CA_CERTS=ca)) == "ok: upgrade\n"
    finally:
        second.close()
    second.assert_clean()


def test_the_pages_settings_are_taken_and_nothing_is_to_be_said_about_them(database: Database, tmp_path: Path) -> None:
    known = (ROOT / "attendance_project" / "settings.py").read_text()
    assert [name for name in SETTINGS if f'"{name}"' not in known] == []
    given = {**SETTINGS, "DATABASE_URL": database.url, "DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": ""}
    done = manage("check", "--deploy", "--fail-level", "WARNING", database=database, **given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("System check identified no issues"), done.stdout + done.stderr
