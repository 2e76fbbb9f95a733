"""Hints between processes, over the Channels layer: each process is one member of a group.

A hint may be lost, repeated or late: the in-memory layer's queue holds 100 and drops silently, and Redis forgets what
a cut connection missed. Nobody relies on a hint, because `attendance.live.watcher` looks at the database as well. So
nobody ever waits for the layer either: a hint that the layer does not take at once is dropped.

The layer over Redis connects again by itself when a connection breaks. But it does not say so, and it does not notice a
connection that is silently dead or a subscription that never came about. So each process sends a beat, which it hears
itself; a process that hears nothing for a while begins anew.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from channels.layers import BaseChannelLayer, InMemoryChannelLayer

from core.ids import new_id

logger = logging.getLogger(__name__)

GROUP = "attendance"

# Seconds.
BEAT_INTERVAL = 5.0
#: A process that hears nothing for so long, not even its own beats, has lost its membership.
SILENCE = 15.0
#: How long the layer may take for each request.
LIMIT = 2.0
RETRY_INTERVAL = 1.0

#: How many hints wait for the layer at most.
MAX_WAITING = 1000


class Hint(msgspec.Struct, frozen=True, tag_field="kind"):
    """What one process tells the others. Each kind of hint has a `tag` of its own."""


class Beat(Hint, frozen=True, tag="beat"):
    """Nothing but a sign that the layer works."""


H = TypeVar("H", bound=Hint)


class Hints(Generic[H]):
    """This process's membership of a group, whose members send each other hints of `kinds` (a union of structs).

    `heard` gets the hints of other processes, one at a time, in order.
    """

    def __init__(
        self, layer: BaseChannelLayer, kinds: Any, heard: Callable[[H], Awaitable[None]], group: str = GROUP
    ) -> None:
        self._layer = layer
        self._group = group
        self._heard = heard
        self._decode = msgspec.json.Decoder(kinds | Beat).decode
        self._origin = new_id()
        self._channel = ""
        self._outbox: asyncio.Queue[H | Beat] = asyncio.Queue(MAX_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._well = True

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._send(), self._beat())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, hint: H) -> None:
        """Queues a hint for the other processes; it may never arrive. Never waits."""
        if not self.alone:
            self._queue(hint)

    @property
    def alone(self) -> bool:
        """Whether a hint would reach nobody else. Only a layer in memory, which is one process's own, can tell.

        There a hint would only come back, for a twentieth of the CPU of a mark to 1,000 sockets.
        """
        if not isinstance(self._layer, InMemoryChannelLayer):
            return False
        members: Mapping[str, Any] = self._layer.groups.get(self._group, {})
        return members.keys() <= {self._channel}

    def _queue(self, hint: H | Beat) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._outbox.put_nowait(hint)

    async def _send(self) -> None:
        while True:
            hint = await self._outbox.get()
            try:
                # As one piece of text: the layer in memory copies every list in a message for each of its members.
                message = {"type": "live.hint", "origin": self._origin, "hint": msgspec.json.encode(hint).decode()}
                async with asyncio.timeout(LIMIT):
                    await self._layer.group_send(self._group, message)
            except Exception as failure:
                self._report(failure)
                while not self._outbox.empty():  # by now the others have looked
                    self._outbox.get_nowait()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_INTERVAL)
            self._queue(Beat())

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LIMIT):
                    self._channel = await self._layer.new_channel()
                    await self._layer.group_add(self._group, self._channel)
                await self._receive(self._channel)
            except Exception as failure:
                self._report(failure)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(LIMIT):
                    await self._layer.flush()  # and with it the subscriptions that the layer believes to have
            await asyncio.sleep(RETRY_INTERVAL)

    async def _receive(self, channel: str) -> None:
        while True:
            async with asyncio.timeout(SILENCE):
                message = await self._layer.receive(channel)
            if not self._well:
                self._well = True
                logger.warning("The channel layer is back.")
            if message.get("origin") == self._origin:
                continue
            try:
                hint = self._decode(message["hint"])
                if not isinstance(hint, Beat):
                    await self._heard(hint)
            except Exception:
                logger.exception("A hint could not be used; the next look makes it good.")

    def _report(self, failure: Exception) -> None:
        """Logs a failure once for each time that the layer goes away."""
        if self._well:
            self._well = False
            logger.warning(
                "The channel layer does not answer (%s). Until it does, processes see each other's marks by looking, "
                "once a second.",
                str(failure) or type(failure).__name__,
            )
