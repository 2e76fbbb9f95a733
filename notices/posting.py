"""Posting to addresses that people have typed in, without becoming a way into the server's own network.

The name is looked up once, every address that it has is judged, and the connection goes to one that was judged.
Nothing is followed: a redirect is a failure.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

#: Seconds for each step, and for all of them.
TIMEOUT, DEADLINE = 10.0, 20.0

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BadAddress(Exception):
    """Says why nothing is posted there, in the language of who asks."""


def check_url(url: str) -> SplitResult:
    """The parts of an address that may be posted to, as far as it can be told without a look-up.

    Raises `BadAddress`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress(_("No address of a web server.")) from None
    plain = settings.WEBHOOK_PRIVATE and parts.scheme == "http"
    if parts.scheme != "https" and not plain:
        raise BadAddress(_("The address begins with https://."))
    if not host or port == 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise BadAddress(_("No address of a web server."))
    if parts.username is not None or parts.password is not None:
        raise BadAddress(_("An address with a name or a password in it is not taken."))
    with suppress(ValueError):
        _require_public(ipaddress.ip_address(host))
    return parts


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the answer. Raises `BadAddress`, and `OSError` or `http.client.HTTPException` without an answer."""
    parts = check_url(url)
    host = parts.hostname or ""
    kind = _Secure if parts.scheme == "https" else _Plain
    connection = kind(host, parts.port, timeout=TIMEOUT)
    late = threading.Timer(DEADLINE, lambda: _cut(connection))
    late.daemon = True
    late.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {"Connection": "close", **headers})
        return connection.getresponse().status
    finally:
        late.cancel()
        connection.close()


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = _connected(self.host, self.port)


class _Secure(http.client.HTTPSConnection):
    def connect(self) -> None:
        self.sock = ssl.create_default_context().wrap_socket(
            _connected(self.host, self.port), server_hostname=self.host
        )


def _connected(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, place in found:
        _require_public(ipaddress.ip_address(str(place[0]).partition("%")[0]))
    failure = OSError("the name has no address")
    for *_rest, place in found:
        try:
            return socket.create_connection((str(place[0]), port), TIMEOUT)
        except OSError as refused:
            failure = refused
    raise failure


def _cut(connection: http.client.HTTPConnection) -> None:
    """Ends an exchange that trickles on."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _require_public(address: _Address) -> None:
    if not settings.WEBHOOK_PRIVATE and not all(map(_is_public, _meant(address))):
        raise BadAddress(_("The address is in a private network."))


def _meant(address: _Address) -> list[_Address]:
    """The address, and those of the older Internet that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    found: list[_Address] = [one for one in inner if one is not None]
    return found if address.ipv4_mapped is not None else [address, *found]


def _is_public(address: _Address) -> bool:
    return address.is_global and not address.is_multicast
