"""A PostgreSQL server of the tests' own, which they may kill: the machine's binaries over a folder of theirs."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from tests.support.processes import START_LIMIT, ServerProcess, free_port


def binaries() -> Path | None:
    """Where PostgreSQL's programs are: Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((place for place in reversed(places) if (place / "initdb").exists()), None)


class PostgresServer(ServerProcess):
    """One server process over a folder of its own; `restart` goes on with the same data on the same port.

    Without `durable` it waits for no disk: the quicker for it, and good for nothing after a power cut.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="attendance-postgresql-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = free_port()
        place = binaries()
        assert place is not None, "no PostgreSQL programs here"
        self.place = place

    def database_url(self, name: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> "PostgresServer":
        """Returns once it answers."""
        if not self.data.exists():
            if _root():  # PostgreSQL refuses to run as root
                shutil.chown(self.folder, "postgres", "postgres")
            self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-N")
        until = time.monotonic() + START_LIMIT
        pause = threading.Event()
        while time.monotonic() < until:
            if not self.running:
                # Again after a refusal: what a killed server had started looks after itself, and ends a moment later.
                place = ("-D", str(self.data), "-p", str(self.port), "-k", "", "-h", "127.0.0.1")
                # Each test process has servers of its own there, which have a connection for each thread.
                room = ("-c", "max_connections=400")
                speed = () if self.durable else ("-c", "fsync=off", "-c", "full_page_writes=off")
                self.launch(self._command("postgres", *place, *room, *speed), cwd=self.folder)
            try:
                psycopg.connect(self.database_url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                pause.wait(0.05)
            else:
                return self
        raise AssertionError(self.log_text())

    def close(self) -> None:
        """Ends the server, however it stands, and removes its data."""
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            self._command(program, *arguments), cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self.place / program), *arguments]
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] if _root() else command


def _root() -> bool:
    return os.geteuid() == 0
