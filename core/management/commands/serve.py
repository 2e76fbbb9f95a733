"""`manage.py serve`: the project's server, uvicorn with the sockets set up for many slow phones."""

import argparse
import contextlib
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from core.commands import ExplainedCommand
from core.database import ADVICE, DATABASE_ERRORS, describe
from core.health import missing_migrations
from core.server import LEAVE_LIMIT, Server, Supervisor
from core.workers import shared_folder

#: The kernel holds this much for a client that does not read, bytes. Left alone it swallows 36,000 frames
#: before anybody can notice that the reader is slow.
SEND_BUFFER = 64 * 1024
#: A peer that takes nothing for this long is gone, milliseconds. Under 500 frames a second the kernel's buffers fill in
#: 4 to 6 s, so who stalls is let go within 20.
USER_TIMEOUT = 12_000
BACKLOG = 4096
#: On SIGHUP a new worker has this long to be ready, or the old one stays, seconds.
WORKER_START_LIMIT = 60
ADMIN_EMAIL = "admin@attendance.local"

EXAMPLE = """\
  python manage.py serve --setup
  HOST=0.0.0.0 PORT=8000 python manage.py serve
  REDIS_URL=redis://127.0.0.1:6379 python manage.py serve --workers 4
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = "Serves HTTP and WebSockets. With --setup it first makes the database ready and, once, an admin account."
    requires_system_checks = ()  # they run in `handle`, with the database's and with what the command line says

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (default: HOST, %(default)s)")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port (default: PORT, %(default)s); 0: any")
        parser.add_argument(
            "--workers", type=int, default=settings.WORKERS, help="server processes (default: WORKERS, %(default)s)"
        )
        parser.add_argument(
            "--setup", action="store_true", help="apply missing migrations and make the first admin account"
        )

    def handle(self, *args: Any, host: str, port: int, workers: int, setup: bool, **options: Any) -> None:
        if workers < 1:
            raise CommandError("--workers must be 1 or more.")
        listeners = [_listen(host, port)]
        if settings.CHAT_PORT is not None:
            listeners.append(_listen(host, settings.CHAT_PORT, "CHAT_PORT"))
        missing = _missing_migrations()
        settings.WORKERS = workers  # the checks ask there
        call_command("check", databases=["default"], verbosity=0)
        if missing and not setup:
            raise CommandError(f"The database lacks {missing} migrations. Run: python manage.py migrate")
        if missing:
            self.stdout.write(f"Making the database ready, {missing} migrations …")
            call_command("migrate", verbosity=0)
        password = _make_admin() if setup else None
        connection.close()
        _allow_many_sockets()
        url = f"http://{_printable(host)}:{listeners[0].getsockname()[1]}"
        if not _run(_config(host, workers), listeners, ready=lambda: self.welcome(url, password)):
            raise CommandError("The server could not start; the lines above say why.")

    def welcome(self, url: str, password: str | None) -> None:
        """Says where the server listens and what to try first."""
        lines = [f"\nListening on {url}   (Ctrl+C stops it)", f"  admin       {url}/admin/"]
        if password is not None:
            lines += [
                f"  admin login {ADMIN_EMAIL}",
                f"  password    {password}   (shown this once; change it with: manage.py changepassword {ADMIN_EMAIL})",
            ]
        lines += [
            "\nTry it:",
            f"  curl -s {url}/auth/signup -H 'Content-Type: application/json' \\",
            """       -d '{"name":"Asha","email":"asha@example.com","password":"secret1","role":"teacher"}'""",
            "  The README's tour goes on from here; `manage.py demo` fills in a class to look at.\n",
        ]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _run(config: uvicorn.Config, listeners: list[socket.socket], ready: Callable[[], object]) -> bool:
    """Serves until it is told to stop; whether it ever did."""
    if config.workers > 1:
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


def _config(host: str, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        "attendance_project.asgi:application",
        host=host,
        workers=workers,
        timeout_worker_healthcheck=WORKER_START_LIMIT,
        http="core.http:HttpProtocol",
        loop="auto",
        ws="core.websocket:WebSocketProtocol",
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


def _listen(host: str, port: int, setting: str = "PORT") -> socket.socket:
    """A listening socket; those it accepts inherit its options."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as failure:
        raise CommandError(
            f"Cannot listen on {host} port {port}: {failure.strerror}. Set HOST and {setting} to others."
        ) from None
    return listener


def _missing_migrations() -> int:
    try:
        return missing_migrations()
    except DATABASE_ERRORS as failure:
        reason = str(failure).partition("\n")[0].partition(", Topology")[0]
        raise CommandError(
            f"Cannot use {describe()}.\n{reason}\n{ADVICE[connection.vendor]} DATABASE_URL names another."
        ) from None


def _make_admin() -> str | None:
    """The password of a new admin account, where there is no superuser yet."""
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser(ADMIN_EMAIL, password, name="Administrator")
    return password


def _allow_many_sockets() -> None:
    """Raises the limit of open files, one a socket, as far as the system lets this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _printable(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104  shown, not bound
        return "localhost"
    return f"[{host}]" if ":" in host else host
