"""core.server.http_protocol: requests that never become whole end, honest slow ones do not; refusals are enveloped."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
import uvicorn
from django.conf import settings
from uvicorn.server import ServerState

from core.server.http_protocol import MAX_HEAD, MIN_BODY_RATE, HttpProtocol

TIMEOUT = settings.REQUEST_TIMEOUT
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Timer:
    due: float
    call: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """An event loop's clock and timers, moved by hand; its tasks are the running loop's."""

    def __init__(self) -> None:
        self.moment = 0.0
        self.timers: list[Timer] = []
        self.create_task = asyncio.get_running_loop().create_task

    def time(self) -> float:
        return self.moment

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        self.timers.append(Timer(self.moment + delay, call))
        return self.timers[-1]

    @property
    def running(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def advance(self, seconds: float) -> None:
        end = self.moment + seconds
        while due := [timer for timer in self.running if timer.due <= end]:
            timer = min(due, key=lambda timer: timer.due)
            self.timers.remove(timer)
            self.moment = timer.due
            timer.call()
        self.moment = end


class Transport:
    """The client's side of a connection."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Connection:
    """A connection to an application that reads what it is sent and answers with its length, once it may."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.transport: Any = Transport()
        self.heard: list[bytes] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        config = uvicorn.Config(self.application, interface="asgi3", log_config=None)
        self.protocol = HttpProtocol(config, ServerState(), {}, _loop=self.clock)
        self.protocol.connection_made(cast(asyncio.Transport, self.transport))

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        self.heard.append(body)
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def send(self, data: bytes) -> None:
        self.protocol.data_received(data)
        for _ in range(10):  # the application's turn
            await asyncio.sleep(0)

    def refused(self, status: int) -> Any:
        """The body of the one answer, which is a refusal of ours."""
        head, _, body = self.transport.written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert b"content-type: application/json; charset=utf-8\r\ncontent-length: %d\r\n" % len(body) in head
        assert self.transport.closed
        return json.loads(body)


def head(length: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length


async def test_a_connection_on_which_nothing_is_said_is_closed_without_a_word() -> None:
    connection = Connection()
    connection.clock.advance(TIMEOUT - 0.1)
    assert not connection.transport.closed
    connection.clock.advance(0.1)
    assert (connection.transport.closed, connection.transport.written) == (True, b"")


async def test_headers_that_come_byte_by_byte_are_answered_408_however_busy_they_look() -> None:
    connection = Connection()
    for byte in b"GET /healthz HTTP/1.1\r\nHost: somewhere"[:TIMEOUT]:
        assert not connection.transport.closed
        await connection.send(bytes([byte]))
        connection.clock.advance(1)
    assert connection.refused(408) == {"success": False, "error": "Request timeout"}


async def test_a_body_that_comes_byte_by_byte_is_answered_408_and_never_handled() -> None:
    connection = Connection()
    await connection.send(head(1000))
    for _ in range(TIMEOUT):
        assert not connection.transport.closed
        await connection.send(b"x")
        connection.clock.advance(1)
    assert connection.refused(408)["error"] == "Request timeout"
    connection.protocol.connection_lost(None)
    await asyncio.sleep(0)
    assert connection.heard == []


async def test_a_long_body_over_a_slow_line_is_read_to_its_end() -> None:
    connection = Connection()
    await connection.send(head(200 * MIN_BODY_RATE))
    for _ in range(200):
        await connection.send(b"x" * MIN_BODY_RATE)
        connection.clock.advance(1)
    assert connection.heard == [b"x" * 200 * MIN_BODY_RATE]
    assert connection.transport.written.startswith(ANSWER)


async def test_a_body_that_began_well_and_then_stops_is_answered_408() -> None:
    connection = Connection()
    await connection.send(head(1024 * 1024))
    await connection.send(b"x" * 512 * 1024)
    connection.clock.advance(2 * TIMEOUT)
    assert connection.refused(408)["error"] == "Request timeout"


async def test_an_answer_may_take_its_time() -> None:
    connection = Connection()
    connection.may_answer.clear()
    await connection.send(WHOLE)
    connection.clock.advance(100 * TIMEOUT)
    assert not connection.transport.closed
    connection.may_answer.set()
    await connection.send(b"")
    assert connection.transport.written.startswith(ANSWER)


async def test_a_kept_connection_has_the_time_again_for_each_request_and_one_timer_for_all() -> None:
    connection = Connection()
    for number in range(1, 50):
        await connection.send(WHOLE[:-2])
        connection.clock.advance(TIMEOUT - 1)
        await connection.send(WHOLE[-2:])
        assert connection.transport.written.count(ANSWER) == number
        assert len(connection.clock.running) <= 2  # uvicorn's own for an idle connection is the other
    await connection.send(b"GET /half")
    connection.clock.advance(TIMEOUT)
    assert connection.transport.written.count(b"HTTP/1.1 408 ") == 1


async def test_line_ends_are_no_request_and_keep_nothing_open() -> None:
    connection = Connection()
    await connection.send(WHOLE)
    await connection.send(b"\r\n\r\n")
    connection.clock.advance(TIMEOUT)
    assert connection.transport.closed


async def test_a_half_request_behind_one_that_is_worked_on_is_closed_without_another_answer() -> None:
    for half in (WHOLE[:10], head(1000)):
        connection = Connection()
        connection.may_answer.clear()
        await connection.send(WHOLE + half)
        connection.clock.advance(TIMEOUT)
        assert (connection.transport.closed, connection.transport.written) == (True, b"")
        connection.may_answer.set()


async def test_who_waits_because_we_do_not_read_is_not_late() -> None:
    connection = Connection()
    connection.may_answer.clear()
    await connection.send(WHOLE)
    await connection.send(head(1000))  # it waits for the first, and so does its body
    connection.clock.advance(100 * TIMEOUT)
    assert not connection.transport.closed
    connection.may_answer.set()
    await connection.send(b"x" * 1000)
    assert connection.heard == [b"", b"x" * 1000]


async def test_headers_without_end_are_answered_431() -> None:
    connection = Connection()
    await connection.send(WHOLE[:-2] + b"X: ")
    for _ in range(MAX_HEAD // 1024):
        assert not connection.transport.closed
        await connection.send(b"x" * 1024)
    await connection.send(b"x")
    assert connection.refused(431) == {"success": False, "error": "Request headers too large"}


async def test_what_is_no_http_is_answered_400_in_the_envelope() -> None:
    connection = Connection()
    await connection.send(b"\x16\x03\x01 hello\r\n\r\n")
    assert connection.refused(400) == {"success": False, "error": "Bad request"}


async def test_a_refusal_waits_for_the_answers_to_the_requests_before_it() -> None:
    for bad in (b"HELLO\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
        connection = Connection()
        connection.may_answer.clear()
        await connection.send(WHOLE + WHOLE + bad)
        await connection.send(WHOLE)  # nothing behind it is read
        connection.clock.advance(100 * TIMEOUT)
        assert (connection.transport.closed, connection.transport.written) == (False, b"")
        connection.may_answer.set()
        await connection.send(b"")
        assert connection.heard == [b"", b""]
        answers = connection.transport.written.split(ANSWER)
        assert (len(answers), answers[0]) == (3, b"")
        assert b"HTTP/1.1 400 " in answers[2]
        assert connection.transport.closed


async def test_a_broken_body_behind_a_request_that_is_worked_on_closes_the_connection() -> None:
    connection = Connection()
    connection.may_answer.clear()
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    await connection.send(WHOLE + chunked + b"zz\r\n")
    assert (connection.transport.closed, connection.transport.written) == (True, b"")
    connection.may_answer.set()


async def test_a_connection_that_ends_leaves_no_timer() -> None:
    connection = Connection()
    await connection.send(WHOLE[:10])
    connection.protocol.connection_lost(None)
    assert connection.clock.running == []


async def test_a_client_that_sends_too_many_requests_ahead_is_cut_off(settings: Any) -> None:
    settings.LIMIT_PIPELINED = 4
    connection = Connection()
    connection.may_answer.clear()
    await connection.send(WHOLE * 5)  # one that is served, and four that wait for it
    assert not connection.transport.closed
    await connection.send(WHOLE * 100)
    assert (connection.transport.closed, connection.transport.written) == (True, b"")
    assert len(connection.protocol.pipeline) == 4
    connection.may_answer.set()
    await connection.send(b"")


async def test_requests_that_are_sent_ahead_are_answered_in_order() -> None:
    connection = Connection()
    await connection.send(b"".join(head(2) + body for body in (b"ab", b"cd", b"ef")))
    assert connection.heard == [b"ab", b"cd", b"ef"]
    assert connection.transport.written.count(ANSWER) == 3


@pytest.mark.parametrize("upgrades", [False, True])
async def test_without_descriptors_to_spare_a_connection_is_answered_503(
    monkeypatch: pytest.MonkeyPatch, upgrades: bool
) -> None:
    def has_room(transport: object, *, for_websocket: bool) -> bool:
        return upgrades and not for_websocket

    monkeypatch.setattr("core.server.http_protocol.has_room", has_room)
    connection = Connection()
    if upgrades:
        upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n"
        await connection.send(b"GET /ws HTTP/1.1\r\nHost: x\r\n" + upgrade + b"\r\n")
    assert connection.refused(503) == {"success": False, "error": "Server is full"}
    assert b"retry-after: 1\r\n" in connection.transport.written
    await connection.send(WHOLE)
    assert connection.heard == []


async def test_a_client_that_leaves_while_others_of_its_requests_wait_costs_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """uvicorn tells the last request of this, and not the one that is being served."""
    connection = Connection()
    connection.may_answer.clear()
    await connection.send(WHOLE * 3)
    connection.protocol.connection_lost(None)
    connection.transport.write = None  # an answer that is written now fails
    connection.may_answer.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert connection.heard == [b""]
    assert not caplog.records
