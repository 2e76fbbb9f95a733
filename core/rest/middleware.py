"""What stands around every request: whose pages may ask, the limit of a body, the envelope where DEBUG breaks it."""

from collections.abc import Callable
from typing import ClassVar
from urllib.parse import SplitResult

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware

from core import errors, origins
from core.rest.envelope import HTML_PREFIXES, error_response


class Origins(CorsMiddleware):
    """403 for pages that `core.origins` refuses, CORS headers for the others. The admin answers its own pages only.

    A preflight is answered by the route, in its own form, and gets its headers here: the library's own answer has
    no body, and would say yes for routes that there are none.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(HTML_PREFIXES):
            return self.get_response(request)  # type: ignore[return-value]  # never async: Django is served as WSGI
        if not origins.may_ask(request.headers.get("Origin", ""), request.headers.get("Host", "")):
            return error_response(request, errors.Forbidden())
        return self.add_response_headers(request, self.get_response(request))  # type: ignore[arg-type]

    def origin_found_in_white_lists(self, origin: str, url: SplitResult) -> bool:
        """Whoever is refused does not come this far."""
        return True


class EnvelopeInDebug:
    """With DEBUG on, Django answers unknown routes and crashes with pages of its own; clients still get the envelope.

    The log has the traceback either way.
    """

    answers: ClassVar = {error.status: error for error in (errors.BadRequest, errors.Forbidden, errors.NotFound)}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or request.path.startswith(HTML_PREFIXES):
            return response
        if response.get("Content-Type", "").startswith("application/json"):
            return response
        return error_response(request, self.answers.get(response.status_code, errors.InternalError)())


class _ForPages:
    """Mixin: a middleware that the pages for people need. No route of a protocol does, where it would cost time."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(HTML_PREFIXES):
            return super().__call__(request)  # type: ignore[misc,no-any-return]
        return self.get_response(request)  # type: ignore[attr-defined,no-any-return]


class PageSessions(_ForPages, SessionMiddleware):
    """Sessions, of pages."""


class PageCsrf(_ForPages, CsrfViewMiddleware):
    """Protection of pages' forms. Routes have no cookie that another site could abuse."""


class PageUsers(_ForPages, AuthenticationMiddleware):
    """Who is signed in on a page."""


class PageMessages(_ForPages, MessageMiddleware):
    """What a page says after the last one's form."""


class BodyLimit:
    """413 for a body longer than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes, declared or counted by the bridge."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return error_response(request, errors.BadRequest())
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_response(request, errors.PayloadTooLarge())
        return self.get_response(request)
