"""Where a server is reached that runs on this machine, for a command that somebody starts beside it in another shell.

A server that listens leaves a file in DATA_DIR, and holds a lock on it. The system takes the lock from a process that
ends, however it ends, so nobody is told of a server that was killed.
"""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.crypto import salted_hmac

from core.files import private_folder


@dataclass(frozen=True)
class Running:
    """A server, by addresses without a slash at the end."""

    #: By which this machine reaches it.
    own: str
    #: By which everybody does for whom it is meant; "" where it is reached from its own machine alone.
    public: str
    #: The file of the authority that its clients trust; "" for a server without HTTPS of its own.
    authority: str


def folder() -> Path:
    """Where the servers of DATA_DIR leave their files."""
    return Path(settings.DATA_DIR) / "running"


@contextmanager
def told(server: Running) -> Iterator[None]:
    """Meanwhile `found` finds the server. Where DATA_DIR cannot be written, it is served as well, and not found."""
    with contextlib.ExitStack() as until_the_end:
        with contextlib.suppress(OSError):
            until_the_end.enter_context(_left(server))
        yield


def found() -> Running | None:
    """A server that runs with this DATA_DIR, these secrets and this database; None where there is none.

    Of several it is one that others than this machine reach, and of these the one that was started last.
    """
    running: list[tuple[bool, float, Running]] = []
    for path in _files():
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
            if _is_held(file):
                said = json.load(file)
                if said.pop("database") == _database():
                    server = Running(**said)
                    running.append((bool(server.public), os.fstat(file.fileno()).st_mtime, server))
    return max(running, key=lambda each: each[:2])[2] if running else None


@contextmanager
def _left(server: Running) -> Iterator[None]:
    private_folder(folder())
    _clear()
    path = folder() / f"{secrets.token_hex(8)}.json"
    unfinished = path.with_suffix(".new")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)  # before it has its name: whoever finds it finds it locked
            file.write(json.dumps({**asdict(server), "database": _database()}).encode())
            file.flush()
            unfinished.replace(path)
            yield
        finally:
            unfinished.unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _clear() -> None:
    """Removes what servers left that were killed."""
    for path in _files():
        with contextlib.suppress(OSError), path.open("rb") as file:
            if not _is_held(file):
                path.unlink()


def _files() -> list[Path]:
    try:
        return list(folder().glob("*.json"))
    except OSError:
        return []


def _is_held(file: IO[bytes]) -> bool:
    """Whether the server of this file runs. Many may ask at once: none of them is taken for the server."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _database() -> str:
    """Tells one database from another, and nobody its password."""
    database = settings.DATABASES["default"]
    known = [str(database.get(name) or "") for name in ("ENGINE", "HOST", "PORT", "NAME")]
    return salted_hmac("core.running", json.dumps(known), algorithm="sha256").hexdigest()
