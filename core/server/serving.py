"""How the `serve` command listens and serves: uvicorn, with sockets set up for many slow phones."""

import contextlib
import resource
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from django.conf import settings
from django.db import connection

from core.server.process import LEAVE_LIMIT, Server, Supervisor
from core.server.workers import shared_folder

#: The kernel holds this much for a client that does not read, bytes. Left alone it swallows 36,000 frames
#: before anybody can notice that the reader is slow.
SEND_BUFFER = 64 * 1024
#: A peer that takes nothing for this long is gone, milliseconds. Under 500 frames a second the kernel's buffers fill in
#: 4 to 6 s, so who stalls is let go within 20.
USER_TIMEOUT = 12_000
BACKLOG = 4096
#: On SIGHUP a new worker has this long to be ready, or the old one stays, seconds.
WORKER_START_LIMIT = 60


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, whose options those that it accepts inherit. `OSError` where the address cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(host: str, workers: int, listeners: list[socket.socket], ready: Callable[[], object]) -> bool:
    """Serves on `listeners` until it is told to stop, and calls `ready` once it listens; whether it ever did."""
    connection.close()
    _allow_many_sockets()
    config = _config(host, workers)
    if workers > 1:
        _leave_database()
        supervisor = Supervisor(config, listeners, ready)
        with shared_folder():
            supervisor.run()
        return supervisor.started
    server = Server(config, ready)
    # uvicorn raises the signal again once it has stopped: to be told to stop, and to do so, is a success.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=listeners)
    return server.started


def _leave_database() -> None:
    """This process will not ask the database any more."""
    connection.close()
    if connection.vendor == "postgresql":
        pooled: Any = connection
        pooled.close_pool()


def _allow_many_sockets() -> None:
    """Raises the limit of open files, one a socket, as far as the system lets this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _config(host: str, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        "attendance_project.asgi:application",
        host=host,
        workers=workers,
        timeout_worker_healthcheck=WORKER_START_LIMIT,
        http="core.server.http_protocol:HttpProtocol",
        loop="auto",
        ws="core.server.websocket_protocol:WebSocketProtocol",
        lifespan="on",
        log_config=None,  # Django's LOGGING, which keeps tokens out of every line
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
        ws_max_size=settings.MAX_MESSAGE_SIZE,
        ws_per_message_deflate=False,  # 58 KB and 16 µs a frame for each socket
        ws_ping_interval=20,
        ws_ping_timeout=20,
        # Then what still works on a request is cancelled. So long after clients are cut off that a process that stands
        # still for a moment does not take these for that, and complain.
        timeout_graceful_shutdown=LEAVE_LIMIT + 3,
    )
