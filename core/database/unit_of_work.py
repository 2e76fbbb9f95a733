"""The unit of work: writes that belong together are done together, or not at all.

`unit_of_work`, and `driver_unit_of_work` for the journal's writer, are the only ways to open a transaction in this
project; ruff refuses `transaction.atomic` elsewhere. So what each database needs stands in one place:

- PostgreSQL needs Django's `atomic`.
- SQLite also needs one lock in the process, which every write passes. Without the lock, eight busy writers meet in
  SQLite's own busy loop, which sleeps and is not fair: a mark's commit took 79 ms at p99 instead of 2.8 ms.
- MongoDB needs the backend's own `atomic`, because Django's does nothing there. A transaction that meets another
  transaction's write fails at once, and is run again, as MongoDB's documentation advises.
"""

import functools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, transaction

from core.database.failures import DATABASE_ERRORS, TRANSIENT, UNKNOWN_COMMIT, has_label, is_unreachable

P = ParamSpec("P")
R = TypeVar("R")

#: A transaction on MongoDB that meets others is run again for this long, seconds.
RETRY_LIMIT = 5.0
#: The longest pause between two attempts, seconds. The first pauses are much shorter.
LONGEST_PAUSE = 0.25

#: A unit of work that loses races is run again at most this many times.
RACES = 5

_sqlite_writer = threading.RLock()
#: Transactions on MongoDB that are run again hold this lock, so that they do not meet each other.
_mongodb_again = threading.Lock()


_only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)
#: Whether a `driver_unit_of_work` has a transaction open that Django does not know.
_by_driver: ContextVar[bool] = ContextVar("by_driver", default=False)


class WouldWrite(Exception):
    """A unit of work was to begin where only reading is allowed."""


@contextmanager
def only_reading() -> Iterator[None]:
    """Inside, no unit of work begins: whoever wants one gets `WouldWrite`, and nothing is changed.

    On SQLite all that is read is of one moment. It asks the system for its locks once then, and not for each statement.
    """
    own = _plain_sqlite()
    before = _only_reads.set(True)
    try:
        if own is not None:
            own.execute("BEGIN")
        yield
    finally:
        _only_reads.reset(before)
        if own is not None and own.in_transaction:
            own.execute("ROLLBACK")


def _plain_sqlite() -> Any:
    """SQLite's own connection, if that is the database and no unit of work is open; None otherwise."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "sqlite" or in_unit_of_work():
        return None
    database.ensure_connection()
    return database.connection


def unit_of_work(work: Callable[P, R]) -> Callable[P, R]:
    """Runs `work` in one transaction. A unit of work inside another is part of the outer one.

    An exception undoes all writes and is raised on. `work` may be run again after a conflict, so `work` must do nothing
    but read and write the database. What follows from the commit belongs in `after_commit`.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _only_reads.get():
            raise WouldWrite
        if in_unit_of_work():
            return work(*args, **kwargs)
        vendor = connection.vendor
        if vendor == "mongodb":
            return _in_mongodb(lambda: work(*args, **kwargs))
        if vendor == "sqlite":
            with _sqlite_writer, transaction.atomic():
                return work(*args, **kwargs)
        with transaction.atomic():
            return work(*args, **kwargs)

    return run


def driver_unit_of_work(work: Callable[P, R]) -> Callable[P, R]:
    """`unit_of_work` for work that writes past Django's ORM: on SQLite its transaction is the driver's, not Django's.

    Django's way into a transaction and out of it took a twentieth of what a lone mark costs at 1,000 sockets. `work`
    may read by the ORM, but not write: what opens a transaction there fails, and so does `after_commit`.
    """
    by_django = unit_of_work(work)

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        own = _plain_sqlite()
        if own is None or _only_reads.get():
            return by_django(*args, **kwargs)
        database: Any = connections[DEFAULT_DB_ALIAS]
        with _sqlite_writer, database.wrap_database_errors:
            own.execute("BEGIN IMMEDIATE")
            before = _by_driver.set(True)
            try:
                result = work(*args, **kwargs)
                _commit_by_driver(own)
            except BaseException:
                _undo(database)
                raise
            finally:
                _by_driver.reset(before)
        return result

    return run


