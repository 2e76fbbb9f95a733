"""Files that only their owner can read, whatever the umask, and that a crash leaves whole or not at all."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: What nobody but the owner may have.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
#: A process finds its own open files here, by their numbers, on Linux.
OPEN_FILES = Path("/proc/self/fd")


def private_folder(path: Path) -> None:
    """Makes the folder, which only its owner can enter. A folder that is there already stays as it is.

    Raises `OSError` where there can be no such folder.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_private(path: Path) -> bool:
    """Whether nobody but the owner can use the file or folder, or there is none."""
    try:
        return not path.stat().st_mode & _OTHERS
    except OSError:
        return True


def private_file(path: Path) -> None:
    """Makes an empty file that only its owner can read, or takes a file that is there away from everybody else.

    Does nothing where this process may not: whoever opens the file next is told why.
    """
    with contextlib.suppress(OSError):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if not is_private(path):
                path.chmod(0o600)


def kept(path: Path, content: bytes) -> bytes:
    """Makes the file with this content, for its owner alone, where there is none. Returns what the file has.

    The file is whole as soon as it is there. Of processes that start at the same time the first one's content stays.
    """
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(made)
    finally:
        made.unlink()
    return path.read_bytes()


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path`, for its owner alone, when the block is done.

    After a failure `path` is unchanged, and nothing else is left. The file has no name until it is whole, so that the
    system removes it with a process that is killed. Where the system has no such files, a killed process leaves the
    half of it under a name that begins with a dot.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = _without_name(path.parent)
    has_name = descriptor is None
    if descriptor is None:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
            if not has_name:
                _name(descriptor, unfinished)
        unfinished.replace(path)  # a link could not take the place of a file
    finally:
        unfinished.unlink(missing_ok=True)


def _without_name(folder: Path) -> int | None:
    """The descriptor of a new file without a name in `folder`; None where the system has no such files."""
    flag: int | None = getattr(os, "O_TMPFILE", None)
    if flag is None or not OPEN_FILES.is_dir():
        return None
    try:
        return os.open(folder, os.O_WRONLY | flag, 0o600)
    except OSError:
        return None


def _name(descriptor: int, path: Path) -> None:
    """Gives the file its first name."""
    folder = os.open(OPEN_FILES, os.O_RDONLY)
    try:
        # With the folder given, Python follows the link of /proc; else it would link to that link.
        os.link(str(descriptor), path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)
