"""The two routes that a load balancer asks."""

from typing import ClassVar, Literal, TypedDict

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.access import Audience
from core.database import DATABASE_ERRORS
from core.views import ApiView


def missing_migrations() -> int:
    """How many migrations the database has not had yet; one of DATABASE_ERRORS if it does not answer."""
    loader = MigrationLoader(connection)
    applied = loader.applied_migrations or {}
    return sum(node not in applied for node in loader.graph.nodes)


class Up(TypedDict):
    status: Literal["ok"]


class Ready(TypedDict):
    status: Literal["ready"]


class Healthz(ApiView):
    """`GET /healthz`: the process is up. Touches nothing else."""

    audience = Audience.ANYONE
    answers: ClassVar = {200: Up}
    needs_database = False

    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class Readyz(ApiView):
    """`GET /readyz`: the database answers and has every migration; 503 with the reason otherwise."""

    audience = Audience.ANYONE
    answers: ClassVar = {200: Ready}
    raises = (errors.NotReady,)

    def get(self, request: Request) -> Response:
        try:
            missing = missing_migrations()
        except DATABASE_ERRORS:
            raise errors.DatabaseUnavailable from None
        if missing:
            raise errors.NotReady
        return Response({"status": "ready"})
