"""`manage.py serve`: the project's server."""

import argparse
import contextlib
import os
import secrets
import shlex
import socket
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from core import own_files
from core.addresses import on_network
from core.commands import ExplainedCommand, port_number
from core.database.readiness import NotReady, lacking_migrations, require_ready
from core.hosts import addresses_to_open, is_everywhere, own_address, public_address, url_of
from core.lan import CannotServe, Lan, here, name_to_open, prepare, public_file, require_alone, server_file
from core.plurals import counted
from core.program import command_line, near
from core.qr_codes import qr_text
from core.running import Running, found, told
from core.server.serving import listen, serve

LAST_PORT = 65_535
ADMIN_EMAIL = "admin@attendance.local"

EXAMPLE = """\
  python manage.py serve --setup
  python manage.py serve --setup --lan
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
            "--lan",
            action="store_true",
            default=settings.LAN,
            help="listen on the school's network, over HTTPS with certificates of its own (also LAN=1)",
        )
        parser.add_argument(
            "--setup", action="store_true", help="apply missing migrations and make the first admin account"
        )
        parser.add_argument(
            "--rehearsal",
            action="store_true",
            default=settings.REHEARSAL,
            help="try out a restored database: no mail, notice or webhook leaves, and settings of mail, Redis, workers,"
            " school accounts and addresses are left out (also REHEARSAL=1)",
        )

    def handle(
        self, *args: Any, host: str, port: int, workers: int, lan: bool, setup: bool, rehearsal: bool, **options: Any
    ) -> None:
        if workers < 1:
            raise CommandError("--workers must be 1 or more.")
        if rehearsal:
            _require_apart(workers, lan)
        name = ""
        if lan:
            _require_two_ports(port)
            host = on_network(host)
            name = _on_the_network(host)
        listeners = _listen(host, port)
        port = listeners[0].getsockname()[1]
        if settings.CHAT_PORT is not None:
            listeners += _listen(host, settings.CHAT_PORT, "CHAT_PORT")
        if lan:
            listeners += _listen(host, settings.TRUST_PORT or port + 1, "TRUST_PORT")
        try:
            if setup:
                made, missing = own_files.make(), lacking_migrations()
            else:
                require_ready()
                made, missing = [], 0
        except NotReady as reason:
            raise CommandError(str(reason)) from None
        settings.WORKERS, settings.HOST = workers, host  # the system checks read the settings
        self.check(databases=["default"])  # `manage.py check` would say, too, that there is nothing to say
        if made:
            self.stdout.write(f"Making a new server: {', '.join(map(str, made))}")
        if missing:
            self.stdout.write(f"Applying {counted(missing, 'migration')} to the database …")
            call_command("migrate", verbosity=0)
        if lan:
            _prepare(name, port, trust_port=listeners[-1].getsockname()[1])
        password = _make_admin() if setup else None
        own, urls = own_address(host, port), addresses_to_open(host, port)
        this = Running(own, public_address(host, port), str(public_file()) if lan else "")
        with contextlib.ExitStack() as while_it_runs:

            def ready() -> None:
                while_it_runs.enter_context(told(this))
                self.welcome(own, urls, password)

            if not serve(host, workers, listeners, ready, server_file() if lan else None):
                raise CommandError("The server could not start. The lines above say why.")

    def welcome(self, own: str, urls: Sequence[str], password: str | None) -> None:
        """Prints where the server listens and lets people in; after its first start also a password and what to try."""
        on_lan = here()
        url = urls[0]
        lines = [
            *(["\nA REHEARSAL: no mail, no notice and no webhook leaves this server."] if settings.REHEARSAL else []),
            f"\nLive attendance {settings.VERSION}",
            f"Listening on {own}   (Ctrl+C stops it)",
            *(f"   reached by {other}" for other in urls if other != own),
            f"  pages       {url}/app/   open this in a browser",
            f"  admin       {url}/admin/",
        ]
        if password is not None:
            lines += [
                f"  admin login {ADMIN_EMAIL}",
                f"  password    {password}   (shown this once)",
                f"  another one {command_line('changepassword', ADMIN_EMAIL)}",
                "\nOr as a program:",
                *_first_request(url),
                "\nThe README's tour continues from here. A class to look at, in another terminal:",
                f"  {command_line('demo')}",
            ]
        if on_lan is not None:
            lines += self._how_devices_trust(on_lan)
        self.stdout.write("\n".join([*lines, ""]))
        self.stdout.flush()

    def _how_devices_trust(self, on_lan: Lan) -> list[str]:
        return [
            f"\nOn every address of this machine, for every device: {on_lan.url}/app/"
            if is_everywhere(settings.HOST)
            else f"\nFor every device: {on_lan.url}/app/",
            f"A device comes to trust this server first at {on_lan.trust_url}, where it is told how.",
            "What it is asked to trust has this SHA-256 fingerprint:",
            f"  {on_lan.fingerprint[:47]}",
            f"  {on_lan.fingerprint[48:]}",
            *([qr_text(on_lan.trust_url)] if self._shows_pictures() else []),
        ]

    def _shows_pictures(self) -> bool:
        """Whether somebody looks at a terminal that knows the letters of a QR code; in a log they would be noise."""
        encoding = getattr(self.stdout._out, "encoding", None) or "ascii"
        return self.stdout.isatty() and encoding.lower().replace("-", "") == "utf8"


def _require_apart(workers: int, lan: bool) -> None:
    """Raises `CommandError` for a rehearsal that would have to do with other servers."""
    if not settings.REHEARSAL:  # it was abbreviated, or somebody else's program calls the command
        raise CommandError("Write --rehearsal in full, or set REHEARSAL=1.")
    if workers > 1 or lan:
        raise CommandError(
            "A rehearsal has one worker, and is not on the school's network. Leave --workers and --lan out."
        )
    if found() is not None:
        raise CommandError(
            "A server runs on this DATA_DIR and this database. Set others for the rehearsal (docs/deploy.md)."
        )


def _on_the_network(host: str) -> str:
    """By which name or address the network reaches a server that listens on `host`."""
    try:
        require_alone()
        return name_to_open(host)
    except CannotServe as why:
        raise CommandError(str(why)) from None


def _prepare(name: str, port: int, *, trust_port: int) -> None:
    """Makes the certificates, and has this process and the workers that it starts know how they are reached."""
    try:
        prepare(name)
    except CannotServe as why:
        raise CommandError(str(why)) from None
    settings.LAN, settings.TRUST_PORT = True, trust_port
    settings.PUBLIC_URL = url_of(name, port)
    os.environ.update(LAN="1", PUBLIC_URL=settings.PUBLIC_URL, TRUST_PORT=str(trust_port))


def _first_request(url: str) -> list[str]:
    if settings.SIGNUP != "open":
        if settings.SIGNUP == "closed":
            return ["  SIGNUP=closed: make accounts in the admin."]
        return [
            f"  SIGNUP={settings.SIGNUP}: make accounts in the admin, or invite people:",
            f"  {command_line('invite', 'teacher', '--print', '1')}",
        ]
    trusting = f" --cacert {shlex.quote(near(public_file()))}" if settings.LAN else ""
    return [
        f"  curl -s{trusting} {url}/auth/signup -H 'Content-Type: application/json' \\",
        """       -d '{"name":"Asha","email":"asha@example.com","password":"secret1","role":"teacher"}'""",
    ]


def _require_two_ports(port: int) -> None:
    """Raises `CommandError` if there is no port for plain HTTP beside `port`: TRUST_PORT, or else the next one."""
    if port == LAST_PORT and settings.TRUST_PORT is None:
        raise CommandError(
            f"PORT is {port}, and there is no next port for plain HTTP. Set TRUST_PORT, or another PORT."
        )
    if port == settings.TRUST_PORT:
        raise CommandError(f"PORT and TRUST_PORT are both {port}. Set TRUST_PORT to another.")


def _listen(host: str, port: int, setting: str = "PORT") -> list[socket.socket]:
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
