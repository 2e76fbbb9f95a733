"""What stands around every request: the limit of a body, and the envelope where DEBUG would break it."""

from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase

from core import errors
from core.envelope import HTML_PREFIXES, error_response


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
