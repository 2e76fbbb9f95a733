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
from accounts.admin_sessions import page_token
from accounts.selectors import user_get
from attendance.check_in_rules import code_now
from attendance.check_ins import Claim, claim_make
from core import errors
from core.refusals import tell_refusal
from core.rest.envelope import canonical_error
from core.rest.permissions import Audience
from core.times import now, to_iso
from core.words import sentence_of
from web.live_words import check_in_data, kiosk_data, projector_data
from web.statuses import ORDER
from web.views.page import Page
from web.views.sessions import SessionPage


class Token(View):
    """`POST /app/token`: a token for the page's socket, which the page keeps in memory alone.

    For who is signed in, with the page's value for CSRF: no other site can ask. `{token, expiresAt, serverTime}`. The
    token is good for ten minutes, and no longer than the sign-in.
    """

    def post(self, request: HttpRequest) -> HttpResponseBase:
        response = self._answer(request)
        add_never_cache_headers(response)
        return response

    def _answer(self, request: HttpRequest) -> JsonResponse:
        if not request.user.is_authenticated:
            status, body = canonical_error(errors.TokenMissing())
            return JsonResponse(body, status=status)
        token = page_token(request, user_get(request.user.pk))
        expires_at = datetime.fromtimestamp(tokens.read(token).expires_at, UTC)
        return JsonResponse({"token": token, "expiresAt": to_iso(expires_at), "serverTime": to_iso(now())})


class Projector(SessionPage):
    """`/app/sessions/ID/project`: the code of the check-in, to be read from far."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        try:
            code = code_now(self.session, site=request.build_absolute_uri("/"))
        except errors.CheckInClosed:
            code = None
        content = {
            "data": projector_data(self.session.id, code),
            "address": self._typed(),
            "zone": settings.TIME_ZONE,
        }
        return self.show("projector.html", content)

    def _typed(self) -> str:
        """Where a code is typed, as short as a browser takes it."""
        site = settings.PUBLIC_URL or self.request.build_absolute_uri("/")
        return site.rstrip("/").partition("://")[2] + reverse("web:check-in").rstrip("/")


class Kiosk(SessionPage):
    """`/app/sessions/ID/kiosk`: a device at the door, which gets a key for this lesson alone."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        return self.show("kiosk.html", {"data": kiosk_data(self.session.id), "zone": settings.TIME_ZONE})


class CheckIn(Page):
    """`/app/check-in/ID?code=CODE`: what a QR opens; without them a field to type the code into.

    The code becomes a claim here, before the phone has loaded anything else: it does not last long, a claim does.
    """

    audience = Audience.ANYONE
    section = "home"

    def get(self, request: HttpRequest, session_id: str = "") -> HttpResponse:
        claim, refused = self._scanned(session_id, request.GET.get("code", ""))
        data = check_in_data(
            claim=claim,
            refused=refused,
            is_signed_in=self.person is not None,
            sign_in=f"{reverse('web:sign-in')}?{urlencode({'next': reverse('web:check-in')})}",
        )
        return self.show("check_in.html", {"data": data, "statuses": ORDER, "zone": settings.TIME_ZONE})

    def _scanned(self, session_id: str, code: str) -> tuple[Claim | None, str]:
        """The claim, or else why there is none; neither if nothing was scanned."""
        if not code:
            return None, ""
        try:
            return claim_make(session_id=session_id, code=code, address=self.address), ""
        except (errors.CheckInClosed, errors.WrongCode, errors.TooManyRequests) as error:
            tell_refusal(error, account=self.person.id if self.person is not None else None)
            return None, sentence_of(error, reader=self.person)
