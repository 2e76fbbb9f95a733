"""The Channels consumer at `/` and `/attentrack`."""

from django.conf import settings

from accounts import tokens
from accounts.tokens import Claims
from attendance.live import events
from attendance.live.consumer import SocketConsumer, raw_token
from attendance.live.process import live
from attendance.live.socket import Socket
from core import errors
from core.identity import Actor
from dialects.attentrack.messages import ANYBODY, Request, receive
from dialects.attentrack.room import error_frame, form, refusal, room


class AttenTrackConsumer(SocketConsumer):
    """An app's socket. The app needs a token; with ATTENTRACK_OPEN a good token only says who marks."""

    async def enter(self) -> Socket:
        await room.start()
        return await live.welcome(self._authenticate, outlet=self.outlet, form=form, error=refusal)

    def _authenticate(self) -> tuple[Actor, Claims | None]:
        try:
            return tokens.authenticate(raw_token(self.scope))
        except errors.Unauthorized:
            if not settings.ATTENTRACK_OPEN:
                raise
            return ANYBODY, None

    async def handle(self, text: str) -> None:
        request = Request(live, self.socket)
        await events.serve(request, receive(request, text))

    def error_frame(self, error: errors.ApiError) -> str:
        return error_frame(error)