def _commit_by_driver(own: Any) -> None:
    own.execute("COMMIT")


def _undo(database: Any) -> None:
    """Ends the transaction. A connection that cannot even do that is closed, which ends it too."""
    try:
        if database.connection.in_transaction:
            database.connection.execute("ROLLBACK")
    except database.Database.Error:
        database.close()


def retry_races(work: Callable[P, R]) -> Callable[P, R]:
    """Runs `work`, a unit of work or a function that runs one, again after an IntegrityError.

    Another request may have inserted the same unique row a moment before; the next run finds that row. `work` is run
    up to RACES times more, since a unit may insert several such rows. Inside another unit of work, `work` is run once:
    the refusal has undone the outer unit as well, and only the outer unit can be run again.
    """

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if not in_unit_of_work():
            for _ in range(RACES):
                with suppress(IntegrityError):
                    return work(*args, **kwargs)
        return work(*args, **kwargs)

    return run


def after_commit(announce: Callable[[], object]) -> None:
    """Calls `announce` once the unit of work around this call is committed, and never if that unit is undone."""
    if _by_driver.get():
        raise RuntimeError("A driver_unit_of_work has nothing that follows from its commit.")
    transaction.on_commit(announce)


def in_unit_of_work() -> bool:
    """Whether this thread is inside a transaction."""
    if _by_driver.get():
        return True
    database = connections[DEFAULT_DB_ALIAS]
    # Both are asked on MongoDB: Django's own `delete` opens a block of Django's there, in which nothing is committed.
    return database.in_atomic_block or getattr(database, "in_atomic_block_mongo", False)


def _in_mongodb(work: Callable[[], R]) -> R:
    try:
        return _attempt(work)
    except DATABASE_ERRORS as failure:
        if not _may_run_again(failure) or not _mongodb_again.acquire(timeout=RETRY_LIMIT):
            raise
    try:
        for pause in _pauses():
            try:
                return _attempt(work)
            except DATABASE_ERRORS as failure:
                if pause is None or not _may_run_again(failure):
                    raise
            time.sleep(pause)
        raise AssertionError("unreachable")
    finally:
        _mongodb_again.release()


def _attempt(work: Callable[[], R]) -> R:
    with _mongodb_transaction()("default"):
        return work()


def _may_run_again(failure: Exception) -> bool:
    return has_label(failure, TRANSIENT) and not is_unreachable(failure)


def _pauses() -> Iterator[float | None]:
    """The pause after each attempt, seconds, which grows; None after the last attempt."""
    until = time.monotonic() + RETRY_LIMIT
    longest = 0.004
    while time.monotonic() < until:
        yield random.uniform(0, longest)  # noqa: S311  jitter, no secret
        longest = min(LONGEST_PAUSE, 2 * longest)
    yield None


@functools.cache
def _mongodb_transaction() -> Any:
    """The backend's `atomic`, with a commit that is tried again where its outcome is unknown."""
    from django_mongodb_backend.transaction import Atomic  # noqa: PLC0415  only where MongoDB is the database

    class Transaction(Atomic):  # type: ignore[misc]
        def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
            mongo: Any = connection
            session = mongo.session
            if exc_type is None and session is not None:
                try:
                    _commit(session)
                except BaseException:
                    mongo.in_atomic_block_mongo = False
                    mongo.run_on_commit = []
                    raise
                finally:
                    session.end_session()
                    mongo.session = None
            super().__exit__(exc_type, exc_value, traceback)

    return Transaction


def _commit(session: Any) -> None:
    for pause in _pauses():
        try:
            session.commit_transaction()
        except DATABASE_ERRORS as failure:
            if pause is None or not has_label(failure, UNKNOWN_COMMIT) or is_unreachable(failure):
                raise
        else:
            return
        time.sleep(pause)
