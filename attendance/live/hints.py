"""Hints between processes, over the Channels layer: one membership of one group a process.

A hint may be lost, repeated or late: the layer's queue holds 100 and drops silently, and a broken connection to
it loses what was sent meanwhile. Nobody relies on one; `attendance.live.process` looks at the database as well.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from channels.layers import BaseChannelLayer

from core.ids import new_id

logger = logging.getLogger(__name__)

GROUP = "attendance"

#: The in-memory layer forgets a membership after a day; joining again costs nothing.
REJOIN_INTERVAL = 600.0  # seconds
RETRY_INTERVAL = 1.0  # seconds

Hint = dict[str, Any]


class Hints:
    """This process's place in a group. `heard` gets the hints of other processes, one at a time, in order."""

    def __init__(self, layer: BaseChannelLayer, heard: Callable[[Hint], Awaitable[None]], group: str = GROUP) -> None:
        self._layer = layer
        self._group = group
        self._heard = heard
        self._origin = new_id()
        self._outbox: asyncio.Queue[Hint] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._send())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, hint: Hint) -> None:
        """Queues a hint for the other processes; it may never arrive."""
        self._outbox.put_nowait({**hint, "type": "live.hint", "origin": self._origin})

    async def _send(self) -> None:
        while True:
            hint = await self._outbox.get()
            try:
                await self._layer.group_send(self._group, hint)
            except Exception as failure:
                logger.warning("A hint was not sent, other processes will look for themselves: %s", failure)

    async def _listen(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel()
                rejoining = asyncio.create_task(self._rejoin(channel))
                try:
                    await self._receive(channel)
                finally:
                    rejoining.cancel()
            except Exception as failure:
                logger.warning("The channel layer does not answer, trying again: %s", failure)
            await asyncio.sleep(RETRY_INTERVAL)

    async def _rejoin(self, channel: str) -> None:
        while True:
            with contextlib.suppress(Exception):  # `_receive` finds out what is wrong with the layer
                await self._layer.group_add(self._group, channel)
            await asyncio.sleep(REJOIN_INTERVAL)

    async def _receive(self, channel: str) -> None:
        while True:
            hint = await self._layer.receive(channel)
            if hint.get("origin") == self._origin:
                continue
            try:
                await self._heard(hint)
            except Exception:
                logger.exception("A hint could not be used; the next look makes it good.")
