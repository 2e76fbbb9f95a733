"""The hub tells each fact to whom it concerns, encoded once, in order, and in few writes."""

import asyncio
from datetime import UTC, datetime

from accounts.tokens import Claims
from attendance.enums import Status
from attendance.live import wire
from attendance.live.hub import EVERYBODY, Hub, Socket
from attendance.live.session import Fact, Marked
from core.identity import Actor, Role


class Outlet:
    """Keeps each write apart."""

    def __init__(self) -> None:
        self.writes: list[list[str]] = []

    @property
    def frames(self) -> list[str]:
        return [frame for write in self.writes for frame in write]

    def send(self, frames: list[str]) -> None:
        self.writes.append(list(frames))

    async def answer(self, make: object) -> None:
        raise NotImplementedError

    def close(self, code: int) -> None:
        raise NotImplementedError


def join(hub: Hub, user_id: str, form: wire.WireForm = wire.plain) -> tuple[Socket, Outlet]:
    outlet = Outlet()
    actor = Actor(user_id, Role.STUDENT, "", "")
    socket = Socket(actor, Claims(user_id, None, None, None, 0.0), outlet, form)
    hub.add(socket)
    return socket, outlet


def facts(*seqs: int) -> list[Fact]:
    return [Marked(seq, f"{seq:024x}", Status.PRESENT, datetime(2025, 3, 11, tzinfo=UTC)) for seq in seqs]


def plain(*seqs: int) -> list[str]:
    return [wire.plain(fact) for fact in facts(*seqs)]


async def test_everybody_hears_what_is_for_everybody_and_others_what_is_for_them() -> None:
    hub = Hub()
    outlets = {name: join(hub, name)[1] for name in ("a", "b", "c")}
    hub.publish(facts(1), EVERYBODY)
    hub.publish(facts(2), frozenset({"a", "b", "nobody here"}))
    hub.publish(facts(3), frozenset())
    hub.publish(facts(4), frozenset({"b"}))
    hub.flush()
    heard = {name: outlet.frames for name, outlet in outlets.items()}
    assert heard == {"a": plain(1, 2), "b": plain(1, 2, 4), "c": plain(1)}


async def test_all_sockets_of_a_user_hear_and_each_fact_is_encoded_once_a_form() -> None:
    hub, encoded = Hub(), []

    def counting(fact: Fact) -> str:
        encoded.append(fact)
        return wire.plain(fact)

    outlets = [join(hub, "a", counting)[1] for _ in range(5)] + [join(hub, "b", counting)[1] for _ in range(5)]
    other = join(hub, "a", wire.sequenced)[1]
    hub.publish(facts(1, 2), EVERYBODY)
    hub.publish(facts(3), frozenset({"a", "b"}))
    hub.flush()
    assert encoded == facts(1, 2, 3)
    assert all(outlet.frames == plain(1, 2, 3) for outlet in outlets)
    assert other.frames == [wire.sequenced(fact) for fact in facts(1, 2, 3)]


async def test_the_first_fact_goes_at_once_and_those_behind_it_together() -> None:
    hub = Hub()
    _, outlet = join(hub, "a")
    for seq in range(1, 6):
        hub.publish(facts(seq), EVERYBODY)
    assert outlet.writes == [plain(1)]
    while len(outlet.frames) < 5:
        await asyncio.sleep(0)
    assert outlet.writes == [plain(1), plain(2, 3, 4, 5)]
    hub.flush()
    assert len(outlet.writes) == 2


async def test_what_one_socket_is_told_comes_behind_what_was_published() -> None:
    hub = Hub()
    socket, outlet = join(hub, "a")
    hub.publish(facts(1), EVERYBODY)
    hub.publish(facts(2), EVERYBODY)
    hub.tell(socket, "own")
    hub.publish(facts(3), EVERYBODY)
    hub.flush()
    assert outlet.frames == [*plain(1, 2), "own", *plain(3)]


async def test_a_new_form_holds_for_what_is_published_from_then_on() -> None:
    hub = Hub()
    socket, outlet = join(hub, "a")
    hub.publish(facts(1), EVERYBODY)
    hub.publish(facts(2), EVERYBODY)
    hub.change_form(socket, wire.sequenced)
    hub.publish(facts(3), EVERYBODY)
    hub.flush()
    assert outlet.frames == [*plain(1, 2), wire.sequenced(facts(3)[0])]
    assert list(hub) == [socket]


async def test_who_comes_hears_nothing_from_before_and_who_goes_nothing_from_after() -> None:
    hub = Hub()
    early, early_outlet = join(hub, "a")
    hub.publish(facts(1), EVERYBODY)
    hub.publish(facts(2), EVERYBODY)
    _, late = join(hub, "a")
    hub.remove(early)
    hub.remove(early)
    hub.publish(facts(3), EVERYBODY)
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
    hub.publish(facts(1), EVERYBODY)
    hub.publish(facts(2), frozenset("abc"))
    hub.flush()
    assert outlet.frames[:1] == plain(1)
    assert all(other.frames == plain(1, 2) for other in others)


async def test_a_hub_whose_sockets_left_keeps_nothing_of_them() -> None:
    hub = Hub()
    sockets = [join(hub, name, form)[0] for name in "ab" for form in (wire.plain, wire.sequenced)]
    for socket in sockets:
        hub.remove(socket)
    assert list(hub) == []
    assert (hub._by_form, hub._by_user) == ({}, {})
