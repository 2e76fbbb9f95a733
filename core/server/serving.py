"""How the `serve` command listens and serves: uvicorn, on sockets that are set up for many slow clients."""

import contextlib
import errno
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.db import connection

from core.server import plain_http
from core.server.process import LEAVE_LIMIT, Server, Supervisor
from core.server.workers import shared_folder

#: The kernel keeps this much for a client that does not read, bytes. With its own limit the kernel took 36,000 frames
#: before the server could notice that the client was slow.
SEND_BUFFER = 64 * 1024
#: A peer that takes nothing for this long counts as gone, milliseconds. At 500 frames a second the kernel's buffers
#: fill in 4 to 6 s, so a client that stalls is dropped within 20 s.
USER_TIMEOUT = 12_000
BACKLOG = 4096
#: After SIGHUP a new worker has this long to be ready, seconds. If it takes longer, the old worker stays.
WORKER_START_LIMIT = 60


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets: two for "::", where the machine has IPv6, else one. `OSError` for an address it cannot have.

    One socket for both would show IPv4 addresses in another form, which no list of networks knows.
    """
    if host != "::":
        return [_listener(host, port)]
    listeners = [_listener("0.0.0.0", port)]  # noqa: S104
    try:
        listeners.append(_listener(host, listeners[0].getsockname()[1]))
    except OSError as failure:
        if failure.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
    return listeners


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket. The sockets that it accepts inherit its options."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
    listener.bind(address)
    listener.listen(BACKLOG)
    return listener


def serve(
    host: str, workers: int, listeners: list[socket.socket], ready: Callable[[], object], certificate: Path | None
) -> bool:
    """Serves on `listeners` until the process is told to stop. Calls `ready` once the server listens.

    With the file of a certificate and its key it serves HTTPS, but for the listener at settings.TRUST_PORT.
    Returns whether the server ever listened.
    """
    connection.close()
    _allow_many_sockets()
    config = configuration(host, workers, certificate)
    if workers > 1:
        _leave_database()
        supervisor = Supervisor(config, listeners, ready)
        with shared_folder():
            supervisor.run()
        return supervisor.started
    server = Server(config, ready)
    # uvicorn raises the signal again once it has stopped. A server that was told to stop, and stopped, has succeeded.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=listeners)
    return server.started


def _leave_database() -> None:
    """Closes this process's connections to the database: only the workers will use it."""
    connection.close()
    if connection.vendor == "postgresql":
        pooled: Any = connection
        pooled.close_pool()


def _allow_many_sockets() -> None:
    """Raises the limit of open files as far as the system lets this process. Each socket is an open file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def configuration(host: str, workers: int, certificate: Path | None = None) -> uvicorn.Config:
    """uvicorn's configuration for the project's application and protocols."""
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
        ssl_certfile=certificate,
        ssl_context_factory=None if certificate is None else plain_http.context,
        proxy_headers=certificate is None,  # who does HTTPS itself has no proxy before it
        forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
        ws_max_size=settings.MAX_MESSAGE_SIZE,
        ws_per_message_deflate=False,  # compression costs each socket 58 KB, and 16 µs a frame
        # Clients keep an idle connection for 5 s (httpx) to 15 s (aiohttp). uvicorn's own 5 s would close it at the
        # moment at which a client sends its next request on it.
        timeout_keep_alive=20,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        # uvicorn then cancels the requests that still run, and logs an error for each. The clients are cut off 3 s
        # before, so that a process that stands still for a moment does not log an error for a client just cut off.
        timeout_graceful_shutdown=LEAVE_LIMIT + 3,
    )
