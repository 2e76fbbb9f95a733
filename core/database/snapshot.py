"""Reading the whole database as it was at one moment, while others write. Nobody waits for such a reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def snapshot() -> Iterator[None]:
    """All that the block reads is from one moment. The block must not write, and there must be no transaction yet.

    MongoDB ends a transaction after a minute (`transactionLifetimeLimitSeconds`); a longer reading fails there.
    """
    database: Any = connection
    database.ensure_connection()
    if database.vendor == "mongodb":
        from pymongo.read_concern import ReadConcern  # noqa: PLC0415  only where MongoDB is the database

        # A session with `snapshot=True` would do, too, and for longer. But not every server that speaks MongoDB's
        # protocol knows it, and one that does not answers from many moments without a word.
        with database.connection.start_session() as session:
            session.start_transaction(read_concern=ReadConcern("snapshot"))
            database.session = session
            try:
                yield
            finally:
                database.session = None
    elif database.vendor == "sqlite":
        usual = database.transaction_mode
        database.transaction_mode = "DEFERRED"  # the usual mode is a writer's, for which the marks would wait
        try:
            with transaction.atomic():
                yield
        finally:
            database.transaction_mode = usual
    else:
        with transaction.atomic():
            see_one_moment()
            yield


def see_one_moment() -> None:
    """For the first statement of a unit of work: what it reads is from one moment, and from what it writes itself."""
    if connection.vendor == "postgresql":  # SQLite's transactions are so in any case
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
