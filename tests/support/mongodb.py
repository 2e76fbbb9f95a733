"""A server that speaks MongoDB's protocol, for tests: SecantusDB in a process of its own, a replica set of one node."""

import os
import random
import sys
import threading
import time
from pathlib import Path

from tests.support.processes import ROOT, START_LIMIT, ServerProcess

#: Below those that the system gives to clients: a port is free again after a kill, and nobody else has it meanwhile.
PORTS = range(30_000, 32_000)

MENDED = "tests.support.secantus"
AS_PUBLISHED = "secantus"


class MongoServer(ServerProcess):
    """One server process over `folder`; `with MongoServer(folder) as server:` starts it, and ends it afterwards.

    What it acknowledges is on the disk (`--sync-on-commit`), unless it need not be `durable`. `restart` goes on with
    the same data and, so that clients find it again, on the same port. `kill` is quicker than `stop`, which waits two
    seconds for its own thread.
    """

    def __init__(
        self, folder: Path, module: str = MENDED, *, durable: bool = True, transaction_lifetime: float = 10.0
    ) -> None:
        self.folder = folder
        self.module = module
        self.durable = durable
        #: How long a transaction may be without a statement, seconds.
        self.transaction_lifetime = transaction_lifetime
        self.log = folder / "mongodb.log"
        self.port = 0

    @property
    def url(self) -> str:
        """For `MongoClient`, and for `DATABASE_URL` once `database_url` has put a database's name into it."""
        return self.database_url("")

    def database_url(self, name: str) -> str:
        return f"mongodb://127.0.0.1:{self.port}/{name}?replicaSet=secantus"

    def start(self) -> "MongoServer":
        """Returns once it listens; AssertionError with its log if it does not."""
        assert not self.running, "it runs already"
        self.folder.mkdir(parents=True, exist_ok=True)
        chosen = self.port != 0
        until = time.monotonic() + START_LIMIT
        pause = threading.Event()
        while time.monotonic() < until:
            if not chosen:
                self.port = random.choice(PORTS)
            if self._try(until):
                return self
            pause.wait(0.1)  # somebody else has the port, or the system has not given it back yet
        raise AssertionError(f"the database server did not start:\n{self.log_text()}")

    def _try(self, until: float) -> bool:
        """One attempt to listen on the port; False if it is taken."""
        command = [sys.executable, "-m", self.module, "--host", "127.0.0.1", "--port", str(self.port)]
        offset = self.launch(
            [*command, "--storage-path", str(self.folder / "data"), *(["--sync-on-commit"] if self.durable else [])],
            cwd=ROOT,
            env={**os.environ, "TRANSACTION_LIFETIME": str(self.transaction_lifetime)},
        )
        pause = threading.Event()
        while time.monotonic() < until:
            text = self.log.read_bytes()[offset:].decode(errors="replace")
            if f"listening on 127.0.0.1:{self.port}\n" in text:
                return True
            if not self.running:
                assert "Address already in use" in text, f"it ended:\n{text}"
                return False
            pause.wait(0.02)
        self.kill()
        return False
