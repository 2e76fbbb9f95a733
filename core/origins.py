"""Which web pages may use this server: one setting, ALLOWED_ORIGINS, for every route and every socket.

`*` is a safe default, because only the admin and the pages take a cookie, and they answer no other origin. With a list,
an `Origin` passes that is listed or that is the request's own `Host`, which React Native always sends. A request
without an `Origin` passes too, because it comes from no browser.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def may_ask(origin: str, host: str) -> bool:
    """Whether a page of `origin` may use `host`. Both are the values of the request's headers, "" for no header."""
    origin, host = origin.strip().lower(), host.strip().lower()
    if not origin or "*" in settings.ALLOWED_ORIGINS or origin in settings.ALLOWED_ORIGINS:
        return True
    try:
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:
        return False


def allowed(scope: Scope) -> bool:
    """Whether the origin of an ASGI scope's request may use this server."""
    headers = dict(scope.get("headers", []))
    return may_ask(*(headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host")))


async def refuse(scope: Scope, receive: Any, send: Send) -> None:
    """Answers 403. A WebSocket is refused at its handshake."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    # The words are Engine.IO's, because its polling is the only HTTP that is refused here.
    await send({"type": "http.response.body", "body": b'{"code":4,"message":"Forbidden"}'})
