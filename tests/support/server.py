"""A real server process for tests: `manage.py serve` on a port of its own, over a database."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from tests.support.database import Database, environment_of
from tests.support.processes import ROOT, START_LIMIT, ServerProcess, answers, free_port


class Server(ServerProcess):
    """One server process: `manage.py serve`, or `command`.

    In a command `{port}` is 0, for a server that picks a port and says so; `{free_port}` is one chosen for it.

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
        command = self.command or [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        picks_port = not any("{free_port}" in part for part in command)
        if not picks_port and not self.port:
            self.port = free_port()
        with self.log.open("ab") as log:
            offset = log.tell()
            self.process = subprocess.Popen(
                [part.format(port=self.port, free_port=self.port) for part in command],
                cwd=ROOT,
                env=environment_of(self.database, self.environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        until = time.monotonic() + START_LIMIT
        pause = threading.Event()
        while time.monotonic() < until:
            text = self.log.read_bytes()[offset:].decode(errors="replace")
            found = re.search(r"(?:Listening on http://[^:\s]+|Listening on TCP address [\d.]+):(\d+)", text)
            if found:
                self.port = int(found[1])
                return self
            if not picks_port and answers(self.port):  # other servers say where they listen in words of their own
                return self
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{text}"
            pause.wait(0.02)
        raise AssertionError(f"the server did not start:\n{self.log_text()}")

    restart = start

    def assert_clean(self) -> None:
        """No crash and no lock trouble in the log."""
        log = self.log_text()
        for trouble in ("Traceback", "database is locked", "Exception in", "never retrieved", "ERROR"):
            assert trouble not in log, log
