"""core.server.doors: how many WebSockets an address has, and how many descriptors a process keeps free."""

import asyncio
import logging
import resource
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from core import buckets
from core.buckets import Buckets
from core.limits import Limit
from core.server import doors
from core.server.doors import Door, has_room


def scope(address: str = "198.51.100.1", **more: Any) -> dict[str, Any]:
    return {"type": "websocket", "client": (address, 1), "extensions": {"websocket.http.response": {}}, **more}


class Visit:
    """A WebSocket whose application stays until `leave` is set; knows what it was answered."""

    def __init__(self, door: Door, asked: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.task = asyncio.create_task(door(asked, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


async def test_an_address_has_so_many_sockets_and_the_next_one_is_answered_429(settings: Any) -> None:
    settings.LIMIT_ADDRESS_SOCKETS = 2
    leave = asyncio.Event()

    async def stay(scope: Any, receive: Any, send: Any) -> None:
        await leave.wait()

    door = Door(stay)
    inside = [Visit(door, scope()) for _ in range(2)]
    await asyncio.sleep(0)
    refused = Visit(door, scope())
    await refused.task
    start, body = refused.sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 429)
    assert (b"retry-after", b"1") in start["headers"]
    assert body["body"] == b'{"success":false,"error":"Too many requests"}'

    old = Visit(door, scope(extensions={}))  # of a server that cannot answer a handshake
    await old.task
    assert old.sent == [{"type": "websocket.close", "code": 1013}]

    elsewhere = Visit(door, scope("198.51.100.2"))
    await asyncio.sleep(0)
    assert not elsewhere.task.done()
    leave.set()
    await asyncio.gather(*(visit.task for visit in [*inside, elsewhere]))
    again = Visit(door, scope())
    await again.task
    assert again.sent == []


async def test_an_address_opens_so_many_sockets_however_soon_they_leave(settings: Any) -> None:
    settings.LIMIT_ADDRESS_OPENINGS = 1

    async def leave(scope: Any, receive: Any, send: Any) -> None:
        pass

    door = Door(leave)
    for _ in range(50):
        visit = Visit(door, scope("198.51.100.3"))
        await visit.task
        assert visit.sent == []
    refused = Visit(door, scope("198.51.100.3"))
    await refused.task
    assert refused.sent[0]["status"] == 429
    elsewhere = Visit(door, scope("198.51.100.4"))
    await elsewhere.task
    assert elsewhere.sent == []


def test_an_address_is_forgotten_once_all_that_it_spent_has_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(moment=1000.0)
    monkeypatch.setattr(buckets, "time", SimpleNamespace(monotonic=lambda: clock.moment))
    few = Buckets(Limit("few", 1, timedelta(seconds=1), saved=100))
    few.take("early")
    clock.moment += 31
    assert few.take("late", 100) == 0
    clock.moment += 31
    few.take("latest")
    assert set(few._buckets) == {"late", "latest"}
    assert few.take("late", 32) > 0


class Plug:
    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number

    def get_extra_info(self, name: str) -> "Plug":
        return self


@pytest.fixture
def hundred_descriptors(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    settings.LIMIT_FILES_RESERVED = 20
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (100, 100))
    monkeypatch.setattr(doors, "_warned_at", float("-inf"))
    doors._descriptors.cache_clear()
    yield
    doors._descriptors.cache_clear()


@pytest.mark.usefixtures("hundred_descriptors")
def test_websockets_leave_descriptors_to_requests_and_requests_some_to_the_rest() -> None:
    numbers = (79, 80, 89, 90)
    assert [has_room(Plug(number), for_websocket=True) for number in numbers] == [True, False, False, False]
    assert [has_room(Plug(number), for_websocket=False) for number in numbers] == [True, True, True, False]


@pytest.mark.usefixtures("hundred_descriptors")
def test_the_log_says_once_that_descriptors_are_short(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "core.server.doors"):
        for _ in range(50):
            assert not has_room(Plug(99), for_websocket=True)
    assert [record.name for record in caplog.records].count("core.server.doors") == 1
