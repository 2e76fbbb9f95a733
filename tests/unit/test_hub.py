"""The hub tells each fact to whom it concerns, encoded once, in order, and in few writes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.tokens import Claims
from attendance.enums import Method, Status
from attendance.live import wire
from attendance.live.facts import EVERYBODY, NOBODY, Fact, Marked
from attendance.live.frames import Frames
from attendance.live.hub import Hub
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from core.identity import Actor, Role
from core.server.fan_out import Connection

NOW = datetime(2025, 3, 11, tzinfo=UTC)
SESSION = LiveSession("s", "c", "t", NOW)


class Taking:
    """A connection, as far as it takes bytes."""

    def __init__(self, send: Callable[[bytes], int]) -> None:
        self.send = send

    def fileno(self) -> int:
        return -1


class Outlet:
    """Keeps each write apart."""

    def __init__(self) -> None:
        self.writes: list[list[str]] = []
        self.rests: list[bytes] = []
        self.fast: Outlet | None = self
        self.connection: Connection | None = None
        self.changed: Callable[[], object] = lambda: None

    @property
    def frames(self) -> list[str]:
        return [frame for write in self.writes for frame in write]

    def send(self, frames: list[str]) -> None:
        self.writes.append(list(frames))

    def send_rest(self, data: bytes) -> None:
        self.rests.append(data)

    @property
    def is_gone(self) -> bool:
        raise NotImplementedError

    async def drained(self) -> bool:
        raise NotImplementedError

    async def answer(self, make: object) -> None:
        raise NotImplementedError

    def close(self, code: int) -> None:
        raise NotImplementedError


def join(
    hub: Hub, user_id: str, form: wire.WireForm | None = wire.plain, *, has_fast_path: bool = True
) -> tuple[Socket, Outlet]:
    outlet = Outlet()
    outlet.fast = outlet if has_fast_path else None
    actor = Actor(user_id, Role.STUDENT, "", "")
    socket = Socket(actor, Claims(user_id, None, None, None, 0.0, ""), outlet, form)
    hub.add(socket)
    return socket, outlet


def facts(*seqs: int) -> list[Fact]:
    return [Marked(seq, f"{seq:024x}", Status.PRESENT, NOW, "t", Method.TEACHER) for seq in seqs]


def plain(*seqs: int) -> list[str]:
    return wire.plain(SESSION, facts(*seqs))


async def test_everybody_hears_what_is_for_everybody_and_others_what_is_for_them() -> None:
    hub = Hub()
    outlets = {name: join(hub, name)[1] for name in ("a", "b", "c")}
    hub.publish(SESSION, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), frozenset({"a", "b", "nobody here"}))
    hub.publish(SESSION, facts(3), frozenset())
    hub.publish(SESSION, facts(4), frozenset({"b"}))
    hub.flush()
    heard = {name: outlet.frames for name, outlet in outlets.items()}
    assert heard == {"a": plain(1, 2), "b": plain(1, 2, 4), "c": plain(1)}


async def test_all_sockets_of_a_user_hear_and_each_fact_is_encoded_once_a_form() -> None:
    hub = Hub()
    encoded: list[Any] = []

    def counting(session: LiveSession, some: Sequence[Fact]) -> list[str]:
        encoded.extend(some)
        return wire.plain(session, some)

    outlets = [join(hub, "a", counting)[1] for _ in range(5)] + [join(hub, "b", counting)[1] for _ in range(5)]
    other = join(hub, "a", wire.sequenced)[1]
    hub.publish(SESSION, facts(1, 2), EVERYBODY)
    hub.publish(SESSION, facts(3), frozenset({"a", "b"}))
    hub.flush()
    assert encoded == facts(1, 2, 3)
    assert all(outlet.frames == plain(1, 2, 3) for outlet in outlets)
    assert other.frames == wire.sequenced(SESSION, facts(1, 2, 3))


async def test_a_fast_path_is_used_for_as_long_as_there_is_one() -> None:
    hub = Hub()
    outlets = {name: join(hub, name)[1] for name in ("slow", "quick", "partly", "full", "broken")}
    outlets["without"] = join(hub, "without", has_fast_path=False)[1]
    written: list[bytes] = []

    def take(data: bytes) -> int:
        written.append(data)
        return len(data)

    def refuse(failure: OSError) -> Callable[[bytes], int]:
        def write(data: bytes) -> int:
            raise failure

        return write

    ways = {"quick": take, "partly": lambda _: 7, "full": refuse(BlockingIOError()), "broken": refuse(OSError())}
    for name, writer in ways.items():
        outlets[name].connection = Taking(writer)
        outlets[name].changed()
    hub.publish(SESSION, facts(1), EVERYBODY)
    for outlet in outlets.values():
        outlet.connection = None
        outlet.changed()
    hub.publish(SESSION, facts(2), EVERYBODY)
    hub.flush()
    assert written == [Frames(plain(1)).wire]
    assert {name: outlet.rests for name, outlet in outlets.items() if outlet.rests} == {
        "partly": [Frames(plain(1)).wire[7:]],
        "full": [Frames(plain(1)).wire],
        "broken": [Frames(plain(1)).wire],
    }
    assert outlets.pop("slow").frames == outlets.pop("without").frames == plain(1, 2)
    assert all(outlet.frames == plain(2) for outlet in outlets.values())


async def test_a_socket_that_hears_in_two_forms_gets_both_in_one_write() -> None:
    # What a second write took could overtake what the first one left to be queued.
    hub = Hub()
    written: list[bytes] = []

    def take_a_part(data: bytes) -> int:
        written.append(data)
        return 7

    fast, quick = join(hub, "a")
    slow, queue = join(hub, "a")
    for socket, outlet in ((fast, quick), (slow, queue)):
        outlet.connection = Taking(take_a_part) if outlet is quick else None
        outlet.changed()
        hub.follow(socket, "s", spoken("x"))
    hub.publish(SESSION, facts(1), frozenset({"a"}))
    both = [*plain(1), "x s1"]
    assert written == [Frames(both).wire]
    assert quick.rests == [Frames(both).wire[7:]]
    assert queue.writes == [both]


async def test_the_first_fact_goes_at_once_and_those_behind_it_together(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    _, outlet = join(hub, "a")
    with monkeypatch.context() as clock:
        clock.setattr("attendance.live.hub.monotonic", lambda: 5.0)  # they come within one moment, on any machine
        for seq in range(1, 6):
            hub.publish(SESSION, facts(seq), EVERYBODY)
    assert outlet.writes == [plain(1)]
    while len(outlet.frames) < 5:
        await asyncio.sleep(0)
    assert outlet.writes == [plain(1), plain(2, 3, 4, 5)]
    hub.flush()
    assert len(outlet.writes) == 2


async def test_a_burst_goes_together_for_as_long_as_four_deliveries_take(monkeypatch: pytest.MonkeyPatch) -> None:
    follows = False
    hub = Hub(more_follows=lambda: follows)
    _, outlet = join(hub, "a")
    # A lone fact, whose delivery takes 6 ms; long after it a burst, the last of which comes 24 ms after the first.
    moments = iter([5.0, 5.0, 5.006, 9.0, 9.01, 9.0239, 9.0241, 9.0241, 9.0241])
    monkeypatch.setattr("attendance.live.hub.monotonic", lambda: next(moments))
    hub.publish(SESSION, facts(1), EVERYBODY)
    follows = True
    for seq in (2, 3, 4):
        hub.publish(SESSION, facts(seq), EVERYBODY)
    assert outlet.writes == [plain(1)]
    hub.publish(SESSION, facts(5), EVERYBODY)
    assert outlet.writes == [plain(1), plain(2, 3, 4, 5)]


async def test_facts_that_wait_are_sent_though_what_was_to_follow_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(more_follows=lambda: True)
    _, outlet = join(hub, "a")
    with monkeypatch.context() as clock:
        moments = iter([5.0, 5.0, 5.002, 9.0])
        clock.setattr("attendance.live.hub.monotonic", lambda: next(moments))
        for seq in (1, 2):
            hub.publish(SESSION, facts(seq), EVERYBODY)
    assert outlet.writes == [plain(1)]
    while len(outlet.frames) < 2:
        await asyncio.sleep(0)
    assert outlet.writes == [plain(1), plain(2)]


async def test_what_nothing_follows_waits_no_longer_than_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    follows = iter([False, True, False])
    hub = Hub(more_follows=lambda: next(follows))
    _, outlet = join(hub, "a")
    moments = iter([5.0, 5.0, 5.006, 5.0065, 5.007, 5.007, 5.007])
    monkeypatch.setattr("attendance.live.hub.monotonic", lambda: next(moments))
    for seq in (1, 2, 3):
        hub.publish(SESSION, facts(seq), EVERYBODY)
    assert outlet.writes == [plain(1), plain(2, 3)]


async def test_no_fact_waits_for_others_longer_than_forty_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(more_follows=lambda: True)
    _, outlet = join(hub, "a")
    moments = iter([5.0, 5.0, 7.0, 7.5, 7.5399, 7.5401, 7.5401, 7.5401])  # a delivery of two seconds
    monkeypatch.setattr("attendance.live.hub.monotonic", lambda: next(moments))
    for seq in (1, 2, 3, 4):
        hub.publish(SESSION, facts(seq), EVERYBODY)
    assert outlet.writes == [plain(1), plain(2, 3, 4)]


async def test_what_one_socket_is_told_comes_behind_what_was_published() -> None:
    hub = Hub()
    socket, outlet = join(hub, "a")
    hub.publish(SESSION, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), EVERYBODY)
    hub.tell(socket, "own")
    hub.publish(SESSION, facts(3), EVERYBODY)
    hub.flush()
    assert outlet.frames == [*plain(1, 2), "own", *plain(3)]


async def test_the_sockets_of_a_form_are_told_together_behind_what_was_published() -> None:
    hub = Hub()
    listeners = [join(hub, name, wire.plain)[1] for name in ("a", "b")]
    other = join(hub, "c", wire.sequenced)[1]
    hub.publish(SESSION, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), EVERYBODY)
    hub.tell_all(wire.plain, Frames(["a call"]), EVERYBODY)
    assert [outlet.frames for outlet in listeners] == [[*plain(1, 2), "a call"]] * 2
    assert other.frames == wire.sequenced(SESSION, facts(1, 2))


async def test_a_form_is_spoken_for_as_long_as_a_socket_has_it() -> None:
    hub = Hub()
    assert not hub.speaks(wire.plain)
    socket, outlet = join(hub, "a")
    assert hub.speaks(wire.plain)
    hub.remove(socket)
    assert not hub.speaks(wire.plain)
    hub.tell_all(wire.plain, Frames(["a call"]), EVERYBODY)
    assert outlet.frames == []


async def test_a_new_form_holds_for_what_is_published_from_then_on() -> None:
    hub = Hub()
    socket, outlet = join(hub, "a")
    hub.publish(SESSION, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), EVERYBODY)
    hub.change_form(socket, wire.sequenced)
    hub.publish(SESSION, facts(3), EVERYBODY)
    hub.flush()
    assert outlet.frames == [*plain(1, 2), *wire.sequenced(SESSION, facts(3))]
    assert list(hub) == [socket]


async def test_a_socket_hears_nothing_published_before_it_was_added_or_after_it_was_removed() -> None:
    hub = Hub()
    early, early_outlet = join(hub, "a")
    hub.publish(SESSION, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), EVERYBODY)
    _, late = join(hub, "a")
    hub.remove(early)
    hub.remove(early)
    hub.publish(SESSION, facts(3), EVERYBODY)
    hub.flush()
    assert (early_outlet.frames, late.frames) == (plain(1, 2), plain(3))


async def test_an_outlet_that_removes_its_socket_during_a_flush_disturbs_nobody() -> None:
    hub = Hub()
    leaving, outlet = join(hub, "a")
    others = [join(hub, name)[1] for name in "abc"]
    send = outlet.send

    def send_and_leave(frames: list[str]) -> None:
        send(frames)
        hub.remove(leaving)

    outlet.send = send_and_leave  # type: ignore[method-assign]
    hub.publish(SESSION, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), frozenset("abc"))
    hub.flush()
    assert outlet.frames[:1] == plain(1)
    assert all(other.frames == plain(1, 2) for other in others)


async def test_a_hub_whose_sockets_left_keeps_nothing_of_them() -> None:
    hub = Hub()
    sockets = [join(hub, name, form)[0] for name in "ab" for form in (wire.plain, wire.sequenced, None)]
    for socket in sockets:
        hub.follow(socket, SESSION.id, spoken("x"))
        hub.remove(socket)
    assert list(hub) == []
    assert (hub._forms, hub._by_user, hub._followers, hub._deliveries) == ({}, {}, {}, {})


def spoken(word: str) -> wire.WireForm:
    """A form that shows itself; equal for equal words."""
    return _Spoken(word)


@dataclass(frozen=True)
class _Spoken:
    word: str

    def __call__(self, session: LiveSession, some: Sequence[Fact]) -> list[str]:
        _encoded.append(self.word)
        return [f"{self.word} {session.id}{fact.seq}" for fact in some if isinstance(fact, Marked)]


_encoded: list[str] = []


async def test_who_follows_a_session_hears_it_whoever_else_does_each_in_a_form_of_its_own() -> None:
    hub = Hub()
    other = LiveSession("o", "d", "t", NOW)
    follower, here = join(hub, "a", None)
    twin, _ = join(hub, "b", None)
    both, spoken_and_plain = join(hub, "c")
    _, bystander = join(hub, "d", None)
    for socket in (follower, twin, both):
        hub.follow(socket, "s", spoken("x"))
    hub.follow(twin, "s", spoken("y"))
    _encoded.clear()
    hub.publish(SESSION, facts(1), NOBODY)
    hub.publish(other, facts(1), EVERYBODY)
    hub.publish(SESSION, facts(2), frozenset({"c"}))
    hub.flush()
    assert here.frames == ["x s1", "x s2"]
    assert spoken_and_plain.frames == ["x s1", *plain(1), *plain(2), "x s2"]
    assert bystander.frames == []
    assert sorted(_encoded) == ["x", "x", "y", "y"]  # once a form, however many follow in it


async def test_a_session_that_is_over_is_heard_to_its_end_and_then_no_more() -> None:
    hub = Hub()
    socket, outlet = join(hub, "a", None)
    hub.follow(socket, "s", spoken("x"))
    hub.publish(SESSION, facts(1), NOBODY)
    hub.publish(SESSION, facts(2), NOBODY)
    hub.drop("s")
    hub.publish(SESSION, facts(3), NOBODY)
    hub.flush()
    assert outlet.frames == ["x s1", "x s2"]
    assert (socket.follows, hub._followers) == ({}, {})


async def test_sockets_are_told_in_the_order_of_their_connection_whatever_their_form_and_path() -> None:
    hub = Hub()
    told: list[int] = []

    def listening(at: int, form: wire.WireForm | None, *, is_fast: bool) -> Socket:
        def take(data: bytes) -> int:
            told.append(at)
            return len(data)

        socket, outlet = join(hub, "ab"[at % 2], form)
        outlet.send = lambda frames: told.append(at)  # type: ignore[method-assign]
        outlet.connection = Taking(take) if is_fast else None
        outlet.changed()
        return socket

    forms = [wire.plain, wire.sequenced, None, wire.plain, wire.sequenced, None] * 20
    sockets = [listening(at, form, is_fast=at % 4 < 2) for at, form in enumerate(forms)]
    for socket in reversed(sockets):
        if socket.form is None:
            hub.follow(socket, SESSION.id, spoken("x"))
        if socket.form is wire.plain and socket.number % 3:
            hub.change_form(socket, wire.sequenced)  # as SYNC does
    for audience in (EVERYBODY, frozenset("ab")):
        told.clear()
        hub.publish(SESSION, facts(1), audience)
        hub.flush()
        assert told == list(range(len(sockets)))
    told.clear()
    hub.tell_all(wire.sequenced, Frames(["a call"]), EVERYBODY)
    assert told == [at for at, socket in enumerate(sockets) if socket.form is wire.sequenced]
    assert hub.followers(SESSION.id) == [socket for socket in sockets if socket.form is None]


async def test_what_is_for_an_audience_reaches_its_sockets_of_that_form_alone() -> None:
    hub = Hub()
    outlets = {name: join(hub, name)[1] for name in ("a", "b", "c")}
    other = join(hub, "a", wire.sequenced)[1]
    hub.tell_all(wire.plain, Frames(["a call"]), frozenset({"a", "c", "nobody here"}))
    hub.tell_all(wire.plain, Frames(["to nobody"]), frozenset())
    assert {name: outlet.frames for name, outlet in outlets.items()} == {"a": ["a call"], "b": [], "c": ["a call"]}
    assert other.frames == []
