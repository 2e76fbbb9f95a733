"""Which host names requests may ask for: one setting, ALLOWED_HOSTS, for every route and every socket."""

import ipaddress
import socket
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from core.addresses import is_loopback

#: A load balancer or Prometheus asks here, often by an address.
ANY_HOST_PATHS = tuple(f"/{name}{slash}" for name in ("healthz", "readyz", "metrics") for slash in ("", "/"))

#: Nobody has this address (RFC 5737). To ask for the way there sends nothing.
_ELSEWHERE = "192.0.2.1"


def allowed(scope: dict[str, Any]) -> bool:
    """Whether the `Host` of an ASGI scope's request is one of ALLOWED_HOSTS. Routes ask Django, which asks the same."""
    if "*" in settings.ALLOWED_HOSTS:
        return True
    host = dict(scope.get("headers", [])).get(b"host", b"").decode("latin-1")
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def addresses_to_open(host: str, port: int) -> list[str]:
    """The addresses, without a slash at the end, by which a server that listens on `host` lets people in.

    This machine's own comes first, then the network's where the server listens there. Where ALLOWED_HOSTS has neither,
    these are the names that it has: a proxy in front answers for them, or they are names of this machine.
    """
    own, network = _reached(host, port)
    named = [*[url for url in own if _is_allowed(url)][:1], *filter(_is_allowed, network)]
    if named:
        return named
    if settings.PUBLIC_URL:
        return [settings.PUBLIC_URL]
    suffix = "" if is_loopback(host) else f":{port}"
    return [f"http://{name.removeprefix('.')}{suffix}" for name in settings.ALLOWED_HOSTS]


def own_address(host: str, port: int) -> str:
    """By which address this machine itself reaches a server that listens on `host`: one that is let in, if one is."""
    own, _ = _reached(host, port)
    return next(filter(_is_allowed, own), own[0])


def _reached(host: str, port: int) -> tuple[list[str], list[str]]:
    """By which addresses this machine itself reaches the server, and by which the network does besides."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104  compared, not bound
        return [_url(host, port), *([_url("localhost", port)] if is_loopback(host) else [])], []
    network = network_address()
    own = [_url("localhost", port), _url("127.0.0.1", port)]
    return own, [] if network is None else [_url(network, port)]


def _is_allowed(url: str) -> bool:
    domain, _ = split_domain_port(url.removeprefix("http://"))
    return "*" in settings.ALLOWED_HOSTS or validate_host(domain, settings.ALLOWED_HOSTS)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def network_address() -> str | None:
    """The address by which the network knows this machine; None where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((_ELSEWHERE, 9))
        except OSError:
            return None
        found = str(asking.getsockname()[0])
    return None if ipaddress.ip_address(found).is_loopback else found
