"""Every HTTP route. Errors outside the views go through the envelope's handlers as well."""

from django.contrib import admin
from django.urls import include, path

from core.rest.api_docs import AsyncApi, Document, SwaggerUi
from core.rest.health import Healthz, Readyz
from core.rest.metrics import Metrics
from core.rest.routes import route

admin.autodiscover()  # see attendance_project.apps

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("classes.urls")),
    path("", include("attendance.urls")),
    path("api/v1/", include("dialects.v1.urls")),
    path("api/v2/", include("dialects.v2.urls")),
    path("", include("dialects.attentrack.urls")),
    route("healthz", Healthz, "healthz"),
    route("readyz", Readyz, "readyz"),
    route("metrics", Metrics, "metrics"),
    route("api-docs", SwaggerUi, "api-docs"),
    route("api-docs/schema", Document, "api-docs-schema"),
    route("api-docs/asyncapi.yaml", AsyncApi, "api-docs-asyncapi"),
    path("admin/", admin.site.urls),
    path("app/", include("web.urls")),
]

handler400 = "core.rest.envelope.handler400"
handler403 = "core.rest.envelope.handler403"
handler404 = "core.rest.envelope.handler404"
handler500 = "core.rest.envelope.handler500"
