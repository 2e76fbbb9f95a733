"""Which of the server processes of `manage.py serve --workers N` this process is."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core import metrics

#: The environment variable that tells the workers where their folder is. `serve` sets it; operators do not.
_VARIABLE = "ATTENDANCE_WORKERS_FOLDER"


@dataclass(frozen=True)
class Worker:
    """One of several server processes on the same ports."""

    #: Letters and digits. No two living workers have the same name, also while one replaces another.
    name: str
    #: A folder for the Unix sockets of this server's workers, which no other user can enter.
    folder: Path


def this_worker() -> Worker | None:
    """This process as a worker; None in a server of one process, and in a process that is no server."""
    folder = os.environ.get(_VARIABLE)
    return Worker(str(os.getpid()), Path(folder)) if folder else None


def worker_ended(pid: int | None) -> None:
    """Removes what a worker that is gone has left in the folder: nobody passes connections on to it any more."""
    folder = os.environ.get(_VARIABLE)
    if folder and pid is not None:
        for left in Path(folder).glob(f"{pid}.*"):
            left.unlink(missing_ok=True)


@contextmanager
def shared_folder() -> Iterator[None]:
    """Makes the folder for the workers that the block starts, and removes the folder after the block."""
    with tempfile.TemporaryDirectory(prefix="attendance-workers-") as folder:
        os.environ[_VARIABLE] = folder
        metrics.share(Path(folder))
        try:
            yield
        finally:
            metrics.share_no_more()
            del os.environ[_VARIABLE]
