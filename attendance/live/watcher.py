"""The watcher: looks at the database for the replica, and so keeps it up with what others committed.

It looks at a start (recovery is replay), when marks lack, when something else changed, before a client is refused, and
once a second in any case. So a start, a crash, a lost hint and a second process are one code path.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence

from attendance import services
from attendance.lessons import lesson_open, lessons_due
from attendance.live import gateway
from attendance.live.look import look
from attendance.live.replica import Replica
from attendance.live.socket import Socket
from attendance.live.view import View
from core.times import now

logger = logging.getLogger(__name__)

LOOK_INTERVAL = 1.0  # seconds
#: At every so many looks, timetables are followed.
BEATS_A_TIMETABLE = 10


class Watcher:
    """Looks for one process. `taken` gets each view before the look returns, and brings the replica up to it."""

    def __init__(self, replica: Replica, taken: Callable[[View], Awaitable[None]]) -> None:
        self._replica = replica
        self._taken = taken
        #: The open sessions that nobody uses, as the last look found them.
        self._idle: Sequence[str] = ()
        self._lock = asyncio.Lock()
        self._next_look: asyncio.Task[None] | None = None
        self._this_look: asyncio.Task[None] | None = None
        self._pulse: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look once a second."""
        self._pulse = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pulse

    async def look(self) -> None:
        """Reads what the database has; what was committed before the call is in the replica when it returns."""
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look())
        await asyncio.shield(self._next_look)

    def look_soon(self) -> None:
        """A look that nobody waits for."""
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look())
            self._next_look.add_done_callback(_report)

    async def settled(self) -> None:
        """Waits for a look that is asked for or under way: what it finds may be the answer."""
        under_way = self._next_look or self._this_look
        if under_way is not None:
            await asyncio.shield(under_way)

    async def ask_for(self, socket: Socket) -> bool:
        """A look before `socket` is refused something, at most once a second; whether there was one."""
        moment = asyncio.get_running_loop().time()
        if moment - socket.asked_at < LOOK_INTERVAL:
            return False
        socket.asked_at = moment
        await self.look()
        return True

    async def _look(self) -> None:
        async with self._lock:
            # Whoever asks from here on needs another look: this one reads now.
            self._this_look, self._next_look = self._next_look, None
            try:
                view = await gateway.read(look, self._replica.known(), self._replica.finished)
                self._idle = view.idle
                await self._taken(view)
            finally:
                self._this_look = None

    async def _beat(self) -> None:
        """Once a second: a look, and the end of forgotten sessions; now and then what timetables say."""
        failed = False
        for beat in itertools.count():
            try:
                await self.look()
                if beat % BEATS_A_TIMETABLE == 0:
                    await self._follow_timetables()
                for session_id in self._idle:
                    await gateway.write(services.session_end_forgotten, session_id=session_id)
                failed = False
            except Exception:
                if not failed:
                    logger.exception("Cannot look at the live sessions; trying again every second.")
                failed = True
            await asyncio.sleep(LOOK_INTERVAL)

    async def _follow_timetables(self) -> None:
        """Opens and ends what opens and ends by itself. Every process does; what one has done, the others find done."""
        moment = now()
        due = await gateway.read(lessons_due, moment)
        for planned in due.begun:
            await gateway.write(lesson_open, planned, moment=moment)
        for session_id in due.over:
            await gateway.write(services.session_end_planned, session_id=session_id, moment=moment)


def _report(look: "asyncio.Task[None]") -> None:
    if not look.cancelled() and look.exception() is not None:
        logger.warning("A look at the live sessions failed, the next one is due in a second: %s", look.exception())
