"""The Channels consumer at /ws: plumbing between a client's socket, the events' table and the hub.

It has no channel of its own (no layer is called "none"): the process's hub is in the group once, for all.
"""

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import tokens
from attendance.live import events, wire
from attendance.live.hub import Socket
from attendance.live.outlet import AsgiOutlet
from attendance.live.process import CLOSE_UNAUTHORIZED, live
from core import errors

logger = logging.getLogger(__name__)

SUBPROTOCOL = "attendance.v1"
CLOSE_INTERNAL_ERROR = 1011
CLOSE_TOO_BIG = 1009


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One client's socket."""

    channel_layer_alias = "none"

    socket: Socket | None = None
    abandoned = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()

        def abandon() -> None:
            self.abandoned = True
            if task is not None:
                task.cancel()

        self.outlet = AsgiOutlet(send, abandon)
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self.abandoned:
                raise
        finally:
            self.leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without the housekeeping of database connections: there is none of the consumer's to keep."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        offered = self.scope.get("subprotocols") or []
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
        try:
            # In the hub before the client knows that it is connected: it misses nothing from then on.
            self.socket = await live.welcome(lambda: tokens.authenticate(_raw_token(self.scope)), outlet=self.outlet)
        except Exception as failure:
            await self.accept(subprotocol)
            self.outlet.open()
            self.refuse(failure)
            return
        await self.accept(subprotocol)
        self.outlet.open()

    def refuse(self, failure: Exception) -> None:
        if isinstance(failure, errors.Unauthorized):
            self.outlet.send([wire.error_frame(errors.SocketUnauthorized.message)])
            self.outlet.close(CLOSE_UNAUTHORIZED)
        else:
            logger.error("A socket could not be opened.", exc_info=failure)
            self.outlet.send([wire.error_frame(errors.InternalError.message)])
            self.outlet.close(CLOSE_INTERNAL_ERROR)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.socket is None:
            return
        # Our own server command never lets one that is too big come this far; others do.
        if len((text_data or "").encode()) + len(bytes_data or b"") > settings.MAX_MESSAGE_SIZE:
            self.socket.closing = True
            self.outlet.close(CLOSE_TOO_BIG)
            return
        await events.serve(events.Request(live, self.socket), events.receive(live, self.socket, text_data or ""))

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self.leave()
        raise StopConsumer

    def leave(self) -> None:
        self.outlet.stop()
        if self.socket is not None:
            live.leave(self.socket)


def _raw_token(scope: Any) -> str:
    """The token: `?token=`, an `Authorization` header, or what follows `attendance.v1` in the subprotocols."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    if "token" in query:
        return str(query["token"][0])
    for name, value in scope.get("headers", []):
        if name == b"authorization":
            return str(value.decode("latin-1"))
    offered: list[str] = scope.get("subprotocols") or []
    if SUBPROTOCOL in offered[:-1]:
        return offered[offered.index(SUBPROTOCOL) + 1]
    return ""
