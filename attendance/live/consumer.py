"""Channels consumers: plumbing between a client's socket and its protocol; at /ws the events' table and the hub.

A consumer has no channel of its own (no layer is called "none"): the process's hub is in the group once, for all.
"""

import asyncio
import logging
import time
from typing import Any, ClassVar
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import tokens
from attendance.live import events, gateway, wire
from attendance.live.hub import Socket
from attendance.live.outlet import AsgiOutlet
from attendance.live.process import CLOSE_UNAUTHORIZED, live
from core import errors
from core.identity import Actor

logger = logging.getLogger(__name__)

SUBPROTOCOL = "attendance.v1"
CLOSE_INTERNAL_ERROR = 1011
CLOSE_TOO_BIG = 1009


class SocketConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One client's socket, whatever it speaks: a protocol fills in what stands last here."""

    channel_layer_alias = "none"

    #: The subprotocol that this protocol takes, where a client offers it.
    subprotocol: ClassVar[str | None] = None

    expiry: asyncio.TimerHandle | None = None
    abandoned = False
    joined = False

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
            self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without the housekeeping of database connections: there is none of the consumer's to keep."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        offered = self.scope.get("subprotocols") or []
        subprotocol = self.subprotocol if self.subprotocol in offered else None
        try:
            await live.start()
            version = live.accounts_version
            known = await self.authenticate()
        except Exception as failure:
            await self.accept(subprotocol)
            self.outlet.open()
            self._refuse(failure)
            return
        # Among those who hear before the client knows that it is connected: it misses nothing from then on.
        self.join(known)
        self.joined = True
        await self.accept(subprotocol)
        self.outlet.open()
        if known is not None:
            wait = max(0.0, known[1].expires_at - time.time())
            self.expiry = asyncio.get_running_loop().call_later(wait, self.dismiss)
        if live.accounts_version != version:
            await live.recheck_sockets()

    def _refuse(self, failure: Exception) -> None:
        if isinstance(failure, errors.Unauthorized):
            self.outlet.send([self.error_frame(errors.SocketUnauthorized())])
            self.outlet.close(CLOSE_UNAUTHORIZED)
        else:
            logger.error("A socket could not be opened.", exc_info=failure)
            self.outlet.send([self.error_frame(errors.InternalError())])
            self.outlet.close(CLOSE_INTERNAL_ERROR)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.joined:
            return
        try:
            # Our own server command never lets one that is too big come this far; others do.
            if len((text_data or "").encode()) + len(bytes_data or b"") > settings.MAX_MESSAGE_SIZE:
                self.deafen()
                self.outlet.close(CLOSE_TOO_BIG)
                return
            if text_data is None:
                raise errors.InvalidMessage
            await self.handle(text_data)
        except errors.ApiError as error:
            self.tell(self.error_frame(error))
        except Exception:
            logger.exception("A client's message failed.")
            self.tell(self.error_frame(errors.InternalError()))

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self._leave()
        raise StopConsumer

    def _leave(self) -> None:
        self.outlet.stop()
        if self.expiry is not None:
            self.expiry.cancel()
        if self.joined:
            self.leave()

    async def authenticate(self) -> tuple[Actor, tokens.Claims] | None:
        """Whose socket it is; None where a protocol takes anybody. `Unauthorized` closes it."""
        return await gateway.read(tokens.authenticate, raw_token(self.scope))

    # A protocol's own

    def join(self, known: tuple[Actor, tokens.Claims] | None) -> None:
        """The socket is among those who hear."""
        raise NotImplementedError

    def leave(self) -> None:
        """The socket is gone. May come twice."""
        raise NotImplementedError

    def dismiss(self) -> None:
        """The token is no longer good."""
        raise NotImplementedError

    def deafen(self) -> None:
        """Nothing that the client sends counts any more."""
        raise NotImplementedError

    def tell(self, text: str) -> None:
        """Sends a frame, behind what is already on its way."""
        raise NotImplementedError

    async def handle(self, text: str) -> None:
        """Does what a frame asks for, or raises the ApiError that answers it."""
        raise NotImplementedError

    def error_frame(self, error: errors.ApiError) -> str:
        raise NotImplementedError


class LiveConsumer(SocketConsumer):
    """A socket at /ws."""

    subprotocol = SUBPROTOCOL

    def join(self, known: tuple[Actor, tokens.Claims] | None) -> None:
        if known is None:
            raise errors.Unauthorized
        self.socket = Socket(*known, self.outlet)
        live.hub.add(self.socket)

    def leave(self) -> None:
        live.hub.remove(self.socket)

    def dismiss(self) -> None:
        live.dismiss(self.socket)

    def deafen(self) -> None:
        self.socket.closing = True

    def tell(self, text: str) -> None:
        live.hub.tell(self.socket, text)

    async def handle(self, text: str) -> None:
        await events.receive(live, self.socket, text)

    def error_frame(self, error: errors.ApiError) -> str:
        return wire.error_frame(error.message)


def raw_token(scope: Any) -> str:
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
