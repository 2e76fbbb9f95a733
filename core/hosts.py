"""Which host names requests may ask for: one setting, ALLOWED_HOSTS, for every route and every socket."""

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

#: A load balancer or Prometheus asks here, often by an address.
ANY_HOST_PATHS = tuple(f"/{name}{slash}" for name in ("healthz", "readyz", "metrics") for slash in ("", "/"))


def allowed(scope: dict[str, Any]) -> bool:
    """Whether the `Host` of an ASGI scope's request is one of ALLOWED_HOSTS. Routes ask Django, which asks the same."""
    if "*" in settings.ALLOWED_HOSTS:
        return True
    host = dict(scope.get("headers", [])).get(b"host", b"").decode("latin-1")
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
