"""The Channels consumer at `/` and `/attentrack`."""

from django.conf import settings

from accounts.tokens import Claims
from attendance.live.consumer import SocketConsumer
from core import errors
from core.identity import Actor
from dialects.attentrack import messages
from dialects.attentrack.room import Client, error_frame, room


class AttenTrackConsumer(SocketConsumer):
    """An app's socket. It needs a token; with ATTENTRACK_OPEN one that is good says who is there, and no more."""

    async def authenticate(self) -> tuple[Actor, Claims] | None:
        await room.start()
        try:
            return await super().authenticate()
        except errors.Unauthorized:
            if settings.ATTENTRACK_OPEN:
                return None
            raise

    def join(self, known: tuple[Actor, Claims] | None) -> None:
        actor, claims = known or (None, None)
        self.client = Client(actor, claims, self.outlet)
        room.add(self.client)

    def leave(self) -> None:
        room.remove(self.client)

    def dismiss(self) -> None:
        room.dismiss(self.client)

    def deafen(self) -> None:
        self.client.closing = True

    def tell(self, text: str) -> None:
        self.outlet.send([text])

    async def handle(self, text: str) -> None:
        await messages.receive(self.client, text)

    def error_frame(self, error: errors.ApiError) -> str:
        return error_frame(error)
