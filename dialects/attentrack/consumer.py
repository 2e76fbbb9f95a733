"""The Channels consumer at `/` and `/attentrack`."""

from django.conf import settings

from accounts import tokens
from attendance.live import events
from attendance.live.consumer import SocketConsumer, raw_token
from attendance.live.process import live
from core import errors
from dialects.attentrack import messages
from dialects.attentrack.room import Client, error_frame, room


class AttenTrackConsumer(SocketConsumer):
    """An app's socket. It needs a token; with ATTENTRACK_OPEN one that is good says who is there, and no more."""

    client: Client

    async def enter(self) -> None:
        await room.start()
        self.client = Client(self.outlet)
        try:
            # In the hub too, which has nothing to tell it, so that it goes when its token is no longer good.
            self.client.socket = await live.welcome(
                lambda: tokens.authenticate(raw_token(self.scope)),
                outlet=self.outlet,
                form=None,
                error=lambda message: error_frame(errors.SocketUnauthorized()),
            )
        except errors.Unauthorized:
            if not settings.ATTENTRACK_OPEN:
                raise
        room.add(self.client)

    def leave(self) -> None:
        room.remove(self.client)
        if self.client.socket is not None:
            live.leave(self.client.socket)

    def deafen(self) -> None:
        self.client.deaf = True

    async def handle(self, text: str) -> None:
        await events.serve(self.client, messages.receive(self.client, text))

    def error_frame(self, error: errors.ApiError) -> str:
        return error_frame(error)
