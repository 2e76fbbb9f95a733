"""Live statistics: a subscriber is told a session's counts at once, and then at most once a second."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from attendance.live.hub import Hub
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from attendance.sheets import Statistics

INTERVAL = 1.0  # seconds

#: How a subscriber is told the counts; hashable. Subscribers of equal forms share the frame.
StatisticsForm = Callable[[Statistics], str]


@dataclass(slots=True)
class _Subscription:
    form: StatisticsForm
    sent_at: float
    #: The number of the change that the subscriber was told last; -1: the subscriber is to be told in any case.
    told: int


class LiveStatistics:
    """The subscribers of one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._subscriptions: dict[str, dict[Socket, _Subscription]] = {}
        #: How often the counts of the sessions with subscribers may have changed.
        self._changes: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def subscribe(self, socket: Socket, session: LiveSession, form: StatisticsForm) -> None:
        """Tells `socket` the counts now, and whenever they have changed. A second call only replaces the `form`."""
        if socket not in self._hub:
            return  # the socket left in the meantime
        subscriptions = self._subscriptions.setdefault(session.id, {})
        before = subscriptions.get(socket)
        if before is not None:
            before.form, before.told = form, -1
            self._later(session)
            return
        changes = self._changes.setdefault(session.id, 0)
        subscriptions[socket] = _Subscription(form, asyncio.get_running_loop().time(), changes)
        self._hub.tell(socket, form(session.sheet().statistics))

    def changed(self, session: LiveSession) -> None:
        """The session's counts may have changed."""
        if session.id in self._changes:
            self._changes[session.id] += 1
            self._later(session)

    def over(self, session_id: str) -> None:
        """The session has ended. Its last counts are told with its end, not here."""
        self._subscriptions.pop(session_id, None)
        self._changes.pop(session_id, None)
        timer = self._timers.pop(session_id, None)
        if timer is not None:
            timer.cancel()

    def forget(self, socket: Socket, *session_ids: str) -> None:
        """The socket is told nothing more of these sessions; of no session if none is named."""
        for session_id in session_ids or list(self._subscriptions):
            subscriptions = self._subscriptions.get(session_id, {})
            subscriptions.pop(socket, None)
            if not subscriptions:
                self.over(session_id)

    def _later(self, session: LiveSession) -> None:
        """Sets the timer for the first subscriber who is to be told a change."""
        if session.id in self._timers:
            return
        changes = self._changes[session.id]
        waiting = [sub.sent_at for sub in self._subscriptions[session.id].values() if sub.told != changes]
        if waiting:
            due = min(waiting) + INTERVAL
            self._timers[session.id] = asyncio.get_running_loop().call_at(due, self._tell, session)

    def _tell(self, session: LiveSession) -> None:
        del self._timers[session.id]
        moment, changes = asyncio.get_running_loop().time(), self._changes[session.id]
        statistics = session.sheet().statistics
        frames: dict[StatisticsForm, str] = {}
        for socket, subscription in list(self._subscriptions[session.id].items()):
            if subscription.told != changes and subscription.sent_at + INTERVAL <= moment:
                subscription.told, subscription.sent_at = changes, moment
                form = subscription.form
                if form not in frames:
                    frames[form] = form(statistics)
                self._hub.tell(socket, frames[form])
        self._later(session)
