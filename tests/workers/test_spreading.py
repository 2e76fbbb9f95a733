"""`core.server.spreading`: `serve --workers 4` spreads connections evenly, also on a quiet machine."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import Databases
from tests.support.redis import RedisServer
from tests.support.server import Server, only_serve
from tests.support.workers import PROC, may_take, replaced, worker_pids, workers_of
from tests.workers.running import Running, client_of, until

pytestmark = pytest.mark.long
looks_into_proc = pytest.mark.skipif(not PROC.exists(), reason="looks into Linux's /proc")

WORKERS = 4
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
LIMIT = 60.0  # seconds for whatever is to come


@pytest.fixture(scope="module")
def server(databases: Databases, redis: RedisServer) -> Iterator[Server]:
    running = Server(databases.fresh(), REDIS_URL=redis.url, WORKERS=str(WORKERS), LIMITS="False").start()
    yield running
    running.close()


class Connections:
    """Connections that stay open, each opened once the one before was answered."""

    def __init__(self, server: Server, stack: contextlib.AsyncExitStack) -> None:
        self.server, self._stack = server, stack
        self.open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def add(self, number: int) -> None:
        for _ in range(number):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
            self._stack.callback(writer.close)
            self.open.append((reader, writer))
            await self.answered(reader, writer)

    async def answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(REQUEST)
        async with asyncio.timeout(LIMIT):
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")

    @property
    def by_worker(self) -> Counter[int]:
        ports = [writer.get_extra_info("sockname")[1] for _, writer in self.open if not writer.is_closing()]
        return Counter(workers_of(self.server, ports).values())


async def until_known(server: Server) -> None:
    """Returns once every worker passes connections on to every other."""
    async with asyncio.timeout(LIMIT):
        while not all(_maps(pid, other) for pid in worker_pids(server) for other in worker_pids(server) - {pid}):
            await asyncio.sleep(0.01)


async def until_gone(pid: int) -> None:
    """Returns once a process that was killed has closed what it had."""
    async with asyncio.timeout(LIMIT):
        while may_take(pid):
            await asyncio.sleep(0.01)


def _maps(pid: int, other: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return f"/{other}.load" in Path(f"/proc/{pid}/maps").read_text()
    return False


@only_serve
@looks_into_proc
async def test_the_busiest_of_four_workers_has_at_most_a_third_more_than_the_mean(server: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await until_known(server)
        connections = Connections(server, stack)
        await connections.add(300)
        found = connections.by_worker
        assert sum(found.values()) == 300
        assert max(found.values()) <= 1.3 * 300 / WORKERS, found


@only_serve
@looks_into_proc
async def test_the_clients_of_a_killed_worker_find_the_others_at_once(server: Server) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await until_known(server)
        connections = Connections(server, stack)
        await connections.add(80)
        victim = max(connections.by_worker.items(), key=lambda found: found[1])[0]
        before = worker_pids(server)
        os.kill(victim, signal.SIGKILL)
        await until_gone(victim)
        # What comes then is answered, though nobody may have noted the death yet.
        await connections.add(40)
        await replaced(server, victim, WORKERS)
        await until_known(server)
        # The new worker has fewest, so it gets the next ones until it has as many.
        (new,) = worker_pids(server) - before
        async with asyncio.timeout(LIMIT):
            while min(connections.by_worker[pid] for pid in before - {victim}) - connections.by_worker[new] > 5:
                await connections.add(5)


async def test_what_was_passed_on_to_a_worker_that_stops_is_answered(workers: tuple[Running, Running]) -> None:
    one, two = workers
    for worker in workers:
        worker.handover.spread.beat(0)
    for worker in workers:  # each knows the other from now on
        worker.handover.spread.beat(0)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(one)) for _ in range(40)]
        await until(lambda: len(one.state.connections) >= 4)
        two.handover.close()
        assert {(await client.ask("/"))[:4].strip() for client in clients} == {"one", "two"}


async def test_a_worker_that_says_nothing_gets_nothing(
    workers: tuple[Running, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = workers
    for worker in (two, one):
        worker.handover.spread.beat(0)
    monkeypatch.setattr("core.server.spreading.SILENCE", -1.0)  # whatever it says is too old
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(one)) for _ in range(20)]
        assert {(await client.ask("/"))[:3] for client in clients} == {"one"}


async def test_a_worker_that_was_killed_gets_nothing(workers: tuple[Running, Running]) -> None:
    one, two = workers
    for worker in (two, one):
        worker.handover.spread.beat(0)
    spread = two.handover.spread
    assert spread._listening is not None
    spread._listening.cancel()  # its files stay
    await asyncio.wait([spread._listening])
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client_of(one)) for _ in range(20)]
        assert {(await client.ask("/"))[:3] for client in clients} == {"one"}
