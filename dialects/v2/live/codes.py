"""The codes of check-in that teachers see: told when a teacher follows, and each time that the code changes."""

import asyncio

from attendance.live.process import live
from attendance.live.session import LiveSession
from attendance.live.socket import Socket
from core.times import now, to_iso
from dialects.v2.live import frames


class Codes:
    """One process's. All methods belong to the event loop."""

    def __init__(self) -> None:
        #: By session: when the code changes next.
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def tell(self, session: LiveSession, *sockets: Socket) -> None:
        """Tells these teachers, or all who follow the session, the code, and from then on each change of it."""
        timer = self._timers.pop(session.id, None)
        if timer is not None:
            timer.cancel()
        rules, moment = session.check_in.rules, now()
        following = [one for one in live.hub.followers(session.id) if one.follows[session.id] is frames.teacher_form]
        if rules is None or not rules.is_open(moment) or not following or session.id not in live.sessions:
            return
        until = rules.valid_until(moment)
        code = {
            "session": session.id,
            "code": rules.code_at(moment),
            "validUntil": None if until is None else to_iso(until),
        }
        for socket in sockets or following:
            live.hub.tell(socket, frames.frame("CODE", code))
        if until is not None:
            wait = (until - moment).total_seconds()
            self._timers[session.id] = asyncio.get_running_loop().call_later(wait, self.tell, session)
