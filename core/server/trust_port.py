"""The port that speaks plain HTTP beside a server that speaks HTTPS: devices come to trust the server there."""

from collections.abc import Awaitable, Callable
from typing import Any

from django.conf import settings

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: The page that says how, and the certificate.
PAGE = "/app/trust"
#: What the page needs.
_FILES = "/app/files/"
#: A redirect that nobody keeps, for the same method.
_ELSEWHERE = 307
_NOT_HERE = b"This port has nothing but the certificate to trust. Everything else is at the server's HTTPS address.\n"


class TrustPort:
    """An ASGI application: `app`, where on settings.TRUST_PORT there are PAGE and what is below it alone.

    Whoever opens another page there is led to HTTPS. Anything that is sent there is refused: others may have read it on
    its way, and a client that was led on silently would send it so again.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if not _is_there(scope) or (scope["type"] == "http" and _is_open(scope["path"])):
            return self._app(scope, receive, send)  # no coroutine of its own, which a socket would keep
        return _lead_on(scope, receive, send)


def _is_there(scope: Scope) -> bool:
    """Whether the client came to the port for trust."""
    if not settings.LAN or scope["type"] == "lifespan":
        return False
    return bool((scope.get("server") or ("", 0))[1] == settings.TRUST_PORT)


def _is_open(path: str) -> bool:
    return path == PAGE or path.startswith((f"{PAGE}/", _FILES))


def _goal(scope: Scope) -> bytes:
    if scope["path"] == "/":
        return PAGE.encode()
    query = scope.get("query_string", b"")
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return settings.PUBLIC_URL.encode() + path + (b"?" + query if query else b"")


async def _lead_on(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    elif scope["method"] in ("GET", "HEAD"):
        await _answer(send, _ELSEWHERE, b"", (b"location", _goal(scope)))
    else:
        await _answer(send, 403, _NOT_HERE, (b"content-type", b"text/plain"))


async def _answer(send: Send, status: int, body: bytes, header: tuple[bytes, bytes]) -> None:
    headers = [header, (b"cache-control", b"no-store"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
