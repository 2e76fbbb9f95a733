"""Hints over a layer that hangs, forgets or refuses: nobody waits for it, and it is joined again."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from channels.layers import InMemoryChannelLayer

from attendance.live import hints
from attendance.live.hints import GROUP, MAX_WAITING, Hint, Hints
from tests.support.processes import ROOT


class Ping(Hint, frozen=True, tag="ping"):
    """A hint that names its sender."""

    sender: str


class Other(Hint, frozen=True, tag="other"):
    """Another kind of hint."""


Kinds = Ping | Other


class Layer(InMemoryChannelLayer):  # type: ignore[misc]
    """A layer that can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.hangs = False
        self.refuses = False

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.refuses:
            raise ConnectionError("Connection refused")
        self.sent.append(message)
        await super().group_send(group, message)

    async def group_add(self, group: str, channel: str) -> None:
        if self.refuses:
            raise ConnectionError("Connection refused")
        await super().group_add(group, channel)


class Listening:
    """A process's hints on a layer, and what it heard of others'."""

    def __init__(self, layer: Layer | None = None) -> None:
        self.layer = layer or Layer()
        self.heard: asyncio.Queue[Kinds] = asyncio.Queue()
        self.hints: Hints[Kinds] = Hints(self.layer, Kinds, self.heard.put)

    async def hears_others(self) -> None:
        """Returns once a hint of another process comes through, which is then all that was heard."""
        async with asyncio.timeout(10):
            while self.heard.empty():
                await self.layer.group_send(GROUP, {"origin": "another", "hint": '{"kind":"ping","sender":"another"}'})
                await asyncio.sleep(0)
        while not self.heard.empty():
            assert self.heard.get_nowait() == Ping("another")


@pytest.fixture
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listening]:
    for name, seconds in {"BEAT_INTERVAL": 0.01, "SILENCE": 0.1, "LIMIT": 0.05, "RETRY_INTERVAL": 0.01}.items():
        monkeypatch.setattr(hints, name, seconds)
    made = Listening()
    await made.hints.start()
    yield made
    await made.hints.stop()


async def test_a_process_hears_others_and_not_itself(listening: Listening) -> None:
    neighbour = Listening(listening.layer)
    await neighbour.hints.start()
    await listening.hears_others()  # both are in the group now, so that what one sends reaches both memberships
    assert Ping("here") in await heard_until(Ping("here"), sender=listening, hearer=neighbour)
    assert Ping("here") not in await heard_until(Ping("there"), sender=neighbour, hearer=listening)
    await neighbour.hints.stop()


async def heard_until(hint: Ping, *, sender: Listening, hearer: Listening) -> list[Kinds]:
    """What `hearer` has heard by the time that it hears `hint`, which `sender` sends as often as it takes."""
    heard: list[Kinds] = []
    async with asyncio.timeout(10):
        while hint not in heard:
            sender.hints.send(hint)
            await asyncio.sleep(0.001)
            while not hearer.heard.empty():
                heard.append(hearer.heard.get_nowait())
    return heard


async def test_a_hint_of_an_unknown_kind_disturbs_nobody(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    await listening.hears_others()
    await listening.layer.group_send(GROUP, {"origin": "another", "hint": '{"kind":"of a later version"}'})
    await listening.hears_others()
    assert "A hint could not be used" in caplog.text


async def test_a_membership_that_was_lost_without_a_word_is_renewed(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    await listening.hears_others()
    caplog.clear()  # until here a slow machine may have been silent for too long by itself
    listening.layer.groups.clear()
    await listening.hears_others()
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "does not answer" in caplog.records[0].message
    assert caplog.records[1].message == "The channel layer is back."


async def test_a_layer_that_refuses_is_reported_once_and_joined_when_it_is_back(
    listening: Listening, caplog: pytest.LogCaptureFixture
) -> None:
    await listening.hears_others()
    caplog.clear()  # until here a slow machine may have been silent for too long by itself
    await listening.layer.group_add(GROUP, "another")
    listening.layer.refuses = True
    for _ in range(20):
        listening.hints.send(Other())
        await asyncio.sleep(0.01)
    await listening.layer.flush()  # as if it had been started anew
    listening.layer.refuses = False
    await listening.hears_others()
    assert ["Connection refused" in record.message for record in caplog.records] == [True, False]


async def test_who_is_alone_in_a_layer_in_memory_tells_nobody_until_another_joins(listening: Listening) -> None:
    await listening.hears_others()
    neighbour = Listening(listening.layer)
    sent = listening.layer.sent
    listening.hints.send(Other())
    await asyncio.sleep(0)
    assert "other" not in [msgspec.json.decode(message["hint"])["kind"] for message in sent]
    await neighbour.hints.start()
    async with asyncio.timeout(10):
        while neighbour.heard.empty():
            listening.hints.send(Other())
            await asyncio.sleep(0)
    await neighbour.hints.stop()
    assert neighbour.heard.get_nowait() == Other()


async def test_nobody_waits_for_a_layer_that_hangs_and_little_waits_in_memory(listening: Listening) -> None:
    await listening.hears_others()
    await listening.layer.group_add(GROUP, "another")
    listening.layer.hangs = True
    outbox: Any = listening.hints._outbox
    for _ in range(10 * MAX_WAITING):
        listening.hints.send(Other())
    assert outbox.qsize() == MAX_WAITING
    async with asyncio.timeout(10):
        while outbox.qsize() > 1:  # what waited is dropped: others have looked by then
            await asyncio.sleep(0.01)
    listening.layer.hangs = False
    await listening.hears_others()


def test_redis_is_reached_by_the_layer_alone_so_nothing_is_counted_there() -> None:
    packages = ("accounts", "attendance", "audit", "classes", "core", "dialects", "web")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    assert files
    assert [path for path in files if re.search(r"^\s*(from|import) redis\b", path.read_text(), re.MULTILINE)] == []
