"""The ASGI application: HTTP through Django's WSGI handler, WebSockets through Channels, one live server under both.

Any ASGI server serves it: `manage.py serve`, `manage.py runserver`, `daphne attendance_project.asgi:application`.
"""

import asyncio
import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")

from attendance_project.wsgi import application as wsgi  # isort: skip  sets Django up, so it comes first

from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from attendance.live.consumer import LiveConsumer
from attendance.live.process import live
from core.wsgi_bridge import WsgiBridge
from dialects.attentrack.routing import sockets as attentrack_sockets

_bridge = WsgiBridge(wsgi, threads=settings.HTTP_THREADS, body_limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
_background: set[asyncio.Task[None]] = set()


async def http(scope: Any, receive: Any, send: Any) -> None:
    if not live.started:
        # daphne has no lifespan protocol: there the first request starts the live server.
        task = asyncio.create_task(live.start())
        _background.add(task)
        task.add_done_callback(_background.discard)
    await _bridge(scope, receive, send)


async def refuse(scope: Any, receive: Any, send: Any) -> None:
    """A WebSocket on a path where there is none: 403 at the handshake."""
    await receive()
    await send({"type": "websocket.close"})


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await live.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await live.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


_sockets: list[Any] = [
    re_path(r"^ws/?\Z", LiveConsumer.as_asgi()),
    *attentrack_sockets,
    re_path(r"", cast(Any, refuse)),
]

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(_sockets), "lifespan": lifespan})
