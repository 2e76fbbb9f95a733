"""AttenTrack's sockets: the room of each teacher and that teacher's students, in every process.

With ATTENTRACK_OPEN everybody is in one room, as in the published system, because nobody says who they are.

The sockets are the core's, in its hub. A mark reaches the room as it reaches `/ws`: from the live sessions, once it is
committed, however it was made and in whichever process. Countdown, place and call are only passed on; they go to other
processes over the Channels layer, and nobody needs them a second later, so it does no harm if one is lost.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings

from accounts.selectors import roll_numbers_of
from attendance.enums import Method, Status, basic_of
from attendance.live import gateway
from attendance.live.facts import EVERYBODY, NOBODY, Audience, Fact, Marked
from attendance.live.frames import Frames
from attendance.live.hints import Hint, Hints
from attendance.live.process import Observer, live
from attendance.live.session import LiveSession
from classes.selectors import people_taught_by
from core import errors, strict_json
from core.database.failures import DATABASE_ERRORS
from core.identity import Actor
from core.server.shutdown import on_stopping
from dialects.attentrack.failures import message_of

logger = logging.getLogger(__name__)

GROUP = "attentrack"
RETRY_INTERVAL = 1.0  # seconds


class FrameHint(Hint, frozen=True, tag="frame"):
    """A message for the sockets of the other processes: of the room of this teacher, or of this session's people."""

    text: str
    teacher_id: str = ""
    session_id: str = ""


def form(session: LiveSession, facts: Sequence[Fact]) -> list[str]:
    """The wire form by which the hub knows the room's sockets.

    It spells nothing: a mark's roll number must be read from the database first, so the room spells marks itself.
    """
    return []


def frame(kind: str, **fields: Any) -> str:
    """A message: `{"type": kind, …}`."""
    return strict_json.dumps({"type": kind, **fields})


def attendance2(roll_number: str) -> str:
    """The message that says that a student is present."""
    return frame("attendance2", rollNumber=roll_number)


def refusal(message: str) -> str:
    """The message that says an error's words."""
    return frame("error", message=message)


def error_frame(error: errors.ApiError) -> str:
    """The message that says an error."""
    return refusal(message_of(error))


class Room(Observer):
    """The room's part in this process. All methods belong to the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hints: Hints[FrameHint] | None = None
        self._announcer: asyncio.Task[None] | None = None
        #: Marks that the room does not know of yet.
        self._marked: asyncio.Queue[tuple[LiveSession, list[Marked]]] = asyncio.Queue()
        live.observers.append(self)

    async def start(self) -> None:
        """Begins to announce marks and to hear other processes. Repeated calls in one event loop do nothing."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop = loop
        self._marked = asyncio.Queue()
        self._announcer = loop.create_task(self._announce())
        layer = get_channel_layer()
        if layer is not None:
            self._hints = Hints(layer, FrameHint, self._heard, GROUP)
            await self._hints.start()

    async def stop(self) -> None:
        """The live server stops."""
        if self._announcer is not None:
            self._announcer.cancel()
            await asyncio.gather(self._announcer, return_exceptions=True)
        if self._hints is not None:
            await self._hints.stop()
        self._loop = self._hints = self._announcer = None

    async def say(self, text: str, *, teacher: Actor) -> None:
        """Sends a message to the teacher and the students of the teacher's classes, in all processes."""
        await self._say(FrameHint(text, teacher_id=teacher.id))

    async def say_in(self, session: LiveSession, text: str) -> None:
        """Sends a message to the people of a session, in all processes."""
        await self._say(FrameHint(text, session_id=session.id))

    async def _say(self, hint: FrameHint) -> None:
        await self._heard(hint)
        if self._hints is not None:
            self._hints.send(hint)

    async def _heard(self, hint: FrameHint) -> None:
        if live.hub.speaks(form):
            live.hub.tell_all(form, Frames([hint.text]), await _audience(hint))

    def told(self, session: LiveSession, facts: Sequence[Fact]) -> None:
        """Takes what the live sessions tell. The app knows one attendance at a time: the focused session's."""
        present = [fact for fact in facts if isinstance(fact, Marked) and basic_of(fact.status) is Status.PRESENT]
        if present and session.id == live.focus_id and live.hub.speaks(form):
            self._marked.put_nowait((session, present))

    async def _announce(self) -> None:
        """Turns marks into `attendance2`, in order."""
        while True:
            session, marks = await self._marked.get()
            # The app that ends a session by a record knows the record: it needs no message for each mark in it.
            over = session.ended is not None
            student_ids = [mark.student_id for mark in marks if not (over and mark.method is Method.BULK)]
            roll_numbers = await _read_roll_numbers(student_ids)
            told = [roll_numbers[student_id] for student_id in student_ids if student_id in roll_numbers]
            audience = EVERYBODY if settings.ATTENTRACK_OPEN else session.people
            live.hub.tell_all(form, Frames(map(attendance2, told)), audience)
            self._marked.task_done()

    async def tell_rest(self) -> None:
        """Returns once the room knows of every mark."""
        await self._marked.join()


async def _audience(hint: FrameHint) -> Audience:
    if settings.ATTENTRACK_OPEN:
        return EVERYBODY
    if hint.teacher_id:
        return await gateway.read(people_taught_by, hint.teacher_id)
    session = live.sessions.get(hint.session_id)
    return session.people if session is not None else NOBODY


async def _read_roll_numbers(student_ids: list[str]) -> dict[str, str]:
    """Asks until the database answers: the app hears of each mark once, and cannot ask for a mark again."""
    while True:
        try:
            return await gateway.read(roll_numbers_of, student_ids)
        except DATABASE_ERRORS as failure:
            logger.warning("Roll numbers could not be read, trying again: %s", failure)
            await asyncio.sleep(RETRY_INTERVAL)


#: The room in this process.
room = Room()
on_stopping(room.tell_rest)
