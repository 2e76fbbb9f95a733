"""`/api-docs`: a page on which anyone can read and try out every route of every protocol. It has no envelope."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.rest.permissions import Audience
from core.rest.views import ApiView


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document. It is made once, because the routes of a process do not change."""
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator().get_schema(request=None, public=True)
    return made


class OpenApiJson(JSONRenderer):
    """JSON without indentation. The library's own renderer indents, which makes the document four times as long."""

    media_type = "application/vnd.oai.openapi+json"
    charset = "utf-8"


class Document(ApiView):
    """`GET /api-docs/schema`: the OpenAPI document, as JSON."""

    audience = Audience.ANYONE
    schema = None
    renderer_classes = (OpenApiJson,)

    def get(self, request: Request) -> Response:
        return Response(document())


class AsyncApi(ApiView):
    """`GET /api-docs/asyncapi.yaml`: the AsyncAPI document, which describes the messages of every socket."""

    audience = Audience.ANYONE
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse((settings.BASE_DIR / "docs" / "asyncapi.yaml").read_bytes(), "application/yaml")


class SwaggerUi(ApiView, SpectacularSwaggerSplitView):
    """`GET /api-docs`: Swagger UI. The project serves its files, so the page works without the Internet.

    Its script is an answer of its own (`?script=`), because pages may bring nothing inline (`settings.SECURE_CSP`).
    """

    audience = Audience.ANYONE
    schema = None
    url_name = "api-docs-schema"
