"""A disk on which nothing more can be written: `/readyz` says so, and says when it is over."""

import asyncio
import resource
import sys
from collections.abc import Callable

import httpx
import pytest

from tests.support.clients import FRAME_LIMIT
from tests.support.server import Server, not_under

pytestmark = [
    pytest.mark.long,
    pytest.mark.one_database("The server's own disk has SQLite's database alone."),
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the files of another process"),
]


async def readyz(server: Server, status: int) -> httpx.Response:
    """The answer, once it has this status."""
    async with asyncio.timeout(FRAME_LIMIT), httpx.AsyncClient(base_url=server.url) as client:
        while (answer := await client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.05)
        return answer


@not_under("granian", reason="another process than the one that is limited serves there")
async def test_readyz_fails_while_nothing_can_be_written_and_no_longer(make_server: Callable[..., Server]) -> None:
    server = make_server()
    await readyz(server, 200)
    log = server.log.read_bytes()
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        answer = await readyz(server, 503)
        assert answer.json() == {"success": False, "error": "Database cannot be written"}
        assert answer.headers["x-not-ready"] == "database_not_writable"
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)
    await readyz(server, 200)
    server.stop()
    server.log.write_bytes(log)  # what it could not write, it says at the end
