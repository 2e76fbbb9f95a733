"""A real server process for tests: `manage.py serve` on a port of its own, over a database."""

import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.support.database import Database, environment_of
from tests.support.processes import ROOT, START_LIMIT, ServerProcess, answers, free_port
from tests.support.starter import MANAGE

SERVE = [*MANAGE, "serve"]
#: The other ways to run the application.
OTHER_SERVERS = {
    name: [sys.executable, *command]
    for name, command in {
        "daphne": ["-m", "daphne", "-b", "127.0.0.1", "-p", "{free_port}", "attendance_project.asgi:application"],
        "granian": [
            *("-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", "{free_port}"),
            "attendance_project.asgi:application",
        ],
        "runserver": ["manage.py", "runserver", "--noreload", "127.0.0.1:{free_port}"],
        "uvicorn": [
            *("-m", "uvicorn", "--port", "{free_port}", "--no-access-log", "--ws", "websockets-sansio"),
            "attendance_project.asgi:application",
        ],
    }.items()
}
#: Which of them runs the tests' servers instead of `manage.py serve`; empty: none.
TEST_SERVER = os.environ.get("TEST_SERVER", "")
#: What is added to a close code of the contract: daphne, which runserver is as well, takes private codes only.
ADDED = {"daphne": 3000, "runserver": 3000}


def heard(code: int, server: str = TEST_SERVER) -> int:
    """What the client of a server hears for a close code of the contract."""
    return code + ADDED.get(server, 0)


#: The codes with which a message over the limit, and an account over its share, close a socket.
TOO_BIG, TRY_AGAIN_LATER = 1009, 1013


def not_under(*servers: str, reason: str) -> pytest.MarkDecorator:
    """For a test that these servers cannot pass."""
    return pytest.mark.skipif(TEST_SERVER in servers, reason=reason)


#: For tests of what `manage.py serve` alone does.
only_serve = not_under(*OTHER_SERVERS, reason="manage.py serve does this")


class Server(ServerProcess):
    """One server process: `manage.py serve` (or what TEST_SERVER names), or `command`.

    In a command `{port}` is for a server that says where it listens, `{free_port}` for one that does not.

    `restart` after `kill` goes on with the same database and the same port.
    """

    def __init__(self, database: Database, command: Sequence[str] | None = None, **environment: str) -> None:
        self.database = database
        self.command = command
        self.environment = environment
        self.log = database.path.with_suffix(f".{id(self)}.log")
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> "Server":
        """Starts the process and returns once it listens; AssertionError with its log if it does not."""
        command = self.command or OTHER_SERVERS.get(TEST_SERVER) or [*SERVE, "--port", "{port}"]
        says_where = not any("{free_port}" in part for part in command)
        self.port = self.port or free_port()
        offset = self.launch(
            [part.format(port=self.port, free_port=self.port) for part in command],
            cwd=ROOT,
            env=environment_of(self.database, self.environment),
        )
        until = time.monotonic() + START_LIMIT
        pause = threading.Event()
        while time.monotonic() < until:
            text = self.log.read_bytes()[offset:].decode(errors="replace")
            if re.search(rf"(?:Listening on https?://[^:\s]+|Listening on TCP address [\d.]+):{self.port}\b", text):
                return self
            if not says_where and answers(self.port):  # other servers say where they listen in words of their own
                return self
            assert self.running, f"the server ended:\n{text}"
            pause.wait(0.02)
        raise AssertionError(f"the server did not start:\n{self.log_text()}")

    @contextmanager
    def clean_log(self) -> Iterator[None]:
        """The server goes on running, and logs no trouble meanwhile."""
        offset = self.log.stat().st_size
        yield
        assert self.running, self.log_text()
        self.assert_clean(offset)

    def assert_clean(self, offset: int = 0) -> None:
        """No crash and no lock trouble in the log, from so many bytes on."""
        log = self.log.read_bytes()[offset:].decode(errors="replace")
        for trouble in ("Traceback", "database is locked", "Exception in", "never retrieved", "ERROR"):
            assert trouble not in log, log


@contextmanager
def two_servers(database: Database, **environment: str) -> Iterator[tuple[Server, Server]]:
    """Two server processes over one database, whose logs are clean at the end."""
    servers = Server(database, **environment).start(), Server(database, **environment).start()
    yield servers
    for server in servers:
        server.close()
    for server in servers:
        server.assert_clean()
