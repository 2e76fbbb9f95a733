"""The answer to SYNC: one for all that wait on a socket, made in pieces, and not made for a socket that is gone."""

import asyncio

from attendance.live import wire
from attendance.live.hub import Hub
from attendance.live.session import LiveSession
from attendance.live.socket import Socket

#: Marks that are encoded at a time, some 0.3 ms. Between two pieces other sockets have their turn.
PIECE = 200


class CatchUp:
    """One answer to SYNC that is on its way to a socket: the marks after `since`, as one frame."""

    def __init__(self, hub: Hub, socket: Socket, session: LiveSession, since: int) -> None:
        self._hub = hub
        self._socket = socket
        self._session = session
        self._since = since
        self._begun = False

    def covers(self, session: LiveSession, since: int) -> bool:
        """Whether this is the answer to another SYNC of the socket as well.

        The answer begins at the smallest `since` of all the SYNCs that it answers, so that no client misses a mark. A
        client knows the marks that it has already by their `seq`.
        """
        if session is not self._session or (self._begun and since < self._since):
            return False
        self._since = min(self._since, since)
        return True

    async def send(self) -> None:
        """Makes the answer once everything before it is on its way, and sends it."""
        outlet, session = self._socket.outlet, self._session
        if not await outlet.drained():
            return
        self._begun = True
        pieces, at = [], self._since
        while session.seq - at > PIECE:
            pieces.append(wire.sync_marks(session.marks[at : at + PIECE]))
            at += PIECE
            await asyncio.sleep(0)
            if outlet.is_gone:
                return

        def finish() -> str:
            # At one moment: facts that were published before go out before the answer, later ones carry a seq.
            self._hub.change_form(self._socket, wire.sequenced)
            return wire.sync_frame(session, [*pieces, wire.sync_marks(session.marks_since(at))])

        await outlet.answer(finish)
