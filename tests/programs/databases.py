"""The whole suite on PostgreSQL and on MongoDB.

`python -m tests.programs.databases [--require] [--crash|--outage] [arguments]` (or `make test-databases`).

It uses the servers that TEST_POSTGRES_URL and TEST_MONGODB_URL name. Without them it starts a PostgreSQL where the
programs are installed, or takes one at 127.0.0.1:5432 that lets `postgres` in without a password, and starts a server
that speaks MongoDB's protocol (tests/support/mongodb.py). What it cannot reach it leaves out and says so;
`--require` makes that a failure. With `--crash` it runs the crash test instead of the suite: 50 kills of our server on
SQLite too, and 20 of each database's server. With `--outage` it runs tests.programs.outage, on SQLite too but not on
MongoDB.
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

from tests.support.postgresql import PostgresServer, binaries
from tests.support.processes import ROOT

#: Arguments of pytest or the like, several runs in a row.
Runs = list[list[str]]

SERVER_KILLS = ["tests.programs.crash", "--kills", "50"]
DATABASE_KILLS = ["tests.programs.crash", "--victim", "database", "--kills", "20"]

#: The suite is spread over three processes, as some always wait. The tests of a file stay together: they share servers.
PROCESSES = 3
PARALLEL = ["-n", str(PROCESSES), "--dist", "loadfile", "--no-loadscope-reorder"]

POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/postgres"


@contextlib.contextmanager
def postgresql(*, durable: bool = True) -> Iterator[str | None]:
    """A PostgreSQL server's URL; None, and a word about it, where there is none.

    Where nothing must survive (`durable` False) and the programs are installed, it is a server of its own.
    """
    given = os.environ.get("TEST_POSTGRES_URL")
    if not durable and given is None and binaries() is not None:
        with PostgresServer(durable=False) as server, databases_stay():
            yield server.database_url("postgres")
        return
    url = given or POSTGRES_URL
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as failure:
        if given is None and binaries() is not None:
            with PostgresServer() as server:
                yield server.database_url("postgres")
            return
        print(
            f"No PostgreSQL: {failure}\nInstall or start one, or name another: "
            "TEST_POSTGRES_URL=postgres://user:password@host/db"
        )
        yield None
    else:
        yield url


@contextlib.contextmanager
def mongodb(*, durable: bool = True) -> Iterator[str | None]:
    """The like for MongoDB's protocol; of several servers, the URLs.

    What our own server does for all test processes takes longer than the tests. So each process has one, if the servers
    need not be durable.
    """
    if given := os.environ.get("TEST_MONGODB_URL"):
        yield given
        return
    from tests.support.mongodb import MongoServer

    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = [
            MongoServer(Path(folder, str(number)), durable=durable) for number in range(1 if durable else PROCESSES)
        ]
        try:
            for server in servers:
                server.start()
                stack.callback(server.kill)
        except Exception as failure:
            print(f"No MongoDB: {failure}\nName a replica set: TEST_MONGODB_URL=mongodb://host:27017/?replicaSet=rs0")
            yield None
            return
        with databases_stay():
            yield " ".join(server.url for server in servers)


@contextlib.contextmanager
def databases_stay() -> Iterator[None]:
    """The tests drop none of their databases: to drop some forty, one by one, takes either server a minute."""
    os.environ["TEST_DATABASES_STAY"] = "yes"
    try:
        yield
    finally:
        del os.environ["TEST_DATABASES_STAY"]


def run(name: str, database: AbstractContextManager[str | None], runs: Runs) -> int | None:
    """The first bad exit status of these modules' runs on this database, or 0; None where there is no database."""
    with database as url:
        if url is None:
            return None
        for module, *arguments in runs:
            print(f"== {name}: {module} {' '.join(arguments)}", flush=True)
            command = [sys.executable, "-m", module, *arguments]
            environment = {**os.environ, "TEST_DATABASE_URL": url}
            status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
            if status:
                return status
        return 0


def main() -> int:
    options = {"--require", "--crash", "--outage"}
    arguments = [argument for argument in sys.argv[1:] if argument not in options]
    results = {}
    if "--crash" in sys.argv:
        runs = [SERVER_KILLS, DATABASE_KILLS]
        results["SQLite"] = run("SQLite", contextlib.nullcontext(""), [SERVER_KILLS])
    elif "--outage" in sys.argv:
        runs = [["tests.programs.outage", *arguments]]
        results["SQLite"] = run("SQLite", contextlib.nullcontext(""), runs)
    else:
        runs = [["pytest", *PARALLEL, *arguments]]
    # The suite kills servers of its own; what it does on the shared ones need not survive anything.
    durable = "--crash" in sys.argv or "--outage" in sys.argv
    results["PostgreSQL"] = run("PostgreSQL", postgresql(durable=durable), runs)
    if "--outage" not in sys.argv:
        results["MongoDB"] = run("MongoDB", mongodb(durable=durable), runs)
    for name, status in results.items():
        print(f"{name}: {'not there' if status is None else 'passed' if status == 0 else 'FAILED'}")
    missing_counts = "--require" in sys.argv
    return int(any(status if status is not None else missing_counts for status in results.values()))


if __name__ == "__main__":
    sys.exit(main())
