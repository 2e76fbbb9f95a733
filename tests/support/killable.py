"""A database server of a test's own, which it may kill: of the kind that the suite runs on."""

import contextlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import psycopg

from tests.support.database import Database, Databases, Unblock, manage
from tests.support.environment import TEST_DATABASE_URL
from tests.support.mongodb import MongoServer
from tests.support.postgresql import PostgresServer

DatabaseServer = MongoServer | PostgresServer


@contextlib.contextmanager
def killable_database(folder: Path, unblock: Unblock = nullcontext) -> Iterator[tuple[DatabaseServer, Database]]:
    """A running server that nobody else uses, and a migrated database in it."""
    with _server(folder) as server:
        database = Database(server.database_url("school"), folder / "school", unblock)
        made = manage("migrate", "--verbosity", "0", database=database)
        assert made.returncode == 0, made.stderr
        yield server, database


@contextlib.contextmanager
def crash_database(folder: Path, databases: Databases, unblock: Unblock = nullcontext) -> Iterator[Database]:
    """A database for a server of ours that is killed again and again, one of `databases` where that will do.

    On MongoDB a killed client's transaction goes on until its time is up, so there it is a server of its own, where
    that is soon.
    """
    if TEST_DATABASE_URL.startswith("mongodb"):
        with killable_database(folder, unblock) as (_, database):
            yield database
    else:
        yield databases.fresh()


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[DatabaseServer]:
    if TEST_DATABASE_URL.startswith("mongodb"):
        with MongoServer(folder / "mongodb", transaction_lifetime=2.0) as mongodb:
            yield mongodb
    else:
        with PostgresServer() as postgresql:
            with psycopg.connect(postgresql.database_url("postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE school")
            yield postgresql
