"""The hub: this process's sockets, and how facts reach them.

A socket hears a fact in one of two ways. A socket with a form of its own hears every fact whose audience its user
belongs to. A socket that follows a session hears all facts of this session, whoever their audience is. The hub encodes
facts once for each wire form and sends the same texts to every socket of this form.

The hub sends the first fact at once. The facts of the next millisecond wait and go together, so that a burst costs each
socket few writes; a longer wait doubled the median latency. All frames of a socket pass its outlet, in order.

The plain Channels way makes each consumer a member of the group. It costs 240-390 µs of CPU for each delivered frame at
1,000 sockets, and more with more sockets: each member costs a thread hop, a deep copy, a queue and a JSON encoding.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import TypeVar

from attendance.live import wire
from attendance.live.facts import Audience, Fact
from attendance.live.frames import Frames
from attendance.live.session import LiveSession
from attendance.live.socket import FastPath, Outlet, Socket
from core.server.websocket_protocol import nothing

K = TypeVar("K")
S = TypeVar("S", "Listeners", "set[Socket]")

#: Facts within this time of the last flush wait for the next one, seconds.
FLUSH_INTERVAL = 0.001


class Listeners:
    """Sockets that hear the same frames. Their paths are kept: to look them up costs as much as to write to them."""

    def __init__(self, sockets: Iterable[Socket] = ()) -> None:
        self._sockets = set(sockets)
        self._paths: _Paths | None = None

    def __iter__(self) -> Iterator[Socket]:
        return iter(self._sockets)

    def __len__(self) -> int:
        return len(self._sockets)

    def add(self, socket: Socket) -> None:
        self._sockets.add(socket)
        self.forget_paths()

    def discard(self, socket: Socket) -> None:
        self._sockets.discard(socket)
        self.forget_paths()

    def forget_paths(self) -> None:
        """The path to one of the sockets has changed."""
        self._paths = None

    def send(self, frames: Frames) -> None:
        """Sends the frames to each socket, or queues them there."""
        if self._paths is None:
            self._paths = _Paths([socket.outlet for socket in self._sockets])
        self._paths.send(frames)


class _Paths:
    """The quickest path to each of some sockets, as it is now."""

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self._writers: list[Callable[[bytes], int]] = []
        #: The fast path that each writer belongs to.
        self._fast: list[FastPath] = []
        #: The outlets that must queue.
        self._slow: list[Outlet] = []
        for outlet in outlets:
            fast = outlet.fast
            writer = fast.writer if fast is not None else None
            if fast is None or writer is None:
                self._slow.append(outlet)
            else:
                self._writers.append(writer)
                self._fast.append(fast)

    def send(self, frames: Frames) -> None:
        data = frames.wire if self._writers else b""
        size = len(data)
        for at, write in enumerate(self._writers):
            try:
                sent = write(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                continue  # the connection is broken; its consumer hears of that from the server
            if sent != size:
                self._fast[at].send_rest(data[sent:])
        for outlet in self._slow:
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
        """`socket` hears every fact that is published from now on, and none that still waits to be sent."""
        self.flush()
        self._sockets.add(socket)
        if socket.outlet.fast is not None:
            socket.outlet.fast.changed = lambda: self._path_changed(socket)
        if socket.form is not None:
            self._by_form.setdefault(socket.form, Listeners()).add(socket)
            self._by_user.setdefault(socket.actor.id, set()).add(socket)

    def remove(self, socket: Socket) -> None:
        """`socket` hears nothing more. Removing it again does nothing."""
        self._sockets.discard(socket)
        if socket.outlet.fast is not None:
            socket.outlet.fast.changed = nothing
        if socket.form is not None:
            _discard(self._by_form, socket.form, socket)
            _discard(self._by_user, socket.actor.id, socket)
        for session_id in list(socket.follows):
            self.unfollow(socket, session_id)

    def follow(self, socket: Socket, session_id: str, form: wire.WireForm) -> None:
        """`socket` hears this session's facts in `form` from now on, and in no earlier form."""
        self.flush()
        if socket not in self._sockets:
            return  # the socket left in the meantime
        self.unfollow(socket, session_id)
        socket.follows[session_id] = form
        self._followers.setdefault(session_id, {}).setdefault(form, Listeners()).add(socket)

    def followers(self, session_id: str) -> list[Socket]:
        """The sockets that follow a session."""
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
        """The session is over: sends the facts that wait; then nobody follows the session any more."""
        if session_id in self._followers:
            self.flush()
            for socket in self.followers(session_id):
                self.unfollow(socket, session_id)

    def publish(self, session: LiveSession, facts: Iterable[Fact], audience: Audience) -> None:
        """Tells `audience` and the session's followers these facts, in order, after all facts published before."""
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
        """Sends frames to one socket, behind the frames that are already on their way to it."""
        self.flush()
        socket.outlet.send(Frames(texts))

    def speaks(self, form: wire.WireForm) -> bool:
        """Whether any socket here has this form of its own."""
        return form in self._by_form

    def tell_all(self, form: wire.WireForm, frames: Frames) -> None:
        """Sends every socket of this form the same frames, behind the frames that are already on their way there."""
        self.flush()
        if form in self._by_form:
            self._by_form[form].send(frames)

    def change_form(self, socket: Socket, form: wire.WireForm) -> None:
        """Facts that are published from now on reach `socket` in `form`."""
        self.flush()
        follows = dict(socket.follows)
        self.remove(socket)
        socket.form = form
        self.add(socket)
        for session_id, followed in follows.items():
            self.follow(socket, session_id, followed)

    def flush(self) -> None:
        """Sends the facts that wait."""
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

    def _path_changed(self, socket: Socket) -> None:
        if socket in self._sockets:
            if socket.form is not None:
                self._by_form[socket.form].forget_paths()
            for session_id, form in socket.follows.items():
                self._followers[session_id][form].forget_paths()

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
