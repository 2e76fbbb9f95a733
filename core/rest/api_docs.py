"""`/api-docs`: every route of every protocol, to read and to try out. Open to anyone, and outside the envelope."""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.rest.permissions import Audience
from core.rest.views import ApiView


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document, made once: the routes of a process do not change."""
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator().get_schema(request=None, public=True)
    return made


class OpenApiJson(JSONRenderer):
    """JSON without the indentation of the library's own, which is three quarters of the document."""

    media_type = "application/vnd.oai.openapi+json"
    charset = "utf-8"


class Document(ApiView):
    """`GET /api-docs/schema`: the OpenAPI document, as JSON."""

    audience = Audience.ANYONE
    schema = None
    renderer_classes = (OpenApiJson,)

    def get(self, request: Request) -> Response:
        return Response(document())


class SwaggerUi(ApiView, SpectacularSwaggerView):
    """`GET /api-docs`: Swagger UI; its files are served by the project, so it works without the Internet."""

    audience = Audience.ANYONE
    schema = None
    url_name = "api-docs-schema"
