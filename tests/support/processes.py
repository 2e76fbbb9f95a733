"""What the tests' server processes have in common: ours, and those of the databases."""

import os
import random
import signal
import socket
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0  # seconds


class ServerProcess:
    """A process in a group of its own, which ends with all that it started."""

    log: Path
    process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """SIGKILL: no goodbye, no clean-up."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """SIGTERM, as a supervisor stops it; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        return self.process.wait(30)

    def close(self) -> None:
        """Ends the process, however it stands."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


def free_port() -> int:
    """Below those that the system gives to others who ask for any port meanwhile."""
    while True:
        port = random.randrange(20_000, 30_000)
        if not answers(port):
            return port


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
