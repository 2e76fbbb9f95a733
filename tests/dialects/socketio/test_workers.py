"""Several workers on one port: a client's polls, posts and upgrade find the worker that has the client."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from itertools import permutations

import httpx
import pytest

from tests.support.clients import NO_CERTIFICATES, Api, Person
from tests.support.database import Databases
from tests.support.node import assert_a_crowd_stays, needs_node, run_client
from tests.support.processes import free_port
from tests.support.redis import RedisServer
from tests.support.server import Server
from tests.support.workers import connections_alternate, replaced, taking_connections, worker_pids

pytestmark = [
    pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server here"),
    pytest.mark.one_database("Which worker has a client is no database's matter."),
    pytest.mark.long,
]


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """Two workers on the same ports."""
    with RedisServer() as redis:
        running = Server(databases.fresh(), REDIS_URL=redis.url, WORKERS="2", CHAT_PORT=str(free_port())).start()
        yield running
        running.close()
        running.assert_clean()


@needs_node
async def test_twenty_default_clients_connect_and_stay(server: Server) -> None:
    async with connections_alternate(server):
        await assert_a_crowd_stays(server.url)


@needs_node
@pytest.mark.parametrize("script", ["events.js", "rooms.js"])
async def test_the_dialects_work_as_with_one_worker(server: Server, script: str) -> None:
    assert await run_client(script, server.url) == "ok: websocket\nok: polling\nok: upgrade\n"


def connection(url: str) -> httpx.Client:
    """A client of polling with a connection of its own, kept open from one request to the next."""
    return httpx.Client(base_url=url, params={"EIO": "4", "transport": "polling"}, timeout=60, verify=NO_CERTIFICATES)


def open_session(client: httpx.Client, person: Person) -> str:
    """The id of a new Engine.IO session that has sent no CONNECT yet."""
    sid: str = json.loads(client.get("/socket.io/", params={"token": person.token}).text[1:])["sid"]
    return sid


def let_in(client: httpx.Client, person: Person, sid: str) -> None:
    packet = "40" + json.dumps({"token": person.token})
    assert client.post("/socket.io/", params={"sid": sid}, content=packet).text == "OK"
    assert client.get("/socket.io/", params={"sid": sid}).text.startswith('40{"sid":')


@pytest.mark.parametrize("port", ["PORT", "CHAT_PORT"])
def test_a_request_moves_to_the_worker_that_has_the_client(server: Server, api: Api, port: str) -> None:
    url = server.url if port == "PORT" else f"http://127.0.0.1:{server.environment['CHAT_PORT']}"
    student = api.signup("student")
    workers = worker_pids(server)
    assert len(workers) == 2
    for worker, other in permutations(workers):
        with connection(url) as first, connection(url) as second:
            with taking_connections(server, worker):
                sid = open_session(first, student)
            assert int(sid.split(".")[0]) == worker
            with taking_connections(server, other):
                second.get("/socket.io/")  # whatever the answer, the other worker has the connection now
            let_in(second, student, sid)


async def test_a_client_whose_worker_died_is_refused_and_connects_again(server: Server, api: Api) -> None:
    student = api.signup("student")
    with connection(server.url) as client:
        sid = open_session(client, student)
        let_in(client, student, sid)
    worker = int(sid.split(".")[0])
    os.kill(worker, signal.SIGKILL)
    await replaced(server, worker, 2)
    with connection(server.url) as client:
        answer = client.get("/socket.io/", params={"sid": sid})
        assert (answer.status_code, answer.json()) == (400, f"Invalid session {sid}")
        again = open_session(client, student)
        let_in(client, student, again)
    assert again != sid
