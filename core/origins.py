"""Which web pages may talk to this server: one setting, ALLOWED_ORIGINS, for every route and every socket.

Only the admin, which is apart, is ever authenticated by a cookie, so `*` is a safe default. With a list, an `Origin`
that is absent (no browser), listed, or of the request's own `Host` passes; React Native always sends that last one.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def may_ask(origin: str, host: str) -> bool:
    """Whether a page of `origin` may ask `host`, both as the headers of the request have them."""
    origin, host = origin.strip().lower(), host.strip().lower()
    if not origin or "*" in settings.ALLOWED_ORIGINS or origin in settings.ALLOWED_ORIGINS:
        return True
    try:
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:
        return False


def allowed(scope: Scope) -> bool:
    """Whether the page that an ASGI scope's request comes from may be answered."""
    headers = dict(scope.get("headers", []))
    return may_ask(*(headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host")))


async def refuse(scope: Scope, receive: Any, send: Send) -> None:
    """403, for a WebSocket at its handshake."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    # In the words of Engine.IO, whose polling is the only HTTP that comes here.
    await send({"type": "http.response.body", "body": b'{"code":4,"message":"Forbidden"}'})
