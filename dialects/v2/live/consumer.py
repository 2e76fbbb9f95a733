"""The Channels consumer at `/ws/v2`."""

from functools import partial

from django.conf import settings

from accounts import tokens
from accounts.devices import device_of_headers
from attendance.live.consumer import SocketConsumer, raw_token
from attendance.live.process import live
from attendance.live.socket import Socket
from core import errors
from core.languages import language_of_headers
from core.times import now, to_iso
from dialects.v2.live import events, frames
from dialects.v2.live.events import Client
from dialects.v2.live.room import room

SUBPROTOCOL = "attendance.v2"


def _dismissed(language: str, message: str) -> str:
    """How a socket is told that its token is no longer good."""
    return frames.error_frame(errors.SocketUnauthorized(), language, None)


class V2Consumer(SocketConsumer):
    """A client's socket. It hears no session until it follows one."""

    subprotocol = SUBPROTOCOL
    #: Of what the client is told of errors.
    language: str
    client: Client

    async def enter(self) -> Socket:
        headers = dict(self.scope.get("headers", ()))
        self.language = language_of_headers(headers)
        socket = await live.welcome(
            lambda: tokens.authenticate(raw_token(self.scope, SUBPROTOCOL)),
            outlet=self.outlet,
            form=None,
            error=partial(_dismissed, self.language),
        )
        claims = socket.claims
        device = device_of_headers(headers) or f"token:{claims.token_id if claims else ''}"
        self.client = Client(device, (self.scope.get("client") or [None])[0], self.language)
        room.enter(socket)
        hello = {"serverTime": to_iso(now()), "user": frames.person(socket.actor), "version": settings.VERSION}
        live.hub.tell(socket, frames.frame("HELLO", hello))
        return socket

    async def handle(self, text: str) -> None:
        await events.receive(live, self.socket, self.client, text)

    def error_frame(self, error: errors.ApiError) -> str:
        return frames.error_frame(error, self.language, None)

    def _left(self) -> None:
        super()._left()
        if self.entered:
            room.leave(self.socket)
