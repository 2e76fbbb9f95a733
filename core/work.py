"""The unit of work: writes that belong together, all or none of them.

`unit_of_work` is the only way to open a transaction in this project (ruff refuses `transaction.atomic`
elsewhere), so that what a database needs beyond it stands in one place: on SQLite, one lock in the process
that every write passes. Without it, eight busy writers meet in SQLite's own busy loop, which sleeps
and is not fair: a mark's commit took 79 ms at p99 instead of 2.8 ms.
"""

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")

_sqlite_writer = threading.RLock()


def unit_of_work(work: Callable[P, R]) -> Callable[P, R]:
    """Runs `work` in one transaction; a unit inside a unit is part of the outer one.

    An exception undoes everything and passes on. `work` may be run again after a transient conflict, so it
    must do nothing but database work: what follows a commit belongs in `after_commit`.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return work(*args, **kwargs)
        if connection.vendor == "sqlite":
            with _sqlite_writer, transaction.atomic():
                return work(*args, **kwargs)
        with transaction.atomic():
            return work(*args, **kwargs)

    return run


def after_commit(announce: Callable[[], object]) -> None:
    """Calls `announce` once the unit of work around it is committed; never when it is undone."""
    transaction.on_commit(announce)
