"""What live pages ask of the server besides the socket: a short token."""

from datetime import UTC, datetime

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers
from django.views import View

from accounts import tokens
from accounts.selectors import user_get
from core import errors
from core.rest.envelope import canonical_error
from core.times import now, to_iso

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
