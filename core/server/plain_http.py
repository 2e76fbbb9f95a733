"""What a server that speaks HTTPS answers to whoever comes to its port by plain HTTP: a page that leads to HTTPS.

Browsers open an address in this way that somebody types without `https://`. TLS would close the connection without a
word.
"""

import re
import ssl
from collections.abc import Callable
from typing import Any

import uvicorn
from django.conf import settings
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _

from core.lan import trust_url
from core.languages import language_of_headers

#: A head (request line and headers) is looked at so far, bytes.
MAX_HEAD = 8 * 1024
#: Who sends more than this is cut off, bytes.
MAX_REQUEST = 64 * 1024

_METHOD = re.compile(rb"[A-Z]")
_HEAD = re.compile(rb"([A-Z]+) (/[!-~]*) HTTP/1\.[01]\r?\n")
_LANGUAGES = re.compile(rb"^accept-language:(.{0,500}?)\r?$", re.IGNORECASE | re.MULTILINE)


def context(config: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> "Context":
    """For uvicorn's `ssl_context_factory` option."""
    made = Context(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(str(config.ssl_certfile))
    made.sslobject_class = Handshake
    return made


class Handshake(ssl.SSLObject):
    """One connection's TLS. Where the client begins with an HTTP request instead, the handshake answers that.

    It then waits for the client to close the connection, as for the next bytes of a handshake: for as long and no
    longer. If it closed the connection itself, what the client still sends could take the answer from it.
    """

    _incoming: ssl.MemoryBIO
    _outgoing: ssl.MemoryBIO
    #: The head of the plain request, until it is answered; None while it is not known whether this is TLS.
    _plain: bytes | None = None
    #: Bytes that came by plain HTTP.
    _received = 0
    _is_tls = False
    _is_answered = False

    def watch(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        """Sets what the client sends and is sent. Call this before the handshake."""
        self._incoming, self._outgoing = incoming, outgoing

    def do_handshake(self) -> None:
        if not self._is_tls and self._is_plain():
            self._read()
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "The client speaks plain HTTP.")
        super().do_handshake()

    def _is_plain(self) -> bool:
        """Whether the client speaks plain HTTP. What it has sent is read if so, and stays if not."""
        if self._plain is not None:
            return True
        begun = self._incoming.read()
        if _METHOD.match(begun):
            self._incoming.write(begun)
            self._plain = b""
            return True
        self._is_tls = bool(begun)
        self._incoming.write(begun)
        return False

    def _read(self) -> None:
        """Answers once the head is there; reads on, and forgets, so that the client comes to read the answer."""
        more = self._incoming.read()
        self._received += len(more)
        if self._received > MAX_REQUEST:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, "The client sends too much plain HTTP.")
        if self._is_answered:
            return
        self._plain = ((self._plain or b"") + more)[:MAX_HEAD]
        if len(self._plain) == MAX_HEAD or re.search(rb"\n\r?\n", self._plain):
            self._outgoing.write(answer(self._plain))
            self._plain, self._is_answered = b"", True


class Context(ssl.SSLContext):
    """A server's TLS, each of whose connections is a `Handshake`."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **options: Any) -> Any:
        made: Any = super().wrap_bio(incoming, outgoing, *args, **options)
        made.watch(incoming, outgoing)
        return made


def answer(request: bytes) -> bytes:
    """The answer to a request, which may have lost its end: a page in the reader's language."""
    head = _HEAD.match(request)
    method, path = head.groups() if head is not None else (b"", b"/")
    asked = _LANGUAGES.search(request)
    language = language_of_headers({b"accept-language": asked[1].strip() if asked is not None else b""})
    with translation.override(language):
        page = _page(path.decode(), language).encode()
    lines = [
        b"HTTP/1.1 400 Bad Request",
        b"content-type: text/html; charset=utf-8",
        b"content-length: %d" % len(page),
        b"cache-control: no-store",
        b"content-security-policy: default-src 'none'",
        b"connection: close",
    ]
    return b"\r\n".join([*lines, b"", b"" if method == b"HEAD" else page])


def _page(path: str, language: str) -> str:
    return format_html(
        '<!doctype html>\n<html lang="{language}" dir="{direction}">\n<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>{title}</title>\n'
        '<main><h1>{title}</h1>\n<p>{instead} <a href="{url}"><bdi>{server}</bdi></a></p>\n'
        '<p>{untrusted} <a href="{trust}"><bdi>{trust}</bdi></a></p></main>\n</html>\n',
        language=language,
        direction="rtl" if translation.get_language_bidi() else "ltr",
        title=_("This address speaks HTTPS"),
        instead=_("Open this one instead:"),
        server=settings.PUBLIC_URL,
        url=f"{settings.PUBLIC_URL}{path}",
        untrusted=_("If the browser warns you there, this device does not trust the server yet. See first:"),
        trust=f"{trust_url()}/",
    )
