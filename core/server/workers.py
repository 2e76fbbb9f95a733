"""The server processes of one `manage.py serve --workers N`, as one of them sees itself."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Tells the workers where their folder is. The server sets it for them; it is no setting.
_VARIABLE = "ATTENDANCE_WORKERS_FOLDER"


@dataclass(frozen=True)
class Worker:
    """One of several server processes on the same ports."""

    #: Letters and digits; no two living workers have the same, also while one takes another's place.
    name: str
    #: Shared by the workers of this server and closed to all other users: a place for a Unix socket of each.
    folder: Path


def this_worker() -> Worker | None:
    """Which worker this process is; None for a server of one process, and for what is no server."""
    folder = os.environ.get(_VARIABLE)
    return Worker(str(os.getpid()), Path(folder)) if folder else None


@contextmanager
def shared_folder() -> Iterator[None]:
    """Makes the folder of the workers that are started meanwhile, and removes it after them."""
    with tempfile.TemporaryDirectory(prefix="attendance-workers-") as folder:
        os.environ[_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[_VARIABLE]
