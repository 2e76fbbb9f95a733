"""A socket that has closed is gone at once: nothing of it waits for the garbage collector, which stops everybody."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.realtime.contract import marked
from tests.support.clients import FRAME_LIMIT, Api, Socket
from tests.support.server import Server, only_serve

pytestmark = [only_serve, pytest.mark.one_database("What a closed socket leaves behind is Python's matter.")]

SOCKETS = 20
#: What a socket at /ws consists of.
PARTS = {
    *("HttpProtocol", "WebSocketProtocol", "TCPTransport", "FrameTransport"),
    *("LiveConsumer", "TransportOutlet", "Socket"),
}


async def test_closed_sockets_leave_nothing_for_the_collector(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    found = tmp_path / "garbage.json"
    server = make_server(command=[sys.executable, "-m", "tests.support.uncollected", str(found), "{port}"])
    api = Api(server.url)
    room = api.make_room(students=1)
    student = room.students[0]
    async with AsyncExitStack() as stack:
        tokens = [room.teacher.token, *[student.token] * (SOCKETS - 2), "bad"]
        sockets = [await stack.enter_async_context(Socket(server.ws_url, token)) for token in tokens]
        await sockets[0].mark(student.id)
        for socket in sockets[:-1]:
            assert await socket.frame() == marked(student.id, "present")
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGUSR1)
    async with asyncio.timeout(FRAME_LIMIT):
        while not found.exists():
            await asyncio.sleep(0.01)
    garbage = json.loads(found.read_text())
    api.close()
    assert garbage["WSGIRequest"] > 0  # REST's do: so sockets would be found, too
    assert garbage.keys() & PARTS == set()
