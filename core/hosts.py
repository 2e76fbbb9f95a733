"""Which host names requests may ask for: one setting, ALLOWED_HOSTS, for every route and every socket."""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from core.addresses import is_loopback

#: A load balancer or Prometheus asks here, often by an address.
ANY_HOST_PATHS = tuple(f"/{name}{slash}" for name in ("healthz", "readyz", "metrics") for slash in ("", "/"))

#: Nobody has these addresses (RFC 5737, RFC 3849). To ask for the way there sends nothing.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


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
    own, network = _reached(host)
    named = [*[name for name in own if is_allowed(name)][:1], *filter(is_allowed, network)]
    if named:
        return [url_of(name, port) for name in named]
    if settings.PUBLIC_URL:
        return [settings.PUBLIC_URL]
    if is_loopback(host):
        return [f"{_scheme()}://{name.removeprefix('.')}" for name in settings.ALLOWED_HOSTS]
    return [url_of(name.removeprefix("."), port) for name in settings.ALLOWED_HOSTS]


def public_address(host: str, port: int) -> str:
    """By which address others than this machine reach a server that listens on `host`; "" where none is known."""
    if settings.PUBLIC_URL or is_loopback(host):
        return str(settings.PUBLIC_URL)
    urls = addresses_to_open(host, port)
    return next((url for url in urls if not is_loopback(urlsplit(url).hostname or "")), "")


def own_address(host: str, port: int) -> str:
    """By which address this machine itself reaches a server that listens on `host`: one that is let in, if one is."""
    own, _ = _reached(host)
    return url_of(next(filter(is_allowed, own), own[0]), port)


def is_everywhere(host: str) -> bool:
    """Whether a server that listens on `host` listens on every address of this machine, if of IPv4 alone."""
    return host in ("0.0.0.0", "::")  # noqa: S104  compared, not bound


def is_allowed(name: str) -> bool:
    """Whether requests may ask for this host name or address."""
    bare = f"[{name}]" if ":" in name else name
    return "*" in settings.ALLOWED_HOSTS or validate_host(bare, settings.ALLOWED_HOSTS)


def url_of(name: str, port: int, scheme: str = "") -> str:
    """This server's address by a host name or address, without a slash at the end; by its own scheme as it comes."""
    scheme = scheme or _scheme()
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


def _scheme() -> str:
    return "https" if settings.LAN else "http"


def _reached(host: str) -> tuple[list[str], list[str]]:
    """By which names this machine itself reaches the server, and by which the network does besides."""
    if not is_everywhere(host):
        return [host, *(["localhost"] if is_loopback(host) else [])], []
    network = network_address()
    is_reached = network is not None and (host == "::" or ":" not in network)
    return ["localhost", "127.0.0.1"], [str(network)] if is_reached else []


def network_addresses() -> list[str]:
    """All addresses by which the network may know this machine, the one that it uses first."""
    try:
        named = [str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)]
    except OSError:
        named = []
    used = [found for found in map(_used, _ELSEWHERE) if found is not None]
    known = [ipaddress.ip_address(each) for each in used + named if "%" not in each]
    return list(dict.fromkeys(str(each) for each in known if not (each.is_loopback or each.is_link_local)))


def network_address() -> str | None:
    """The address by which the network knows this machine, of IPv4 if there is one; None where there is no network."""
    return next((found for found in map(_used, _ELSEWHERE) if found is not None), None)


def _used(family: socket.AddressFamily) -> str | None:
    """The address that this machine has for others, of IPv4 or IPv6."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((_ELSEWHERE[family], 9))
            found = str(asking.getsockname()[0])
    except OSError:
        return None
    address = ipaddress.ip_address(found.partition("%")[0])
    return None if address.is_loopback or address.is_link_local else found
