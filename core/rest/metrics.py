"""`/metrics`: what Prometheus asks for, from the addresses of METRICS alone. To all others there is no such route."""

import ipaddress

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from core import errors, metrics
from core.rest.permissions import Audience
from core.rest.views import ApiView


class Metrics(ApiView):
    """`GET /metrics`: the metrics of all workers, in Prometheus' text format."""

    audience = Audience.ANYONE
    schema = None
    needs_database = False

    def get(self, request: Request) -> HttpResponse:
        if not may_ask(self.address):
            raise errors.NotFound
        text, content_type = metrics.exposition()
        return HttpResponse(text, content_type=content_type, headers={"Cache-Control": "no-store"})


def may_ask(address: str | None) -> bool:
    """Whether METRICS has the client's address."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in settings.METRICS)
