"""A Redis server of a test's own, which it may kill, freeze and cut off: the machine's `redis-server`."""

import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

from redis import Redis, RedisError

from tests.support.processes import START_LIMIT, ServerProcess, free_port


class RedisServer(ServerProcess):
    """One server process without any memory on the disk; `restart` goes on on the same port."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="attendance-redis-"))
        self.log = self.folder / "log"
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> "RedisServer":
        """Returns once it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self.folder, "save": "", "appendonly": "no"}
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self.launch(["redis-server", *arguments])
        until = time.monotonic() + START_LIMIT
        pause = threading.Event()
        while time.monotonic() < until:
            assert self.running, self.log_text()
            try:
                with Redis.from_url(self.url, socket_timeout=5) as client:
                    client.ping()
            except RedisError:
                pause.wait(0.02)
            else:
                return self
        raise AssertionError(self.log_text())

    def cut_connections(self) -> int:
        """Ends every connection of others, those that publish and those that listen; how many those were."""
        with Redis.from_url(self.url, socket_timeout=5) as client:
            return sum(client.client_kill_filter(_type=kind, skipme=True) for kind in ("normal", "pubsub"))

    def freeze(self) -> None:
        """It answers nothing any more, but its connections stay, until `thaw`."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGCONT)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
