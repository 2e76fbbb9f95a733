"""`manage.py serve`: the project's server."""

import argparse
import secrets
import socket
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from core import own_files
from core.commands import ExplainedCommand, port_number
from core.database.readiness import NotReady, lacking_migrations, require_ready
from core.hosts import addresses_to_open, own_address
from core.server.serving import listen, serve

ADMIN_EMAIL = "admin@attendance.local"

EXAMPLE = """\
  python manage.py serve --setup
  HOST=0.0.0.0 PORT=8000 python manage.py serve
  REDIS_URL=redis://127.0.0.1:6379 python manage.py serve --workers 4
"""


class Command(ExplainedCommand):
    example = EXAMPLE
    help = "Serves HTTP and WebSockets. With --setup it first makes the database ready and, once, an admin account."
    needs_server = False
    # `handle` runs the checks: those of the database too, and with the number of workers of the command line.
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (default: HOST, %(default)s)")
        parser.add_argument(
            "--port", type=port_number, default=settings.PORT, help="port (default: PORT, %(default)s); 0: any"
        )
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
        try:
            if setup:
                made, missing = own_files.make(), lacking_migrations()
            else:
                require_ready()
                made, missing = [], 0
        except NotReady as reason:
            raise CommandError(str(reason)) from None
        settings.WORKERS, settings.HOST = workers, host  # the system checks read the settings
        call_command("check", databases=["default"], verbosity=0)
        if made:
            self.stdout.write(f"Making a new server: {', '.join(map(str, made))}")
        if missing:
            self.stdout.write(f"Applying {missing} migrations to the database …")
            call_command("migrate", verbosity=0)
        password = _make_admin() if setup else None
        here = host, listeners[0].getsockname()[1]
        own, urls = own_address(*here), addresses_to_open(*here)
        if not serve(host, workers, listeners, ready=lambda: self.welcome(own, urls, password)):
            raise CommandError("The server could not start. The lines above say why.")

    def welcome(self, own: str, urls: Sequence[str], password: str | None) -> None:
        """Prints where the server listens and lets people in; after its first start also a password and what to try."""
        url = urls[0]
        lines = [
            f"\nLive attendance {settings.VERSION}",
            f"Listening on {own}   (Ctrl+C stops it)",
            *(f"   reached by {other}" for other in urls if other != own),
            f"  pages       {url}/app/   open this in a browser",
            f"  admin       {url}/admin/",
        ]
        if password is not None:
            lines += [
                f"  admin login {ADMIN_EMAIL}",
                f"  password    {password}   (shown this once; change it with: manage.py changepassword {ADMIN_EMAIL})",
                "\nOr as a program:",
                *_first_request(url),
                "  The README's tour continues from here. `manage.py demo` makes a class to look at.",
            ]
        self.stdout.write("\n".join([*lines, ""]))
        self.stdout.flush()


def _first_request(url: str) -> list[str]:
    if settings.SIGNUP != "open":
        return [f"  SIGNUP={settings.SIGNUP}: invite people with `manage.py invite`, or make accounts in the admin."]
    return [
        f"  curl -s {url}/auth/signup -H 'Content-Type: application/json' \\",
        """       -d '{"name":"Asha","email":"asha@example.com","password":"secret1","role":"teacher"}'""",
    ]


def _listen(host: str, port: int, setting: str = "PORT") -> socket.socket:
    try:
        return listen(host, port)
    except OSError as failure:
        raise CommandError(
            f"Cannot listen on {host} port {port}: {failure.strerror}. Set HOST and {setting} to others."
        ) from None


def _make_admin() -> str | None:
    """Makes an admin account if there is no superuser yet. Returns the new account's password, or None."""
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser(ADMIN_EMAIL, password, name="Administrator")
    return password
