"""Hints between processes, over the Channels layer: one membership of one group a process.

A hint may be lost, repeated or late: the in-memory layer's queue holds 100 and drops silently, and Redis forgets what
a cut connection missed. Nobody relies on one; `attendance.live.process` looks at the database as well. So nobody ever
waits for the layer either: what it does not take at once is dropped.

The layer over Redis connects again by itself when a connection breaks, but it does not tell, and it does not notice a
connection that is silently dead or a subscription that never came about. So each process sends a beat, which it hears
itself, and one that hears nothing for a while begins anew.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from channels.layers import BaseChannelLayer, InMemoryChannelLayer

from core.ids import new_id

logger = logging.getLogger(__name__)

GROUP = "attendance"

# Seconds.
BEAT_INTERVAL = 5.0
#: Nothing heard for so long, not even the process's own beats: its membership is lost.
SILENCE = 15.0
#: The layer has this long for each thing that it is asked.
LIMIT = 2.0
RETRY_INTERVAL = 1.0

#: Hints that wait for the layer, at most.
MAX_WAITING = 1000

Hint = dict[str, Any]


class Hints:
    """This process's place in a group. `heard` gets the hints of other processes, one at a time, in order."""

    def __init__(self, layer: BaseChannelLayer, heard: Callable[[Hint], Awaitable[None]], group: str = GROUP) -> None:
        self._layer = layer
        self._group = group
        self._heard = heard
        self._origin = new_id()
        self._channel = ""
        self._outbox: asyncio.Queue[Hint] = asyncio.Queue(MAX_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._well = True

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(work) for work in (self._listen(), self._send(), self._beat())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, hint: Hint) -> None:
        """Queues a hint for the other processes; it may never arrive. Never waits."""
        if not self._alone:
            self._queue(hint)

    @property
    def _alone(self) -> bool:
        """Whether nobody else is in the group. Of a layer in memory, which is one process's own, that is known.

        There a hint would only come back, for a twentieth of the CPU of a mark to 1,000 sockets.
        """
        if not isinstance(self._layer, InMemoryChannelLayer):
            return False
        members: Mapping[str, Any] = self._layer.groups.get(self._group, {})
        return members.keys() <= {self._channel}

    def _queue(self, hint: Hint) -> None:
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
            self._queue({"kind": "beat"})

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
                    await self._layer.flush()  # with the subscriptions that it believes to have
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
                hint = msgspec.json.decode(message["hint"])
                if hint["kind"] != "beat":
                    await self._heard(hint)
            except Exception:
                logger.exception("A hint could not be used; the next look makes it good.")

    def _report(self, failure: Exception) -> None:
        """Once for each time that the layer goes away."""
        if self._well:
            self._well = False
            logger.warning(
                "The channel layer does not answer (%s). Until it does, processes see each other's marks by looking, "
                "once a second.",
                str(failure) or type(failure).__name__,
            )
