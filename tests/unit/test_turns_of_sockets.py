"""A socket that sends many messages at once does not keep the others from being answered."""

import asyncio
from typing import Any, cast

from attendance.live import events
from attendance.live.events import Request
from attendance.live.limits import MESSAGES_A_TURN
from attendance.live.socket import Outlet, Socket
from core.identity import Actor, Role

COUNT = 50


class Client(Request):
    """A client whose messages all wait already."""

    def __init__(self, name: str, handled: list[str]) -> None:
        super().__init__(cast(Any, None), Socket(Actor(name, Role.STUDENT, name, ""), None, cast(Outlet, None)))
        self._name = name
        self._handled = handled

    async def _message(self) -> None:
        self._handled.append(self._name)

    async def run(self) -> None:
        for _ in range(COUNT):
            await events.serve(self, self._message())


async def test_sockets_are_served_in_turn() -> None:
    handled: list[str] = []
    await asyncio.gather(Client("flood", handled).run(), Client("other", handled).run())
    assert handled.index("other") <= MESSAGES_A_TURN
    assert handled.count("flood") == handled.count("other") == COUNT
    for at in range(COUNT):  # in every stretch of two turns each of them had one
        assert {"flood", "other"} == set(handled[at : at + 2 * MESSAGES_A_TURN + 1])
