"""Engine.IO over ASGI, guarded: its frames pass the same outlet as those of /ws, and clients' frames are checked first.

Left alone, Engine.IO waits for a slow reader while its queue grows without end, crashes at a frame that it cannot read,
and never answers a body that is too long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import engineio
from django.conf import settings

from attendance.live.frames import Frames
from attendance.live.outlet import make_outlet
from core.limits import BODIES
from core.server.bodies import ClientGone, bodies, read_body
from core.server.doors import network_of_scope, turn_away
from core.server.websocket_close import closable
from core.server.workers import this_worker
from dialects.socketio.outlet import EngineQueue, cut

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

CLOSE_NORMAL, CLOSE_PROTOCOL_ERROR, CLOSE_TOO_BIG = 1000, 1002, 1009

#: The key under which a WebSocket's scope has its outlet.
PIPE = "socketio.pipe"

#: The first characters of Engine.IO's packets.
_PACKETS = frozenset("0123456")


class EngineServer(engineio.AsyncServer):  # type: ignore[misc]
    """Engine.IO's server. Its queues count what waits, and it does not wait for a client that it disconnects."""

    def generate_id(self) -> str:
        """A new client's id. It begins with the name of the worker that has the client."""
        worker, sid = this_worker(), str(super().generate_id())
        return f"{worker.name}.{sid}" if worker is not None else sid

    def create_queue(self, *args: Any, **options: Any) -> EngineQueue:
        return EngineQueue(*args, **options)

    async def disconnect(self, sid: str | None = None) -> None:
        for socket in [self.sockets.get(sid)] if sid is not None else list(self.sockets.values()):
            if socket is not None:
                await cut(socket)


def worker_of(query: bytes) -> str | None:
    """The worker that has the client, by the query of the client's request; None if the client has no id yet."""
    name, dot, _ = sid_of(query).partition(".")
    return name if dot else None


def sid_of(query: bytes) -> str:
    """The id of the client whose request has this query; "" for a client without one."""
    return parse_qs(query.decode("latin-1")).get("sid", [""])[0]


async def serve_polling(engine: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves one HTTP request. A body over the limit is answered 413; the client connects again after that."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if length.isdigit() and int(length) > settings.MAX_MESSAGE_SIZE:
        await _answer_too_large(send)
        return
    with bodies.place(network_of_scope(scope)) as place:
        try:
            body = await read_body(receive, place, limit=settings.MAX_MESSAGE_SIZE)
        except ClientGone:
            return
        if body.is_refused:
            await turn_away(BODIES, scope, receive, send)
        elif body.length > settings.MAX_MESSAGE_SIZE:
            await _answer_too_large(send)
        else:
            whole = {"type": "http.request", "body": body.content, "more_body": False}
            place.clear()  # the client's packets are handled now, and a poll that waits has no body
            await engine.handle_request(scope, _with(whole, receive), send)


async def _answer_too_large(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"Payload too large"})


def _with(first: dict[str, Any], receive: Receive) -> Receive:
    """`receive`, after the message `first`."""
    waiting = [first]

    async def next_message() -> dict[str, Any]:
        return waiting.pop() if waiting else await receive()

    return next_message


async def serve_websocket(engine: Any, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves one WebSocket, from its handshake to its end."""
    task = asyncio.current_task()
    abandoned = False

    def abandon() -> None:
        nonlocal abandoned
        abandoned = True
        if task is not None:
            task.cancel()

    receive, send = closable(scope, receive, send)
    outlet = make_outlet(scope, send, abandon)
    accepted = False
    scope[PIPE] = outlet  # for a client that connects by WebSocket
    upgraded = engine.sockets.get(sid_of(scope.get("query_string", b"")))

    async def send_through(message: dict[str, Any]) -> None:
        nonlocal accepted
        match message["type"]:
            case "websocket.send":
                outlet.send(Frames([message["text"]]))
            case "websocket.close" if accepted:
                outlet.close(CLOSE_NORMAL)
            case kind:
                await send(message)
                if kind == "websocket.accept":
                    accepted = True
                    outlet.open()
                    if upgraded is not None:  # for a client that connected by polling
                        upgraded.queue.pipe = outlet

    async def receive_checked() -> dict[str, Any]:
        message = await receive()
        if message["type"] == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            if len((text or "").encode()) + len(data or b"") > settings.MAX_MESSAGE_SIZE:
                return _end(CLOSE_TOO_BIG)
            if text is not None and text[:1] not in _PACKETS:
                return _end(CLOSE_PROTOCOL_ERROR)
        return message

    def _end(code: int) -> dict[str, Any]:
        outlet.close(code)
        return {"type": "websocket.disconnect", "code": code}

    try:
        await engine.handle_request(scope, receive_checked, send_through)
    except asyncio.CancelledError:
        if not abandoned:
            raise
    finally:
        if accepted:
            outlet.close(CLOSE_NORMAL)
            await outlet.finish()
        outlet.stop()
