"""What stands around every request: whose pages may ask, the limit of a body, the envelope where DEBUG breaks it."""

from collections.abc import Callable
from typing import ClassVar
from urllib.parse import SplitResult

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase

from core import errors, origins
from core.envelope import HTML_PREFIXES, error_response


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
