"""The two routes that a load balancer asks: is the process up, and can it serve?"""

from typing import ClassVar, Literal, TypedDict

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.database.failures import DATABASE_ERRORS
from core.database.missing_migrations import missing_migrations
from core.database.writable import check_writable
from core.rest.permissions import Audience
from core.rest.views import ApiView


class Up(TypedDict):
    status: Literal["ok"]
    version: str


class Ready(TypedDict):
    status: Literal["ready"]


class Healthz(ApiView):
    """`GET /healthz`: the process is up, and which version it is. Needs no database."""

    audience = Audience.ANYONE
    answers: ClassVar = {200: Up}
    needs_database = False

    def get(self, request: Request) -> Response:
        return Response({"status": "ok", "version": settings.VERSION})


class Readyz(ApiView):
    """`GET /readyz`: 200 if the database answers, has every migration and can be written.

    Otherwise 503 with the reason, whose code is in the header `X-Not-Ready` too.
    """

    audience = Audience.ANYONE
    answers: ClassVar = {200: Ready}
    raises = (errors.NotReady, errors.DatabaseNotWritable)

    def get(self, request: Request) -> Response:
        try:
            missing = missing_migrations()
        except DATABASE_ERRORS:
            raise errors.DatabaseUnavailable from None
        if missing:
            raise errors.NotReady
        try:
            check_writable()
        except DATABASE_ERRORS as failure:
            raise errors.DatabaseNotWritable from failure
        return Response({"status": "ready"})

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, errors.ApiError):
            response["X-Not-Ready"] = exc.code
        return response
