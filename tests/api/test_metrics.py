"""/metrics, for the addresses of METRICS alone: what a lesson counts, by one process and by several together."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from core.rest.metrics import may_ask
from tests.realtime.contract import marked
from tests.support.clients import FRAME_LIMIT, Api, Socket
from tests.support.database import Databases
from tests.support.processes import ROOT
from tests.support.redis import RedisServer
from tests.support.server import Server, only_serve
from tests.support.workers import replaced, taking_connections, worker_pids

pytestmark = pytest.mark.one_database("What is counted does not depend on which database holds the marks.")

ALLOWED = "127.0.0.1, 10.0.0.0/8"
BOARD = json.loads((ROOT / "docs" / "grafana.json").read_text())
SAMPLE = re.compile(r"^(attendance_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def samples(server: Server) -> dict[tuple[str, str], float]:
    """What /metrics says: value by name and labels."""
    answer = httpx.get(f"{server.url}/metrics")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"].startswith("text/plain")
    return {(name, labels or ""): float(value) for name, labels, value in SAMPLE.findall(answer.text)}


async def until(server: Server, holds: Callable[[dict[tuple[str, str], float]], bool]) -> dict[tuple[str, str], float]:
    """What /metrics says, once this holds."""
    async with asyncio.timeout(FRAME_LIMIT):
        while not holds(found := await asyncio.to_thread(samples, server)):
            await asyncio.sleep(0.01)
        return found


@pytest.fixture(scope="module")
def counting(databases: Databases) -> Iterator[Server]:
    running = Server(databases.fresh(), METRICS=ALLOWED).start()
    yield running
    running.close()
    running.assert_clean()


async def test_a_lesson_is_counted(counting: Server) -> None:
    api = Api(counting.url)
    room = api.make_room(2)
    before = samples(counting)
    async with Socket(counting.ws_url, room.teacher.token) as teacher:
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id, "present")
        found = samples(counting)
    for name, more in (
        ("attendance_sockets", 1),
        ("attendance_marks_total", 1),
        ("attendance_commit_marks_count", 1),
        ("attendance_commit_seconds_count", 1),
        ("attendance_fanout_seconds_count", 1),
    ):
        assert found[name, ""] == before[name, ""] + more, name
    wrong = {"email": room.teacher.email, "password": "wrong secret"}
    while api.http.post("/auth/login", json=wrong).status_code != 429:
        pass
    api.close()
    found = await until(counting, lambda found: found["attendance_sockets", ""] == before["attendance_sockets", ""])
    assert found["attendance_refusals_total", 'limit="wrong_passwords"'] == 1
    assert found["attendance_events_total", 'event="sign_in_failed"'] == 10
    assert found["attendance_waiting", 'pool="bcrypt"'] == 0


def test_the_board_shows_every_metric_and_no_other(counting: Server) -> None:
    text = httpx.get(f"{counting.url}/metrics").text
    counted = set(re.findall(r"^# TYPE (attendance_\w+?)(?:_created)? \w+$", text, re.MULTILINE))
    shown = {
        re.sub(r"_(?:bucket|sum|count)$", "", name)
        for panel in BOARD["panels"]
        for target in panel["targets"]
        for name in re.findall(r"attendance_\w+", target["expr"])
    }
    counted = {re.sub(r"_created$", "", name) for name in counted}
    assert {name.removesuffix("_total") for name in shown} == {name.removesuffix("_total") for name in counted}


def test_the_operators_page_explains_every_metric(counting: Server) -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    text = httpx.get(f"{counting.url}/metrics").text
    for name in re.findall(r"^# TYPE (attendance_\w+) (?:counter|gauge|histogram)$", text, re.MULTILINE):
        assert name.endswith("_created") or f"`{name}" in page, name


def test_nobody_may_ask_by_default(server: Server) -> None:
    answer = httpx.get(f"{server.url}/metrics")
    assert (answer.status_code, answer.json()) == (404, {"success": False, "error": "Not found"})


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("127.0.0.1", True),
        ("10.20.30.40", True),
        ("::ffff:10.1.2.3", True),
        ("127.0.0.2", False),
        ("192.0.2.1", False),
        ("::1", False),
        ("", False),
        ("testclient", False),
        (None, False),
    ],
)
def test_the_addresses_of_the_setting_may_ask(settings: Any, address: str | None, may: bool) -> None:
    settings.METRICS = [ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8")]
    assert may_ask(address) is may


def test_whoever_comes_through_the_proxy_is_asked_by_the_own_address(counting: Server) -> None:
    answer = httpx.get(f"{counting.url}/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.status_code == 404


@asynccontextmanager
async def sockets_at(server: Server, token: str, workers: Sequence[int]) -> AsyncIterator[list[Socket]]:
    """A socket at each of these workers."""
    async with AsyncExitStack() as stack:
        opened = []
        for worker in workers:
            with taking_connections(server, worker):
                opened.append(await stack.enter_async_context(Socket(server.ws_url, token)))
        yield opened


@pytest.mark.long
@only_serve
@pytest.mark.skipif(not shutil.which("redis-server"), reason="no redis-server here")
async def test_each_of_several_workers_answers_for_all_of_them(databases: Databases) -> None:
    with (
        RedisServer() as redis,
        Server(databases.fresh(), METRICS=ALLOWED, WORKERS="2", REDIS_URL=redis.url) as server,
    ):
        api = Api(server.url)
        room = api.make_room(2)
        workers = list(worker_pids(server))
        async with sockets_at(server, room.teacher.token, workers) as (one, two):
            for teacher, student in ((one, room.students[0]), (two, room.students[1])):
                await teacher.mark(student.id)
                for socket in (one, two):
                    assert await socket.frame() == marked(student.id, "present")
            for worker in workers:
                with taking_connections(server, worker):
                    found = await asyncio.to_thread(samples, server)
                assert (found["attendance_marks_total", ""], found["attendance_sockets", ""]) == (2, 2)
            os.kill(workers[0], signal.SIGKILL)
            await replaced(server, workers[0], 2)
            found = await until(server, lambda found: found["attendance_sockets", ""] == 1)
            assert found["attendance_marks_total", ""] == 2
        api.close()
