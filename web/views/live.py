"""Live pages: the projector, the device at the door, the phone; and the short token that they all ask for."""

from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import urlencode
from django.views import View

from accounts import tokens
from accounts.selectors import user_get
from core import errors
from core.rest.envelope import canonical_error
from core.rest.permissions import Audience
from core.times import now, to_iso
from web.live_words import check_in_data, kiosk_data, projector_data
from web.statuses import ORDER
from web.views.page import Page
from web.views.sessions import SessionPage

#: A page's token is good for so long, seconds; the page asks for another before it ends.
TOKEN_LIFETIME = 10 * 60


class Token(View):
    """`POST /app/token`: a token for the page's socket, which the page keeps in memory alone.

    For who is signed in, with the page's value for CSRF: no other site can ask. `{token, expiresAt, serverTime}`.
    """

    def post(self, request: HttpRequest) -> HttpResponseBase:
        response = self._answer(request)
        add_never_cache_headers(response)
        return response

    def _answer(self, request: HttpRequest) -> JsonResponse:
        if not request.user.is_authenticated:
            status, body = canonical_error(errors.TokenMissing())
            return JsonResponse(body, status=status)
        token = tokens.issue(user_get(request.user.pk), lifetime=TOKEN_LIFETIME)
        expires_at = datetime.fromtimestamp(tokens.read(token).expires_at, UTC)
        return JsonResponse({"token": token, "expiresAt": to_iso(expires_at), "serverTime": to_iso(now())})


class Projector(SessionPage):
    """`/app/sessions/ID/project`: the code of the check-in, to be read from far."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        return self.show("projector.html", {"data": projector_data(self.session.id), "zone": settings.TIME_ZONE})


class Kiosk(SessionPage):
    """`/app/sessions/ID/kiosk`: a device at the door, which gets a key for this lesson alone."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        return self.show("kiosk.html", {"data": kiosk_data(self.session.id), "zone": settings.TIME_ZONE})


class CheckIn(Page):
    """`/app/check-in/ID?code=CODE`: what a QR opens; without them a field to type the code into."""

    audience = Audience.ANYONE
    section = "home"

    def get(self, request: HttpRequest, session_id: str = "") -> HttpResponse:
        data = check_in_data(
            session=session_id,
            code=request.GET.get("code", ""),
            is_signed_in=self.person is not None,
            sign_in=f"{reverse('web:sign-in')}?{urlencode({'next': reverse('web:check-in')})}",
        )
        return self.show("check_in.html", {"data": data, "statuses": ORDER, "zone": settings.TIME_ZONE})
