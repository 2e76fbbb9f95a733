"""A socket's way out: in order, held back until it is open, closed when its reader is too slow."""

import asyncio
from typing import Any

import pytest

from attendance.live import outlet as outlets
from attendance.live.frames import Frames
from attendance.live.outlet import AsgiOutlet


class Wire:
    """An ASGI `send` that can get stuck or fail."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.failure: Exception | None = None
        self.abandoned = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        await self.flowing.wait()
        if self.failure is not None:
            raise self.failure
        self.messages.append(message)

    def make(self, *, opened: bool = True) -> AsgiOutlet:
        outlet = AsgiOutlet(self.send, self.abandoned.set)
        if opened:
            outlet.open()
        return outlet

    @property
    def texts(self) -> list[str | int]:
        return [message.get("text") or message["code"] for message in self.messages]

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


async def test_nothing_leaves_before_the_socket_is_open() -> None:
    wire = Wire()
    outlet = wire.make(opened=False)
    outlet.send(Frames(["a"]))
    outlet.send(Frames(["b", "c"]))
    await wire.settle()
    assert wire.texts == []
    outlet.open()
    await wire.settle()
    assert wire.texts == ["a", "b", "c"]


async def test_the_close_comes_behind_what_is_on_its_way_and_ends_everything() -> None:
    wire = Wire()
    outlet = wire.make()
    outlet.send(Frames(["a"]))
    outlet.close(4401)
    outlet.close(1000)
    outlet.send(Frames(["b"]))
    await wire.settle()
    outlet.send(Frames(["c"]))
    await wire.settle()
    assert wire.texts == ["a", 4401]
    outlet.stop()


async def test_a_slow_reader_is_closed_and_abandoned_if_it_does_not_even_take_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outlets, "CLOSE_TIMEOUT", 0.0)
    wire = Wire()
    outlet = wire.make()
    wire.flowing.clear()
    for _ in range(3):
        outlet.send(Frames(["x" * (outlets.MAX_UNSENT // 2)]))
    await asyncio.wait_for(wire.abandoned.wait(), 10)
    wire.flowing.set()
    await wire.settle()
    assert wire.texts == []


async def test_a_slow_reader_that_wakes_up_finds_1013_instead_of_what_it_missed() -> None:
    wire = Wire()
    outlet = wire.make()
    wire.flowing.clear()
    for letter in "abc":
        outlet.send(Frames([letter * (outlets.MAX_UNSENT // 2)]))
        await wire.settle()
    wire.flowing.set()
    await wire.settle()
    assert wire.texts[-1] == 1013
    assert len(wire.texts) == 2  # the one that was under way, and the close
    assert not wire.abandoned.is_set()
    outlet.stop()


async def test_a_reader_that_keeps_up_may_be_sent_any_amount() -> None:
    wire = Wire()
    outlet = wire.make()
    for _ in range(10):
        outlet.send(Frames(["x" * (outlets.MAX_UNSENT // 2)]))
        await wire.settle()
    assert len(wire.texts) == 10


async def test_an_answer_of_any_size_is_made_after_what_was_on_its_way() -> None:
    wire = Wire()
    outlet = wire.make()
    outlet.send(Frames(["before"]))
    big = "y" * (2 * outlets.MAX_UNSENT)

    def make() -> str:
        assert wire.texts == ["before"]
        return big

    await outlet.answer(make)
    outlet.send(Frames(["after"]))
    await wire.settle()
    assert wire.texts == ["before", big, "after"]


async def test_a_client_that_is_gone_is_sent_nothing_more_and_raises_nothing() -> None:
    wire = Wire()
    wire.failure = RuntimeError("gone")
    outlet = wire.make()
    outlet.send(Frames(["a", "b"]))
    await wire.settle()
    wire.failure = None
    outlet.send(Frames(["c"]))
    await wire.settle()
    assert wire.texts == []


async def test_a_stopped_outlet_drops_everything() -> None:
    wire = Wire()
    outlet = wire.make()
    wire.flowing.clear()
    outlet.send(Frames(["a"]))
    await wire.settle()
    outlet.stop()
    wire.flowing.set()
    outlet.send(Frames(["b"]))
    outlet.close(1000)
    await wire.settle()
    assert wire.texts == []
