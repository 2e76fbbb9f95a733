"""Things that are done again and again for each of many connections, with one timer for all of them.

A timer of its own costs each connection 0.6 KB.
"""

import asyncio
import itertools
from collections.abc import Hashable, Iterator
from typing import Protocol
from weakref import WeakKeyDictionary

#: The parts of a round. The members of each have their turn at the same moment.
PARTS = 20


class Member(Hashable, Protocol):
    """A connection that has a turn in each round."""

    def turn(self) -> None: ...


class Rounds:
    """Calls every member's `turn` once in each `interval`, seconds; the first time after half of one or more.

    Members that come at the same time are spread over the round, so that a storm of connections is none later.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        self._loop, self._step = loop, interval / PARTS
        self._parts: list[set[Member]] = [set() for _ in range(PARTS)]
        self._now = 0
        self._later: Iterator[int] = itertools.cycle(range(PARTS // 2, PARTS))
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Member) -> int:
        """The member's place, which `remove` asks for."""
        place = (self._now + next(self._later)) % PARTS
        self._parts[place].add(member)
        if self._timer is None:
            self._timer = self._loop.call_later(self._step, self._go_on)
        return place

    def remove(self, member: Member, place: int) -> None:
        """Once more does nothing."""
        self._parts[place].discard(member)

    def _go_on(self) -> None:
        self._now = (self._now + 1) % PARTS
        self._timer = self._loop.call_later(self._step, self._go_on) if any(self._parts) else None
        for member in tuple(self._parts[self._now]):
            member.turn()


_rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Rounds]] = WeakKeyDictionary()


def rounds_of(loop: asyncio.AbstractEventLoop, interval: float) -> Rounds:
    """The rounds of this length in an event loop."""
    by_interval = _rounds.setdefault(loop, {})
    if interval not in by_interval:
        by_interval[interval] = Rounds(loop, interval)
    return by_interval[interval]
