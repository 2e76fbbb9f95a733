"""The whole suite on PostgreSQL and on MongoDB: `python -m tests.databases [--require] [arguments of pytest]`.

It uses the servers that TEST_POSTGRES_URL and TEST_MONGODB_URL name. Without them it takes a PostgreSQL at
127.0.0.1:5432 that lets `postgres` in without a password, and starts a server that speaks MongoDB's protocol
(tests/support/mongodb.py). What it cannot reach it leaves out and says so; `--require` makes that a failure.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg

from tests.support.processes import ROOT

POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


@contextlib.contextmanager
def postgresql() -> Iterator[str | None]:
    url = os.environ.get("TEST_POSTGRES_URL", POSTGRES_URL)
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as failure:
        print(
            f"No PostgreSQL: {failure}\nStart one, or name another: TEST_POSTGRES_URL=postgres://user:password@host/db"
        )
        yield None
    else:
        yield url


@contextlib.contextmanager
def mongodb() -> Iterator[str | None]:
    if given := os.environ.get("TEST_MONGODB_URL"):
        yield given
        return
    from tests.support.mongodb import MongoServer

    with tempfile.TemporaryDirectory() as folder:
        server = MongoServer(Path(folder))
        try:
            server.start()
        except Exception as failure:
            print(f"No MongoDB: {failure}\nName a replica set: TEST_MONGODB_URL=mongodb://host:27017/?replicaSet=rs0")
            yield None
            return
        try:
            yield server.url
        finally:
            server.stop()


def run(name: str, database: AbstractContextManager[str | None], arguments: list[str]) -> int | None:
    """pytest's exit status on this database; None where there is none."""
    with database as url:
        if url is None:
            return None
        print(f"== the suite on {name}", flush=True)
        command = [sys.executable, "-m", "pytest", "-n", "2", *arguments]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, "TEST_DATABASE_URL": url}, check=False).returncode


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != "--require"]
    results = {
        "PostgreSQL": run("PostgreSQL", postgresql(), arguments),
        "MongoDB": run("MongoDB", mongodb(), arguments),
    }
    for name, status in results.items():
        print(f"{name}: {'not there' if status is None else 'passed' if status == 0 else 'FAILED'}")
    missing_counts = "--require" in sys.argv
    return int(any(status if status is not None else missing_counts for status in results.values()))


if __name__ == "__main__":
    sys.exit(main())
