"""Refuses bodies over the limit before anybody reads them."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from core import errors
from core.envelope import error_response


class BodyLimit:
    """413 for a body longer than `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes, declared or counted by the bridge."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return error_response(errors.BadRequest())
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return error_response(errors.PayloadTooLarge())
        return self.get_response(request)
