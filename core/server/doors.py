"""Who is let in: as many WebSockets of one address as it may have and open, and as many as this process has room for.

With every descriptor taken by WebSockets, a process answers nobody: it can open neither a request's connection nor the
database's.
"""

import functools
import logging
import resource
import time
from collections.abc import Awaitable, Callable
from typing import Any

from core import errors, limits, strict_json
from core.addresses import network_of
from core.buckets import Buckets
from core.limits import Limit
from core.refusals import count_refusal

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CLOSE_TRY_AGAIN_LATER = 1013
#: Between two warnings that descriptors are short, seconds.
WARNING_INTERVAL = 60.0
_RESPONSE = "websocket.http.response"


def network_of_scope(scope: Scope) -> str:
    """The network of a scope's client."""
    return network_of((scope.get("client") or ("", 0))[0])


#: How quickly the clients of each network open sockets, whatever the protocol.
openings = Buckets(limits.OPENINGS_AT_ADDRESS)


class Door:
    """An ASGI application for WebSockets: `app`, for at most so many sockets of an address, and openings in a time."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app
        #: How many sockets there are, by network.
        self._inside: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        network, limit = network_of_scope(scope), limits.SOCKETS_AT_ADDRESS
        inside = self._inside.get(network, 0)
        if inside >= limit.number and not limit.is_lifted:
            await turn_away(limit, scope, receive, send)
            return
        if wait := openings.take(network):
            await turn_away(limits.OPENINGS_AT_ADDRESS, scope, receive, send, wait)
            return
        self._inside[network] = inside + 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside[network] -= 1
            if not self._inside[network]:
                del self._inside[network]


async def turn_away(limit: Limit, scope: Scope, receive: Receive, send: Send, wait: float = 1.0) -> None:
    """Answers 429 to a request or to a WebSocket's handshake; servers that cannot answer the latter close it."""
    count_refusal(limit.label)
    error = errors.TooManyRequests(wait)
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if _RESPONSE not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": CLOSE_TRY_AGAIN_LATER})
            return
        kind = _RESPONSE
    headers = [(b"content-type", b"application/json"), (b"retry-after", str(error.retry_after).encode())]
    await send({"type": f"{kind}.start", "status": error.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": strict_json.dumps({"success": False, "error": error.message}).encode()})


@functools.cache
def _descriptors() -> tuple[float, float]:
    """From this number on, a connection's descriptor is too high for a WebSocket, and for any connection.

    The system gives a connection the lowest number that is free, so the number says how many are taken.
    """
    if limits.RESERVED.is_lifted:
        return float("inf"), float("inf")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    reserved = min(limits.RESERVED.number, soft // 2)
    return soft - reserved, soft - reserved // 2


_warned_at = float("-inf")


def has_room(transport: Any, *, for_websocket: bool) -> bool:
    """Whether this process has enough free descriptors to keep the connection of `transport`."""
    plug = transport.get_extra_info("socket")
    if plug is None:
        return True
    most_sockets, most_connections = _descriptors()
    if plug.fileno() < (most_sockets if for_websocket else most_connections):
        return True
    count_refusal(limits.RESERVED.label)
    global _warned_at  # noqa: PLW0603
    if time.monotonic() - _warned_at >= WARNING_INTERVAL:
        _warned_at = time.monotonic()
        logger.warning("File descriptors are short, so connections are refused: see LIMIT_FILES_RESERVED.")
    return False
