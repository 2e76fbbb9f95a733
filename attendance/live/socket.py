"""A connected client as the live server knows it, and what it needs of the client's connection."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from accounts.tokens import Claims
from attendance.live import wire
from attendance.live.frames import Frames
from attendance.live.shares import Share
from core.identity import Actor
from core.server.fan_out import Connection

if TYPE_CHECKING:
    from attendance.live.catch_up import CatchUp


class FastPath(Protocol):
    """A way past an outlet's queue: bytes that many sockets share go to each connection in one call."""

    #: Called when `connection` may have become another.
    changed: Callable[[], object]

    @property
    def connection(self) -> Connection | None:
        """What takes bytes at once, in order with the outlet's `send`; None while the outlet must queue."""

    def send_rest(self, data: bytes) -> None:
        """Queues the bytes that `connection` did not take."""


class Outlet(Protocol):
    """One socket's way out, in order, never blocking. Implemented by the server's transports."""

    @property
    def fast(self) -> FastPath | None:
        """The outlet's fast path, the same for as long as the outlet lives; None if it has none."""

    def send(self, frames: Frames) -> None:
        """Queues text frames; a socket whose reader is too slow is closed instead (1013)."""

    @property
    def is_gone(self) -> bool:
        """Whether the socket is closed, or closes: nothing that is sent from now on reaches the client."""

    async def drained(self) -> bool:
        """Returns once everything that was sent before is on its way. False if the socket is gone."""

    async def answer(self, make: Callable[[], str]) -> None:
        """Sends a frame that may be large, made once everything before it is on its way: it does not count as slow.

        A client that asks for many such frames without reading them gets one at a time.
        """

    def close(self, code: int) -> None:
        """Queues the closing of the socket after what is on its way."""


@dataclass(eq=False, slots=True)
class Socket:
    """A connected client."""

    actor: Actor
    #: What the token says; None where the protocol asks nobody for one.
    claims: Claims | None
    outlet: Outlet
    #: How the socket hears facts that are for its user; None: it hears only the sessions that it follows.
    form: wire.WireForm | None = wire.plain
    #: The socket's place in the order of connection, given by the hub.
    number: int = 0
    #: How the socket's protocol spells an error's message.
    error: Callable[[str], str] = wire.error_frame
    #: What the socket's account may still send; a socket of nobody has a share of its own.
    share: Share = field(default_factory=Share)
    #: The sessions that the socket follows, by id, and how it hears each of them.
    follows: dict[str, wire.WireForm] = field(default_factory=dict)
    #: When the database was last asked for this socket's sake, by the loop's clock.
    asked_at: float = float("-inf")
    #: What becomes of the last marks that the socket sent, until that is known; its next message waits for it.
    pending: "asyncio.Future[Any] | None" = None
    #: The answer to SYNC that is being made, and the task that makes it; other messages of the socket wait for it.
    catch_up: "CatchUp | None" = None
    catching_up: "asyncio.Task[None] | None" = None
    #: How many messages of the socket were handled.
    handled: int = 0
    #: Nothing that the socket sends counts any more, though a client that does not read may stay connected for a while.
    closing: bool = False
