"""`core.server.rounds`: one timer for many connections."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from core.server.rounds import PARTS, Rounds


class Loop:
    """A loop whose time passes when it is told."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> object:
        self.waiting.append(callback)
        return callback

    def step(self) -> None:
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


class Member:
    def __init__(self, turns: Counter[Any]) -> None:
        self.turns = turns

    def turn(self) -> None:
        self.turns[self] += 1


def test_every_member_has_one_turn_in_each_round() -> None:
    loop, turns = Loop(), Counter[Any]()
    rounds = Rounds(loop, 20.0)  # type: ignore[arg-type]
    members = [Member(turns) for _ in range(95)]
    for member in members:
        rounds.add(member)
    for steps in range(1, 3 * PARTS + 1):
        loop.step()
        assert len(loop.waiting) == 1
        if steps == PARTS // 2 - 1:
            assert not turns  # nobody's turn comes at once
        if steps % PARTS == 0:
            assert {turns[member] for member in members} == {steps // PARTS}


def test_members_that_come_together_are_spread_over_the_round() -> None:
    loop, turns = Loop(), Counter[Any]()
    rounds = Rounds(loop, 20.0)  # type: ignore[arg-type]
    for _ in range(100):
        rounds.add(Member(turns))
    most = before = 0
    for _ in range(PARTS):
        loop.step()
        most, before = max(most, turns.total() - before), turns.total()
    assert most == 10


def test_the_timer_stops_once_nobody_is_left() -> None:
    loop, turns = Loop(), Counter[Any]()
    rounds = Rounds(loop, 20.0)  # type: ignore[arg-type]
    member = Member(turns)
    place = rounds.add(member)
    rounds.remove(member, place)
    rounds.remove(member, place)
    loop.step()
    assert not loop.waiting
    rounds.add(member)
    for _ in range(PARTS):
        loop.step()
    assert turns[member] == 1
