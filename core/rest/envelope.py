"""The envelope: `{"success": true, "data": …}` and `{"success": false, "error": "…"}`, for every HTTP answer.

One renderer writes the envelope of successes, and one exception handler that of failures. Django's own error pages
(unknown route, bad request, crash) become envelopes too; the admin keeps its HTML pages. A dialect whose failures look
otherwise words them itself: `ApiView.worded` for its views, and `settings.FAILURES` for its paths.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.module_loading import import_string
from django.views import defaults
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from core import errors
from core.database.failures import is_unavailable
from core.refusals import tell_refusal
from core.rest.rendered import encode

logger = logging.getLogger(__name__)

#: Paths of pages for people. Errors there are pages too.
HTML_PREFIXES = ("/admin/", "/app/")


class SuccessEnvelope(serializers.Serializer[Any]):
    """A success: `data` is the view's answer."""

    success = serializers.BooleanField(default=True)
    data = serializers.JSONField()  # type: ignore[assignment]  # this field hides the property `data`

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"success": True, "data": instance}


class ErrorEnvelope(serializers.Serializer[errors.ApiError]):
    """A failure: `error` is a message from `core.errors`."""

    success = serializers.BooleanField(default=False)
    error = serializers.CharField()

    def to_representation(self, instance: errors.ApiError) -> dict[str, Any]:
        return {"success": False, "error": instance.message}


#: Made once, because they hold nothing of a request.
_success, _error = SuccessEnvelope(), ErrorEnvelope()

#: Turns an error into the answer's status and body, in the words of a dialect.
Worded = Callable[[errors.ApiError], tuple[int, Any]]


def canonical_error(error: errors.ApiError) -> tuple[int, Any]:
    """The error's status and the error envelope."""
    return error.status, _error.to_representation(error)


class EnvelopeRenderer(JSONRenderer):
    """Puts a view's answer into the success envelope. The exception handler's answers are envelopes already."""

    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        response: Response | None = (renderer_context or {}).get("response")
        if response is not None and response.status_code == 204:
            return b""  # a body would be taken for the head of the next answer
        if response is None or not response.exception:
            data = self.success(data)
        return encode(data)

    def success(self, answer: Any) -> dict[str, Any]:
        """`answer` in the success envelope."""
        return _success.to_representation(answer)


class AlwaysJson(BaseContentNegotiation):
    """Answers with JSON whatever `Accept` says, so that no client gets a 406 or an HTML page."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


_KNOWN: tuple[tuple[type[Exception], type[errors.ApiError]], ...] = (
    (Http404, errors.NotFound),
    (drf.NotFound, errors.NotFound),
    (drf.MethodNotAllowed, errors.MethodNotAllowed),
    (drf.UnsupportedMediaType, errors.UnsupportedMediaType),
    (drf.ParseError, errors.InvalidSchema),
    (drf.ValidationError, errors.InvalidSchema),
    (drf.NotAuthenticated, errors.Unauthorized),
    (drf.AuthenticationFailed, errors.Unauthorized),
    (drf.PermissionDenied, errors.Forbidden),
    (PermissionDenied, errors.Forbidden),
    (RequestDataTooBig, errors.PayloadTooLarge),
    (UnreadablePostError, errors.BadRequest),
)


def to_api_error(failure: Exception) -> errors.ApiError | None:
    """The error that the client is told for `failure`; None for a crash."""
    if isinstance(failure, errors.ApiError):
        return failure
    if is_unavailable(failure):
        return errors.DatabaseUnavailable()
    if isinstance(failure, drf.Throttled):
        return errors.TooManyRequests(getattr(failure, "wait", None) or 1.0)
    return next((error() for kind, error in _KNOWN if isinstance(failure, kind)), None)


def exception_handler(failure: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. For a crash it returns None, and Django logs the traceback."""
    error = to_api_error(failure)
    if error is None:
        return None
    if error.status == errors.DatabaseUnavailable.status:
        logger.error("%s: %s", error.message, failure)
    else:
        tell_refusal(error, account=getattr(getattr(context["request"], "_user", None), "id", None))
    status, body = context["view"].worded(error)
    return Response(body, status=status, headers=_headers(error))


def _headers(error: errors.ApiError) -> dict[str, str]:
    """What the answer to `error` says in headers, in every dialect."""
    return {"Retry-After": str(error.retry_after)} if isinstance(error, errors.TooManyRequests) else {}


def error_response(request: HttpRequest, error: errors.ApiError) -> HttpResponse:
    """The answer for `error` in the words of the path's dialect, or as a page, for code outside DRF's views."""
    pages = (page for prefix, page in settings.FAILURE_PAGES.items() if request.path.startswith(prefix))
    if (page := next(pages, None)) is not None:
        shown: HttpResponse = import_string(page)(request, error)
        return shown
    found = (worded for prefix, worded in settings.FAILURES.items() if request.path.startswith(prefix))
    worded: Worded = import_string(next(found, "core.rest.envelope.canonical_error"))
    status, body = worded(error)
    return HttpResponse(
        JSONRenderer().render(body),
        status=status,
        content_type="application/json; charset=utf-8",
        headers=_headers(error),
    )


def _has_djangos_pages(request: HttpRequest) -> bool:
    """Whether failures are Django's own pages: in the admin."""
    return request.path.startswith(HTML_PREFIXES) and not request.path.startswith(tuple(settings.FAILURE_PAGES))


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _has_djangos_pages(request):
        return defaults.bad_request(request, exception)
    return error_response(request, to_api_error(exception) or errors.BadRequest())


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _has_djangos_pages(request):
        return defaults.permission_denied(request, exception)
    return error_response(request, errors.Forbidden())


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _has_djangos_pages(request):
        return defaults.page_not_found(request, exception)
    return error_response(request, errors.NotFound())


def handler500(request: HttpRequest) -> HttpResponse:
    if _has_djangos_pages(request):
        return defaults.server_error(request)
    return error_response(request, errors.InternalError())
