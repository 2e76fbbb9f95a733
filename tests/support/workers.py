"""The processes of one `manage.py serve --workers N`, as the system shows them (Linux)."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from tests.support.clients import Person, Socket
from tests.support.processes import START_LIMIT, answers
from tests.support.server import Server

PROC = Path("/proc/net/tcp")
ESTABLISHED = "01"
#: How long one worker alone accepts, seconds: shorter than a client of Engine.IO takes to its last request.
TURN = 0.02


def worker_pids(server: Server) -> set[int]:
    """The server's workers that are there now."""
    assert server.process is not None
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in children if b"spawn_main" in _command(pid)}


def worker_of(server: Server, socket: Socket) -> int:
    """Which worker has the other end of this connection."""
    _, client_port = socket.connection.local_address
    (found,) = workers_of(server, [client_port]).values()
    return found


def workers_of(server: Server, client_ports: Iterable[int]) -> dict[int, int]:
    """Which worker has the other end of each connection from these ports; without those that nobody has."""
    wanted = set(client_ports)
    ports: dict[str, int] = {}
    for row in (line.split() for line in PROC.read_text().splitlines()[1:]):
        client = int(row[2][-4:], 16)
        if (row[1][-5:], row[3]) == (f":{server.port:04X}", ESTABLISHED) and client in wanted:
            ports[f"socket:[{row[9]}]"] = client
    return {ports[file]: pid for pid in worker_pids(server) for file in ports.keys() & _open_files(pid)}


@contextlib.contextmanager
def taking_connections(server: Server, worker: int) -> Iterator[None]:
    """Meanwhile the other workers stand still, so that this one accepts every new connection.

    Left to themselves, whoever wakes first accepts, and on a quiet machine that can be the same one every time.
    """
    others = worker_pids(server) - {worker}
    try:
        for pid in others:
            _signal(pid, signal.SIGSTOP)
        until = time.monotonic() + START_LIMIT
        while not all(_stands_still(pid) for pid in others):
            assert time.monotonic() < until, "a worker does not stop"
        yield
    finally:
        for pid in others:
            _signal(pid, signal.SIGCONT)


@contextlib.asynccontextmanager
async def connections_alternate(server: Server) -> AsyncIterator[None]:
    """Meanwhile the workers take turns in accepting what comes, so that a client's connections come to all of them."""

    async def alternate() -> None:
        while True:
            for worker in worker_pids(server):
                with taking_connections(server, worker):
                    await asyncio.sleep(TURN)

    alternating = asyncio.create_task(alternate())
    try:
        yield
    finally:
        alternating.cancel()
        await asyncio.wait([alternating])


async def socket_at_each_worker(stack: contextlib.AsyncExitStack, server: Server, person: Person) -> dict[int, Socket]:
    """A socket of the person's for each worker, by its pid."""
    sockets: dict[int, Socket] = {}
    async with asyncio.timeout(START_LIMIT):
        while missing := worker_pids(server) - set(sockets):
            await asyncio.sleep(0.01)
            for worker in filter(_serves, missing):
                with taking_connections(server, worker):
                    socket = await stack.enter_async_context(Socket(server.ws_url, person.token))
                sockets.setdefault(worker_of(server, socket), socket)
    return sockets


async def replaced(server: Server, pid: int, count: int) -> None:
    """Returns once the worker `pid` is gone and there are `count` again."""
    async with asyncio.timeout(START_LIMIT):
        while pid in (there := worker_pids(server)) or len(there) < count:
            await asyncio.sleep(0.01)


async def freed(port: int) -> None:
    """Returns once nobody listens on the port any more."""
    async with asyncio.timeout(START_LIMIT):
        while answers(port):
            await asyncio.sleep(0.01)


def may_take(pid: int) -> bool:
    """Whether the other workers may still pass connections on to this one, which may be dying."""
    return any(line.endswith(f"/{pid}.spread") for line in Path("/proc/net/unix").read_text().splitlines())


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _stands_still(pid: int) -> bool:
    """Whether a stop has taken effect, or the process is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TZX"
    return True


def _serves(worker: int) -> bool:
    """Whether it takes connections over from other workers: from just before it listens until it stops to."""
    return any(line.endswith(f"/{worker}.handover") for line in Path("/proc/net/unix").read_text().splitlines())


def _command(pid: str) -> bytes:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _open_files(pid: int) -> set[str]:
    files = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                files.add(str(file.readlink()))
    return files
