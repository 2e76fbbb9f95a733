"""A client that does not read, over a WebSocket or by polls, is disconnected, and no other client notices."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Callable
from urllib.parse import urlencode

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from attendance.live.frames import Frames
from attendance.live.outlet import MAX_UNSENT
from dialects.socketio.outlet import EngineOutlet, EngineQueue
from tests.dialects.socketio.test_packets import poll
from tests.realtime import contract as canonical
from tests.support.clients import NO_CERTIFICATES, Api, Room, Socket
from tests.support.server import Server
from tests.support.socketio import rooms_socket

pytestmark = [pytest.mark.long, pytest.mark.one_database("A reader's slowness is the socket's matter.")]


class Engine:
    """An Engine.IO socket whose client never reads."""

    def __init__(self) -> None:
        self.queue = EngineQueue()
        self.closed = asyncio.Event()

    async def close(self, wait: bool, abort: bool) -> None:
        self.closed.set()


async def test_the_queue_of_a_client_that_does_not_read_is_bounded() -> None:
    engine = Engine()
    outlet = EngineOutlet(engine)
    outlet.send(Frames(["before it is open"]))
    assert engine.queue.empty()
    outlet.open()
    frame = "x" * 1024
    sent = 0
    while not engine.closed.is_set():
        outlet.send(Frames([frame]))
        sent += 1
        await asyncio.sleep(0)
        assert sent < 2000
    assert sent * 1024 >= MAX_UNSENT - 1024
    assert engine.queue.unsent == 0  # the frames that waited go with the connection
    outlet.send(Frames([frame]))
    outlet.close(4401)
    assert engine.queue.unsent == 0


async def test_a_websocket_that_does_not_read_is_closed_and_others_go_on(server: Server, room: Room) -> None:
    name = "x" * 128
    ask = json.dumps(["getAttendanceSessionData", {"session_id": name}])
    async with (
        rooms_socket(
            server.url, room.teacher.token, max_queue=1
        ) as stuck,  # the client's library reads one frame and no more
        Socket(server.ws_url, room.teacher.token) as teacher,
    ):
        await stuck.call("startAttendanceSession", {"session_id": name, "class_id": room.class_id})
        closed = asyncio.create_task(stuck.connection.wait_closed())
        async with asyncio.timeout(60):
            while not closed.done():
                with contextlib.suppress(ConnectionClosed):
                    for _ in range(500):  # each answer has more than a kilobyte
                        await stuck.raw(f"42{ask}")
                await teacher.mark(room.students[0].id)
                assert await teacher.frame() == canonical.marked(room.students[0].id)
        assert stuck.connection.close_code in (1013, 1006)


@pytest.mark.parametrize("waits", [True, False], ids=["while a poll waits", "between two polls"])
def test_a_server_that_is_told_to_stop_waits_for_no_poll(make_server: Callable[..., Server], waits: bool) -> None:
    server = make_server()
    api = Api(server.url)
    room = api.make_room(1)
    api.close()
    with httpx.Client(base_url=server.url, timeout=60, verify=NO_CERTIFICATES) as http:
        sid = poll(server, http, token=room.teacher.token).split('"sid":"')[1].split('"')[0]
        query = {"EIO": "4", "transport": "polling", "sid": sid}
        http.post("/socket.io/", params=query, content="40")
        assert poll(server, http, **query).startswith('40{"sid":')
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as waiting:
            if waits:
                waiting.sendall(f"GET /socket.io/?{urlencode(query)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                http.get("/healthz")  # its answer shows that the poll has arrived
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 8  # a poll that is waited for would make it 10
            assert not waits or waiting.recv(4096).startswith(b"HTTP/1.1 200 OK")
