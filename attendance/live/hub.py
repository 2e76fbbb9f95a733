"""The hub: this process's sockets, and how facts reach them.

A fact is encoded once for each wire form and the same text goes to every socket. The first fact is sent at
once; those that follow within a millisecond go together, so that a burst costs each socket few writes (a
longer window doubled the median latency). Everything that a socket is sent passes its outlet, in order.

The plain Channels way, each consumer a member of the group, costs 240-390 µs of CPU for each delivered frame
at 1,000 sockets and more with more sockets: a thread hop, a deep copy, a queue and a JSON encoding a member.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol, TypeVar

from accounts.tokens import Claims
from attendance.live import wire
from attendance.live.session import Fact
from core.identity import Actor

K = TypeVar("K")

#: Facts within this time of the last flush wait for the next one, seconds.
FLUSH_INTERVAL = 0.001

#: Who hears a fact: everybody connected, or these users.
Audience = frozenset[str] | None
EVERYBODY: Audience = None


class Outlet(Protocol):
    """One socket's way out, in order, never blocking. Implemented by the server's transports."""

    def send(self, frames: "list[str]") -> None:
        """Queues text frames; a socket whose reader is too slow is closed instead (1013)."""

    async def answer(self, make: Callable[[], str]) -> None:
        """Sends a frame that may be large, made once everything before it is on its way: it does not count as slow.

        Who asks for many such frames without reading them gets one at a time.
        """

    def close(self, code: int) -> None:
        """Queues the closing of the socket after what is on its way."""


@dataclass(eq=False, slots=True)
class Socket:
    """A connected client."""

    actor: Actor
    claims: Claims
    outlet: Outlet
    form: wire.WireForm = wire.plain
    #: When the database was last asked for this socket's sake, by the loop's clock.
    asked_at: float = float("-inf")
    #: Its last mark on the way to the journal; what it sends next waits for that one.
    mark: "asyncio.Future[Any] | None" = None
    #: Nothing that it sends counts any more, though a client that does not read may stay connected for a while.
    closing: bool = False


class Hub:
    """The sockets of one process, by wire form and by user."""

    def __init__(self) -> None:
        self._by_form: dict[wire.WireForm, set[Socket]] = {}
        self._by_user: dict[str, set[Socket]] = {}
        self._waiting: list[tuple[Audience, Fact]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._last_flush = float("-inf")

    def __iter__(self) -> Iterator[Socket]:
        return (socket for sockets in list(self._by_user.values()) for socket in list(sockets))

    def add(self, socket: Socket) -> None:
        """From now on `socket` hears what is published; what waits to be sent is not for it."""
        self.flush()
        self._by_form.setdefault(socket.form, set()).add(socket)
        self._by_user.setdefault(socket.actor.id, set()).add(socket)

    def remove(self, socket: Socket) -> None:
        """`socket` hears nothing more. Removing it again does nothing."""
        _discard(self._by_form, socket.form, socket)
        _discard(self._by_user, socket.actor.id, socket)

    def publish(self, facts: Iterable[Fact], audience: Audience) -> None:
        """Tells `audience` these facts, in order, after all that was published before."""
        self._waiting += [(audience, fact) for fact in facts]
        if not self._waiting or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_flush + FLUSH_INTERVAL - loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = loop.call_later(wait, self.flush)

    def tell(self, socket: Socket, text: str) -> None:
        """Sends one socket a frame of its own, behind what is already on its way there."""
        self.flush()
        socket.outlet.send([text])

    def change_form(self, socket: Socket, form: wire.WireForm) -> None:
        """What is published from now on reaches `socket` in another wire form."""
        self.flush()
        self.remove(socket)
        socket.form = form
        self.add(socket)

    def flush(self) -> None:
        """Sends what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        self._last_flush = asyncio.get_running_loop().time()
        for audience, group in groupby(waiting, key=lambda entry: entry[0]):
            facts = [fact for _, fact in group]
            for form, sockets in self._recipients(audience):
                frames = [form(fact) for fact in facts]
                for socket in sockets:
                    socket.outlet.send(frames)

    def _recipients(self, audience: Audience) -> Iterable[tuple[wire.WireForm, list[Socket]]]:
        if audience is None:
            return [(form, list(sockets)) for form, sockets in self._by_form.items()]
        by_form: dict[wire.WireForm, list[Socket]] = {}
        for user_id in audience & self._by_user.keys():
            for socket in self._by_user[user_id]:
                by_form.setdefault(socket.form, []).append(socket)
        return by_form.items()


def _discard(index: dict[K, set[Socket]], key: K, socket: Socket) -> None:
    sockets = index.get(key, set())
    sockets.discard(socket)
    if not sockets:
        index.pop(key, None)
