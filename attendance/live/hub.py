"""The hub: this process's sockets, and how facts reach them.

Facts are encoded once for each wire form and the same texts go to every socket. A socket of a form of its own hears
what is for its user (`publish`'s audience); one may also follow a session by name, in the form of its choice, whoever
else hears of it. The first fact is sent at
once; those that follow within a millisecond go together, so that a burst costs each socket few writes (a
longer window doubled the median latency). Everything that a socket is sent passes its outlet, in order.

The plain Channels way, each consumer a member of the group, costs 240-390 µs of CPU for each delivered frame
at 1,000 sockets and more with more sockets: a thread hop, a deep copy, a queue and a JSON encoding a member.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Any, Protocol, TypeVar

from accounts.tokens import Claims
from attendance.live import wire
from attendance.live.frames import Frames
from attendance.live.session import Fact, LiveSession
from core.identity import Actor
from core.server.websocket_protocol import nothing

K = TypeVar("K")
S = TypeVar("S", "Listeners", "set[Socket]")

#: Facts within this time of the last flush wait for the next one, seconds.
FLUSH_INTERVAL = 0.001

#: Who hears a fact: everybody connected, or these users.
Audience = frozenset[str] | None
EVERYBODY: Audience = None


class Outlet(Protocol):
    """One socket's way out, in order, never blocking. Implemented by the server's transports."""

    #: Called when `writer` may have become another.
    changed: Callable[[], object]

    @property
    def writer(self) -> Callable[[bytes], int] | None:
        """Sends bytes at once, in order with `send`, and says how many were taken; None where only `send` will do.

        Raises BlockingIOError if none were, and another OSError if the connection is broken.
        """

    def send(self, frames: Frames) -> None:
        """Queues text frames; a socket whose reader is too slow is closed instead (1013)."""

    def send_rest(self, frames: Frames, sent: int) -> None:
        """Queues what `writer` has left of these frames, which took the first `sent` bytes."""

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
    #: How it hears what is for its user; None: it hears only the sessions that it follows.
    form: wire.WireForm | None = wire.plain
    #: How its protocol spells an error's message.
    error: Callable[[str], str] = wire.error_frame
    #: The sessions that it follows, by id, and how it hears each.
    follows: dict[str, wire.WireForm] = field(default_factory=dict)
    #: Closes it when its token expires.
    expiry: asyncio.TimerHandle | None = None
    #: When the database was last asked for this socket's sake, by the loop's clock.
    asked_at: float = float("-inf")
    #: Its last mark on the way to the journal; what it sends next waits for that one.
    mark: "asyncio.Future[Any] | None" = None
    #: Nothing that it sends counts any more, though a client that does not read may stay connected for a while.
    closing: bool = False


class Listeners:
    """Sockets that hear the same frames. Their ways out are kept at hand: to look them up costs as much as to write."""

    def __init__(self, sockets: Iterable[Socket] = ()) -> None:
        self._sockets = set(sockets)
        self._ways: _Ways | None = None

    def __iter__(self) -> Iterator[Socket]:
        return iter(self._sockets)

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, socket: Socket) -> None:
        self._sockets.add(socket)
        self.forget()

    def discard(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        self.forget()

    def forget(self) -> None:
        """One of the ways out has changed."""
        self._ways = None

    def send(self, frames: Frames) -> None:
        """Queues the frames for each."""
        if self._ways is None:
            self._ways = _Ways([socket.outlet for socket in self._sockets])
        self._ways.send(frames)


class _Ways:
    """The ways out of some sockets, as they are now."""

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self._writers: list[Callable[[bytes], int]] = []
        #: Whose those are.
        self._written: list[Outlet] = []
        self._others: list[Outlet] = []
        for outlet in outlets:
            writer = outlet.writer
            if writer is None:
                self._others.append(outlet)
            else:
                self._writers.append(writer)
                self._written.append(outlet)

    def send(self, frames: Frames) -> None:
        data = frames.wire if self._writers else b""
        size = len(data)
        for at, write in enumerate(self._writers):
            try:
                sent = write(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                continue  # this one's connection is broken; its consumer hears of that from the server
            if sent != size:
                self._written[at].send_rest(frames, sent)
        for outlet in self._others:
            outlet.send(frames)


class Hub:
    """The sockets of one process, by wire form, by user, and by the sessions that they follow."""

    def __init__(self) -> None:
        self._sockets: set[Socket] = set()
        self._by_form: dict[wire.WireForm, Listeners] = {}
        self._by_user: dict[str, set[Socket]] = {}
        self._followers: dict[str, dict[wire.WireForm, Listeners]] = {}
        self._waiting: list[tuple[LiveSession, Audience, Fact]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._last_flush = float("-inf")

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._sockets))

    def __contains__(self, socket: Socket) -> bool:
        return socket in self._sockets

    def add(self, socket: Socket) -> None:
        """From now on `socket` hears what is published; what waits to be sent is not for it."""
        self.flush()
        self._sockets.add(socket)
        socket.outlet.changed = lambda: self._changed(socket)
        if socket.form is not None:
            self._by_form.setdefault(socket.form, Listeners()).add(socket)
            self._by_user.setdefault(socket.actor.id, set()).add(socket)

    def remove(self, socket: Socket) -> None:
        """`socket` hears nothing more. Removing it again does nothing."""
        self._sockets.discard(socket)
        socket.outlet.changed = nothing
        if socket.form is not None:
            _discard(self._by_form, socket.form, socket)
            _discard(self._by_user, socket.actor.id, socket)
        for session_id in list(socket.follows):
            self.unfollow(socket, session_id)

    def follow(self, socket: Socket, session_id: str, form: wire.WireForm) -> None:
        """From now on `socket` hears of this session in `form`, and no longer in any earlier one."""
        self.flush()
        if socket not in self._sockets:
            return  # it left in the meantime
        self.unfollow(socket, session_id)
        socket.follows[session_id] = form
        self._followers.setdefault(session_id, {}).setdefault(form, Listeners()).add(socket)

    def followers(self, session_id: str) -> list[Socket]:
        """Who follows a session."""
        return [socket for sockets in self._followers.get(session_id, {}).values() for socket in sockets]

    def unfollow(self, socket: Socket, session_id: str) -> None:
        """`socket` no longer follows this session, if it did."""
        form = socket.follows.pop(session_id, None)
        if form is not None:
            forms = self._followers[session_id]
            _discard(forms, form, socket)
            if not forms:
                del self._followers[session_id]

    def drop(self, session_id: str) -> None:
        """The session is over: what waits is sent, then nobody follows it any more."""
        if session_id in self._followers:
            self.flush()
            for socket in self.followers(session_id):
                self.unfollow(socket, session_id)

    def publish(self, session: LiveSession, facts: Iterable[Fact], audience: Audience) -> None:
        """Tells `audience` and the session's followers these facts, in order, after all that was published before."""
        self._waiting += [(session, audience, fact) for fact in facts]
        if not self._waiting or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self._last_flush + FLUSH_INTERVAL - loop.time()
        if wait <= 0:
            self.flush()
        else:
            self._timer = loop.call_later(wait, self.flush)

    def tell(self, socket: Socket, *texts: str) -> None:
        """Sends one socket frames of its own, behind what is already on its way there."""
        self.flush()
        socket.outlet.send(Frames(texts))

    def change_form(self, socket: Socket, form: wire.WireForm) -> None:
        """What is published from now on reaches `socket` in another wire form."""
        self.flush()
        follows = dict(socket.follows)
        self.remove(socket)
        socket.form = form
        self.add(socket)
        for session_id, followed in follows.items():
            self.follow(socket, session_id, followed)

    def flush(self) -> None:
        """Sends what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        self._last_flush = asyncio.get_running_loop().time()
        for (_, audience), entries in groupby(waiting, key=lambda entry: (entry[0].id, entry[1])):
            group = list(entries)
            session, facts = group[0][0], [fact for _, _, fact in group]
            for form, listeners in chain(self._recipients(audience), self._following(session)):
                frames = Frames(form(session, facts))
                if frames:
                    listeners.send(frames)

    def _changed(self, socket: Socket) -> None:
        if socket in self._sockets:
            if socket.form is not None:
                self._by_form[socket.form].forget()
            for session_id, form in socket.follows.items():
                self._followers[session_id][form].forget()

    def _recipients(self, audience: Audience) -> Sequence[tuple[wire.WireForm, Listeners]]:
        if audience is None:
            return list(self._by_form.items())
        by_form: dict[wire.WireForm, list[Socket]] = {}
        for user_id in audience & self._by_user.keys():
            for socket in self._by_user[user_id]:
                if socket.form is not None:
                    by_form.setdefault(socket.form, []).append(socket)
        return [(form, Listeners(sockets)) for form, sockets in by_form.items()]

    def _following(self, session: LiveSession) -> Sequence[tuple[wire.WireForm, Listeners]]:
        return list(self._followers.get(session.id, {}).items())


def _discard(index: dict[K, S], key: K, socket: Socket) -> None:
    if key in index:
        index[key].discard(socket)
        if not index[key]:
            del index[key]
