"""What the tests' server processes have in common: ours, those of the databases, Redis and nginx."""

import os
import signal
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.starter import Running, start

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT = 60.0  # seconds
#: Whether `make coverage` runs: a process that is killed does not say what it ran, and one that is told to stop does.
MEASURED = "COVERAGE_PROCESS_CONFIG" in os.environ


class ServerProcess(ABC):
    """A process in a group of its own, which ends with all that it started: `with ServerProcess() as running:`."""

    log: Path
    process: Running | None = None

    @abstractmethod
    def start(self) -> Self:
        """Starts it, and returns once it can be used; AssertionError with its log if it does not come to that."""

    def restart(self) -> Self:
        """The same after `kill`: it goes on where it was."""
        return self.start()

    def launch(self, command: Sequence[str], **options: Any) -> int:
        """Runs a command as this process; where in the log begins what it says."""
        with self.log.open("ab") as log, open(os.devnull, "rb") as nothing:
            offset = log.tell()
            self.process = start(command, (nothing, log, log), **options)
        return offset

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's; AssertionError before its start."""
        assert self.process is not None
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

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
        if self.running and MEASURED:
            said = self.log.stat().st_size
            self.stop()
            os.truncate(self.log, said)  # a test that does not stop its server does not ask how it stops
        elif self.running:
            self.kill()

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")


#: What `free_port` gave, until this process ends.
_held: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody else is given, also while its server is away.

    It is bound here, so it is free only for who names it, with SO_REUSEADDR, as servers do.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    port: int = holder.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
