"""Which process runs on which core: the server on the first, the load and the database on the others."""

import contextlib
import os
from collections.abc import Iterator

_FIRST = "0"


def keep_off_the_server() -> None:
    """Moves this process to the other cores, with all that it starts from now on without `for_the_server`."""
    others = os.sched_getaffinity(0) - {int(_FIRST)}
    if others:
        os.sched_setaffinity(0, others)


@contextlib.contextmanager
def on_all_cores() -> Iterator[None]:
    """Meanwhile this process and all that it starts may run on the server's core, too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def for_the_server() -> list[str]:
    """The words that stand before a command so that it runs on the server's core."""
    return ["taskset", "-c", _FIRST] if (os.cpu_count() or 1) > 1 else []
