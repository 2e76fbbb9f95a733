"""The hub: this process's sockets, and how facts reach them.

A socket hears a fact in one of two ways. A socket with a form of its own hears every fact whose audience its user
belongs to. A socket that follows a session hears all facts of this session, whoever their audience is. The hub encodes
facts once for each wire form and sends the same texts to every socket of this form.

Every fact reaches the sockets in the order in which they connected, whatever their form: a client that waits at one
socket after the other relies on it, and a Node server tells its sockets in this order.

The hub sends a lone fact at once. The facts of the next millisecond wait and go together, so that a burst costs each
socket few writes; a longer wait doubled the median latency. While the next commit is being filled, facts wait for it, a
burst's first ones too, PAUSE times as long as the last delivery took: in a flood deliveries take a fifth of the time.
All frames of a socket pass its outlet, in order.

The plain Channels way makes each consumer a member of the group. It costs 240-390 µs of CPU for each delivered frame at
1,000 sockets, and more with more sockets: each member costs a thread hop, a deep copy, a queue and a JSON encoding.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from time import monotonic  # uvloop's clock knows whole milliseconds alone

from attendance.live.delivery import Delivery
from attendance.live.facts import Audience, Fact
from attendance.live.frames import Frames
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.live.wire import WireForm
from core import metrics
from core.server.websocket_protocol import nothing

#: Facts within this time of the last flush wait for the next one, seconds.
FLUSH_INTERVAL = 0.001
#: Facts wait so long for those that follow, in lengths of the last delivery.
PAUSE = 4
#: The longest that facts wait for those that follow, seconds.
LONGEST_WAIT = 0.04


class Hub:
    """The sockets of one process, by user and by the sessions that they follow."""

    def __init__(self, more_follows: Callable[[], bool] = lambda: False) -> None:
        """`more_follows`: whether facts are known to be published in a moment."""
        self._more_follows = more_follows
        #: By number, in the order in which they connected.
        self._sockets: dict[int, Socket] = {}
        self._connected = 0
        self._forms: Counter[WireForm] = Counter()
        self._by_user: dict[str, set[Socket]] = {}
        self._followers: dict[str, set[Socket]] = {}
        #: What is kept until a socket comes or goes, or one of their paths changes: by followed session and audience.
        self._deliveries: dict[tuple[str | None, Audience], Delivery] = {}
        self._waiting: list[tuple[LiveSession, Audience, Fact]] = []
        #: When the first of them came.
        self._waiting_since = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        #: When the last flush began, and how long it took.
        self._last_flush, self._took = float("-inf"), 0.0

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._sockets.values()))

    def __contains__(self, socket: Socket) -> bool:
        return self._sockets.get(socket.number) is socket

    def __len__(self) -> int:
        return len(self._sockets)

    def numbered(self, number: int) -> Socket | None:
        """The socket with this number; None if it is not here any more."""
        return self._sockets.get(number)

    def add(self, socket: Socket) -> None:
        """`socket` hears every fact that is published from now on, and none that still waits to be sent."""
        self.flush()
        self._connected += 1
        socket.number = self._connected
        self._sockets[socket.number] = socket
        metrics.SOCKETS.inc()
        self._by_user.setdefault(socket.actor.id, set()).add(socket)
        self._count_form(socket.form, 1)
        if socket.outlet.fast is not None:
            socket.outlet.fast.changed = self._forget_deliveries
        self._forget_deliveries()

    def remove(self, socket: Socket) -> None:
        """`socket` hears nothing more. Removing it again does nothing."""
        if socket not in self:
            return
        del self._sockets[socket.number]
        metrics.SOCKETS.dec()
        _discard(self._by_user, socket.actor.id, socket)
        self._count_form(socket.form, -1)
        for session_id in list(socket.follows):
            self.unfollow(socket, session_id)
        if socket.outlet.fast is not None:
            socket.outlet.fast.changed = nothing
        self._forget_deliveries()

    def follow(self, socket: Socket, session_id: str, form: WireForm) -> None:
        """`socket` hears this session's facts in `form` from now on, and in no earlier form."""
        self.flush()
        if socket not in self:
            return  # the socket left in the meantime
        socket.follows[session_id] = form
        self._followers.setdefault(session_id, set()).add(socket)
        self._forget_deliveries()

    def followers(self, session_id: str) -> list[Socket]:
        """The sockets that follow a session."""
        return sorted(self._followers.get(session_id, ()), key=attrgetter("number"))

    def unfollow(self, socket: Socket, session_id: str) -> None:
        """`socket` no longer follows this session, if it did."""
        if socket.follows.pop(session_id, None) is not None:
            _discard(self._followers, session_id, socket)
            self._forget_deliveries()

    def drop(self, session_id: str) -> None:
        """The session is over: sends the facts that wait; then nobody follows the session any more."""
        if session_id in self._followers:
            self.flush()
            for socket in self.followers(session_id):
                self.unfollow(socket, session_id)

    def publish(self, session: LiveSession, facts: Iterable[Fact], audience: Audience) -> None:
        """Tells `audience` and the session's followers these facts, in order, after all facts published before."""
        moment = monotonic()
        if not self._waiting:
            self._waiting_since = moment
        self._waiting += [(session, audience, fact) for fact in facts]
        if not self._waiting:
            return
        due = self._last_flush + FLUSH_INTERVAL
        if self._more_follows():
            due = max(due, self._waiting_since + min(PAUSE * self._took, LONGEST_WAIT))
        if due <= moment:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(due - moment, self.flush)

    def tell(self, socket: Socket, *texts: str) -> None:
        """Sends frames to one socket, behind the frames that are already on their way to it."""
        self.flush()
        socket.outlet.send(Frames(texts))

    def speaks(self, form: WireForm) -> bool:
        """Whether any socket here has this form of its own."""
        return form in self._forms

    def tell_all(self, form: WireForm, frames: Frames, audience: Audience) -> None:
        """Sends the audience's sockets of this form the same frames, behind those that are on their way there."""
        self.flush()
        heard = [
            (socket, form)
            for socket in self._sockets.values()
            if socket.form == form and (audience is None or socket.actor.id in audience)
        ]
        if heard:
            Delivery(heard).send([frames])

    def change_form(self, socket: Socket, form: WireForm) -> None:
        """Facts that are published from now on reach `socket` in `form`."""
        self.flush()
        if socket in self:
            self._count_form(socket.form, -1)
            self._count_form(form, 1)
            self._forget_deliveries()
        socket.form = form

    def flush(self) -> None:
        """Sends the facts that wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        self._last_flush = monotonic()
        for (_, audience), entries in groupby(waiting, key=lambda entry: (entry[0].id, entry[1])):
            group = list(entries)
            session, facts = group[0][0], [fact for _, _, fact in group]
            delivery = self._delivery(session, audience)
            delivery.send([Frames(form(session, facts)) for form in delivery.forms])
        flushed = monotonic()
        self._took = flushed - self._last_flush
        metrics.FANOUT_SECONDS.observe(flushed - self._waiting_since)

    def _delivery(self, session: LiveSession, audience: Audience) -> Delivery:
        followed = session.id if session.id in self._followers else None
        if (followed, audience) not in self._deliveries:
            self._deliveries[followed, audience] = Delivery(self._listeners(followed, audience))
        return self._deliveries[followed, audience]

    def _listeners(self, followed: str | None, audience: Audience) -> Iterator[tuple[Socket, WireForm]]:
        """Who hears what is for `audience` and for the followers of a session, and in which form, in order."""
        followers = self._followers[followed] if followed is not None else ()
        if audience is None:
            sockets: Iterable[Socket] = self._sockets.values()
        else:
            concerned = {socket for user_id in audience & self._by_user.keys() for socket in self._by_user[user_id]}
            sockets = sorted(concerned.union(followers), key=attrgetter("number"))
        for socket in sockets:
            if socket.form is not None and (audience is None or socket.actor.id in audience):
                yield socket, socket.form
            if followed is not None and socket in followers:
                yield socket, socket.follows[followed]

    def _count_form(self, form: WireForm | None, by: int) -> None:
        if form is not None:
            self._forms[form] += by
            if not self._forms[form]:
                del self._forms[form]

    def _forget_deliveries(self) -> None:
        self._deliveries.clear()


def _discard(index: dict[str, set[Socket]], key: str, socket: Socket) -> None:
    index[key].discard(socket)
    if not index[key]:
        del index[key]
