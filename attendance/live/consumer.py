"""Channels consumers: plumbing between a client's socket and its protocol; at /ws the events' table and the hub.

A consumer has no channel of its own, because no layer is called "none". The process's hints are the one member of the
group, for all sockets.
"""

import asyncio
import contextlib
import logging
from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import tokens
from attendance.live import events, wire
from attendance.live.connections import CLOSE_UNAUTHORIZED
from attendance.live.frames import Frames
from attendance.live.outlet import CLOSE_TRY_AGAIN_LATER, make_outlet
from attendance.live.process import live
from attendance.live.socket import Socket
from core import errors
from core.server.websocket_close import closable

logger = logging.getLogger(__name__)

SUBPROTOCOL = "attendance.v1"
CLOSE_INTERNAL_ERROR = 1011
CLOSE_TOO_BIG = 1009


class SocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One client's socket, whatever protocol it speaks. Each protocol implements the methods that stand last here."""

    channel_layer_alias = "none"

    #: The subprotocol that this protocol takes if a client offers it.
    subprotocol: ClassVar[str | None] = None

    abandoned = False
    entered = False
    #: The client as the live server knows it, once it has entered.
    socket: Socket

    @classmethod
    def as_asgi(cls, **options: Any) -> Any:
        """As Channels does it, but without a coroutine that each socket would keep."""

        def application(scope: Any, receive: Any, send: Any) -> Any:
            return cls(**options)(scope, receive, send)

        return application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Does what `AsyncConsumer.__call__` does for a consumer without a channel and without a database connection.

        Such a consumer waits for nothing but its client, so that no message of the client needs a task.
        """
        self._task = asyncio.current_task()
        receive, send = closable(scope, receive, send)
        self.outlet = make_outlet(scope, send, self._abandon)
        self.scope, self.base_send, self.channel_layer = scope, send, None
        try:
            with contextlib.suppress(StopConsumer):
                while True:
                    message = await receive()
                    await getattr(self, message["type"].replace(".", "_"))(message)
        except asyncio.CancelledError:
            if not self.abandoned:
                raise
        finally:
            self._left()

    def _abandon(self) -> None:
        self.abandoned = True
        if self._task is not None:
            self._task.cancel()

    async def connect(self) -> None:
        offered = self.scope.get("subprotocols") or []
        subprotocol = self.subprotocol if self.subprotocol in offered else None
        try:
            # The socket is in the hub before the client knows that it is connected, so that the client misses nothing.
            self.socket = await self.enter()
        except Exception as failure:
            await self.accept(subprotocol)
            self.outlet.open()
            self._refuse(failure)
            return
        self.entered = True
        await self.accept(subprotocol)
        self.outlet.open()
        self.scope["query_string"] = b""  # it may have the token, and nobody asks for it any more

    def _refuse(self, failure: Exception) -> None:
        if isinstance(failure, errors.Unauthorized):
            self.outlet.send(Frames([self.error_frame(errors.SocketUnauthorized())]))
            self.outlet.close(CLOSE_UNAUTHORIZED)
        elif isinstance(failure, errors.TooManyRequests):
            self.outlet.send(Frames([self.error_frame(failure)]))
            self.outlet.close(CLOSE_TRY_AGAIN_LATER)
        else:
            logger.error("A socket could not be opened.", exc_info=failure)
            self.outlet.send(Frames([self.error_frame(errors.InternalError())]))
            self.outlet.close(CLOSE_INTERNAL_ERROR)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.entered or live.stopping:
            return
        # `manage.py serve` never lets a message that is too big come this far; other servers do.
        if len((text_data or "").encode()) + len(bytes_data or b"") > settings.MAX_MESSAGE_SIZE:
            self.socket.closing = True
            self.outlet.close(CLOSE_TOO_BIG)
            return
        await self.handle(text_data or "")  # no protocol here takes bytes, nor an empty text

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self._left()
        raise StopConsumer

    def _left(self) -> None:
        self.outlet.stop()
        if self.entered:
            live.leave(self.socket)

    # What each protocol implements

    @abstractmethod
    async def enter(self) -> Socket:
        """Finds out who is there; returns their socket, in the hub. Raises `Unauthorized` or `TooManyRequests`."""

    @abstractmethod
    async def handle(self, text: str) -> None:
        """Does what a frame asks for and answers the frame, also if that fails."""

    @abstractmethod
    def error_frame(self, error: errors.ApiError) -> str:
        """The frame that tells the client of an error."""


class LiveConsumer(SocketConsumer):
    """A socket at /ws."""

    subprotocol = SUBPROTOCOL

    async def enter(self) -> Socket:
        return await live.welcome(lambda: tokens.authenticate(raw_token(self.scope)), outlet=self.outlet)

    async def handle(self, text: str) -> None:
        await events.serve(events.Request(live, self.socket), events.receive(live, self.socket, text))

    def error_frame(self, error: errors.ApiError) -> str:
        return wire.error_frame(error.message)


def raw_token(scope: Any, subprotocol: str = SUBPROTOCOL) -> str:
    """The token: `?token=`, an `Authorization` header, or what follows `subprotocol` in the subprotocols."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if "token" in query:
        return str(query["token"][0])
    for name, value in scope.get("headers", []):
        if name == b"authorization":
            return str(value.decode("latin-1"))
    offered: list[str] = scope.get("subprotocols") or []
    if subprotocol in offered[:-1]:
        return offered[offered.index(subprotocol) + 1]
    return ""
