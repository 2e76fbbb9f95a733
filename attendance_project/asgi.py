"""The ASGI application: HTTP through Django's WSGI handler, /ws through Channels, Socket.IO, one live server for all.

Any ASGI server serves it: `manage.py serve`, `manage.py runserver`, `daphne attendance_project.asgi:application`.
"""

import asyncio
import atexit
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")

from attendance_project.wsgi import application as wsgi  # isort: skip  this import sets Django up, so it comes first

from django.conf import settings
from django.urls import re_path
from django.utils.module_loading import import_string

from attendance.live.consumer import LiveConsumer
from attendance.live.process import live
from attendance.live.refusals import socket_refused
from audit.middleware import note
from audit.trail import trail
from core import asking, hosts, origins
from core.rest.quick import Quick
from core.rest.routes import is_heavy, is_slow
from core.rest.turns import turn_of, turn_of_credential
from core.server import handover
from core.server.doors import Door
from core.server.trust_port import TrustPort
from core.server.wsgi_bridge import WsgiBridge
from dialects.socketio.server import SocketIo
from dialects.socketio.transport import worker_of
from notices.loop import loop

Application = Callable[[Any, Any, Any], Awaitable[None]]

_body_limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
_make = partial(WsgiBridge, wsgi, body_limit=_body_limit)
quick = Quick(wsgi, note)
_bridge = _make(threads=settings.HTTP_THREADS, turn_of=turn_of_credential, quick=quick)
_heavy_bridge = _make(threads=settings.HEAVY_HTTP_THREADS, turn_of=turn_of_credential, name="http-heavy")
_slow_bridge = _make(threads=settings.SLOW_HTTP_THREADS, turn_of=turn_of, name="http-slow")
is_heavy("/")  # loads every route before the server is ready, so that nobody's first request waits for that
_background: set[asyncio.Task[None]] = set()
_socketio = SocketIo(import_string(path)() for path in settings.SOCKETIO_DIALECTS)
_SOCKETIO_PATHS = ("/socket.io", "/socket.io/")
for _path in _SOCKETIO_PATHS:
    handover.route(_path, worker_of)


async def http(scope: Any, receive: Any, send: Any) -> None:
    bridge = _bridge
    if is_heavy(scope["path"]):
        bridge = _heavy_bridge
    elif is_slow(scope["method"], scope["path"]):
        bridge = _slow_bridge
    await bridge(scope, receive, send)


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """Answers 403 to the handshake of a WebSocket on an unknown path."""
    await receive()
    await send({"type": "websocket.close"})


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await live.start()
            trail.start()
            loop.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await live.stop()
            # `serve` has written the audit log before. Other servers say no sooner that they stop.
            await asyncio.to_thread(trail.flush)
            await send({"type": "lifespan.shutdown.complete"})
            return


def may_ask(scope: Any) -> bool:
    """What Django's middleware decide for routes, for sockets: whether the page and the host are known here."""
    return origins.allowed(scope) and hosts.allowed(scope)


def socketio(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    if may_ask(scope):
        return _socketio(scope, receive, send)
    socket_refused("its page or host is not known here")
    return origins.refuse(scope, receive, send)


async def nothing_else(scope: Any, receive: Any, send: Any) -> None:
    """Refuses what is not Socket.IO, on a port for Socket.IO alone."""
    if scope["type"] == "websocket":
        await refuse(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Not found"})


_sockets: list[Any] = [
    re_path(r"^ws/?\Z", LiveConsumer.as_asgi()),
    *(route for path in settings.WEBSOCKET_ROUTES for route in import_string(path)),
    re_path(r"", cast(Any, refuse)),
]


# What only picks an application is no coroutine: a socket would keep it for as long as it lives. Channels' routers are
# coroutines, and copy the scope.


def websocket(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    if not may_ask(scope):
        socket_refused("its page or host is not known here")
        return origins.refuse(scope, receive, send)
    path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
    pick: Application = next(route.callback for route in _sockets if route.pattern.match(path))
    return pick(scope, receive, send)


def _route(otherwise: Application) -> Application:
    """An application that gives `/socket.io` to Socket.IO and the rest to `otherwise`.

    On a port for Socket.IO alone the rest is refused.
    """

    def route(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["path"] in _SOCKETIO_PATHS:
            return socketio(scope, receive, send)
        if (scope.get("server") or ("", 0))[1] in _socketio.own_ports:
            return nothing_else(scope, receive, send)
        return otherwise(scope, receive, send)

    return route


_protocols: dict[str, Application] = {
    "http": _route(http),
    "websocket": Door(_route(websocket)),
    "lifespan": lifespan,
}


def start_late() -> None:
    """Starts what the lifespan protocol starts. daphne does not speak it, so the first request or socket does this."""
    trail.start()
    atexit.register(trail.flush)
    loop.start()
    task = asyncio.create_task(live.start())
    _background.add(task)
    task.add_done_callback(_background.discard)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "lifespan":
        if not live.started:
            start_late()
        send = asking.begin(scope, send)
    await _application(scope, receive, send)


def _by_type(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    return _protocols[scope["type"]](scope, receive, send)


_application = TrustPort(_by_type)
