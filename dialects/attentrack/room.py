"""AttenTrack's sockets: everybody in one room, and every message to all of them, in every process.

A mark reaches the room as it reaches `/ws`: from the live sessions, once it is committed, however it was made and
in whichever process. What the app only passes on (countdown, place, call) goes to other processes over the Channels
layer; it is worth nothing a second later, so losing it costs nothing.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from channels.layers import get_channel_layer

from accounts.selectors import roll_numbers_of
from attendance.enums import Method, Status
from attendance.live import gateway
from attendance.live.facts import Fact, Marked
from attendance.live.frames import Frames
from attendance.live.hints import Hint, Hints
from attendance.live.process import live
from attendance.live.session import LiveSession
from attendance.live.socket import Outlet, Socket
from core import errors, strict_json
from core.database.failures import DATABASE_ERRORS
from core.identity import Actor
from core.server.shutdown import on_stopping
from dialects.attentrack.failures import message_of

logger = logging.getLogger(__name__)

GROUP = "attentrack"
RETRY_INTERVAL = 1.0  # seconds


@dataclass(eq=False, slots=True)
class Client:
    """A connected app."""

    outlet: Outlet
    #: Who it is, as the hub knows them; None where nobody is asked who they are.
    socket: Socket | None = None
    #: When the database was last asked for this client's sake, by the loop's clock.
    asked_at: float = float("-inf")
    #: Nothing that it sends counts any more.
    deaf: bool = False

    @property
    def actor(self) -> Actor | None:
        return self.socket.actor if self.socket is not None else None

    @property
    def closing(self) -> bool:
        """Whether nothing that it sends counts any more, also because its token is no longer good."""
        return self.deaf or (self.socket is not None and self.socket.closing)

    def refuse(self, error: errors.ApiError) -> None:
        """Tells it why nothing was done."""
        self.outlet.send(Frames([error_frame(error)]))


def frame(kind: str, **fields: Any) -> str:
    """A message: `{"type": kind, …}`."""
    return strict_json.dumps({"type": kind, **fields})


def error_frame(error: errors.ApiError) -> str:
    return frame("error", message=message_of(error))


class Room:
    """This process's sockets. All methods belong to the event loop."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hints: Hints | None = None
        self._announcer: asyncio.Task[None] | None = None
        self._marked: asyncio.Queue[tuple[LiveSession, list[Marked]]] = asyncio.Queue()
        live.observers.append(self)

    async def start(self) -> None:
        """Once for each event loop, however often it is called."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop = loop
        self._clients = set()
        self._marked = asyncio.Queue()
        self._announcer = loop.create_task(self._announce())
        layer = get_channel_layer()
        if layer is not None:
            self._hints = Hints(layer, self._heard, GROUP)
            await self._hints.start()

    async def stop(self) -> None:
        if self._announcer is not None:
            self._announcer.cancel()
            await asyncio.gather(self._announcer, return_exceptions=True)
        if self._hints is not None:
            await self._hints.stop()
        self._loop = self._hints = self._announcer = None

    def add(self, client: Client) -> None:
        self._clients.add(client)

    def remove(self, client: Client) -> None:
        self._clients.discard(client)

    def say(self, text: str) -> None:
        """Sends a frame to all sockets of all processes."""
        self._send(Frames([text]))
        if self._hints is not None:
            self._hints.send({"kind": "frame", "text": text})

    def _send(self, texts: Frames) -> None:
        for client in list(self._clients):
            client.outlet.send(texts)

    async def _heard(self, hint: Hint) -> None:
        self._send(Frames([hint["text"]]))

    # What the live sessions tell

    def told(self, session: LiveSession, facts: Sequence[Fact]) -> None:
        """The app knows one attendance at a time: that of the session with the focus."""
        present = [fact for fact in facts if isinstance(fact, Marked) and fact.status.as_basic is Status.PRESENT]
        if present and self._clients and session.id == live.focus_id:
            self._marked.put_nowait((session, present))

    async def _announce(self) -> None:
        """Turns marks into `attendance2`, in order. The roll numbers have to be read."""
        while True:
            session, marks = await self._marked.get()
            # What a record brought that has just ended the session is old news to the app that sent it.
            over = session.ended is not None
            student_ids = [mark.student_id for mark in marks if not (over and mark.method is Method.BULK)]
            roll_numbers = await _read_roll_numbers(student_ids)
            self._send(
                Frames(
                    attendance2(roll_numbers[student_id]) for student_id in student_ids if student_id in roll_numbers
                )
            )
            self._marked.task_done()

    async def tell_all(self) -> None:
        """Returns once everything that was marked is told."""
        await self._marked.join()


def attendance2(roll_number: str) -> str:
    return frame("attendance2", rollNumber=roll_number)


async def _read_roll_numbers(student_ids: list[str]) -> dict[str, str]:
    """Asks until the database answers: the app hears of each mark once, and has no way to ask for it again."""
    while True:
        try:
            return await gateway.read(roll_numbers_of, student_ids)
        except DATABASE_ERRORS as failure:
            logger.warning("Roll numbers could not be read, trying again: %s", failure)
            await asyncio.sleep(RETRY_INTERVAL)


#: This process's.
room = Room()
on_stopping(room.tell_all)
