"""The answer to SYNC: one for all that wait, in pieces of work, and none for a socket that is gone."""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from attendance.enums import Method, Status
from attendance.live import wire
from attendance.live.catch_up import PIECE, CatchUp
from attendance.live.facts import EVERYBODY, Marked
from attendance.live.frames import Frames
from attendance.live.hub import Hub
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from core.identity import Actor, Role

NOW = datetime(2025, 3, 11, 10, tzinfo=UTC)
MANY = 10 * PIECE


class Outlet:
    """An outlet whose reader may be busy with what was sent before, or gone."""

    fast = None

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.is_gone = False
        self.free = asyncio.Event()
        self.free.set()

    def send(self, frames: Frames) -> None:
        self.frames += map(json.loads, frames)

    async def drained(self) -> bool:
        await self.free.wait()
        return not self.is_gone

    async def answer(self, make: Callable[[], str]) -> None:
        if await self.drained():
            self.frames.append(json.loads(make()))

    def close(self, code: int) -> None:
        self.is_gone = True


def mark(seq: int) -> Marked:
    return Marked(seq, "a", Status.PRESENT, NOW, "t", Method.TEACHER)


class Lesson:
    def __init__(self, marks: int) -> None:
        self.hub, self.outlet = Hub(), Outlet()
        self.session = LiveSession("s", "c", "t", NOW)
        self.session.admit([mark(seq) for seq in range(1, marks + 1)])
        self.socket = Socket(Actor("a", Role.STUDENT, "Asha", ""), None, self.outlet)
        self.hub.add(self.socket)

    def sync(self, since: int = 0) -> CatchUp:
        return CatchUp(self.hub, self.socket, self.session, since)

    def marks(self) -> list[int]:
        """The seqs of the one answer that came."""
        (answer,) = self.outlet.frames
        return [found["seq"] for found in answer["data"]["marks"]]


async def test_syncs_that_wait_share_an_answer_from_the_smallest_since() -> None:
    lesson = Lesson(10)
    lesson.outlet.free.clear()
    answer = lesson.sync(7)
    sending = asyncio.create_task(answer.send())
    await asyncio.sleep(0)
    assert answer.covers(lesson.session, 3)
    assert answer.covers(lesson.session, 9)
    lesson.outlet.free.set()
    await sending
    assert lesson.marks() == list(range(4, 11))


async def test_an_answer_under_way_covers_only_what_it_has() -> None:
    lesson = Lesson(MANY)
    answer = lesson.sync(5)
    sending = asyncio.create_task(answer.send())
    await asyncio.sleep(0)
    assert answer.covers(lesson.session, 6)
    assert not answer.covers(lesson.session, 4)
    assert not answer.covers(LiveSession("another", "c", "t", NOW), 6)
    await sending
    assert lesson.marks() == list(range(6, MANY + 1))


async def test_a_large_answer_lets_others_have_their_turn_and_is_one_frame() -> None:
    lesson = Lesson(MANY)
    sending = asyncio.create_task(lesson.sync().send())
    turns = 0
    while not sending.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns >= MANY // PIECE
    assert lesson.marks() == list(range(1, MANY + 1))


async def test_marks_that_are_told_while_the_answer_is_made_are_in_it_and_come_before_it() -> None:
    lesson = Lesson(MANY)
    sending = asyncio.create_task(lesson.sync().send())
    await asyncio.sleep(0)
    lesson.hub.publish(lesson.session, lesson.session.admit([mark(MANY + 1)]) or [], EVERYBODY)
    await sending
    lesson.hub.publish(lesson.session, lesson.session.admit([mark(MANY + 2)]) or [], EVERYBODY)
    lesson.hub.flush()
    before, answer, after = lesson.outlet.frames
    assert "seq" not in before
    assert [found["seq"] for found in answer["data"]["marks"]] == list(range(1, MANY + 2))
    assert after["seq"] == MANY + 2


async def test_nothing_is_made_for_a_socket_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = wire.sync_marks

    def counted(marks: Sequence[Marked]) -> bytes:
        made.append(len(marks))
        return make(marks)

    monkeypatch.setattr(wire, "sync_marks", counted)
    lesson = Lesson(MANY)
    lesson.outlet.is_gone = True
    await lesson.sync().send()
    assert (made, lesson.outlet.frames) == ([], [])

    lesson.outlet.is_gone = False
    sending = asyncio.create_task(lesson.sync().send())
    await asyncio.sleep(0)
    lesson.outlet.is_gone = True  # in the midst of it
    await sending
    assert (made, lesson.outlet.frames) == ([PIECE], [])
