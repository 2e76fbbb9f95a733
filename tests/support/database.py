"""Databases for tests: made fresh, migrated, asked past the server. Which kind: environment.TEST_DATABASE_URL."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, TypeVar

import psycopg
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import F
from django.db.transaction import atomic  # noqa: TID251  only to empty tables
from django.db.utils import load_backend
from pymongo import IndexModel, MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from accounts.models import AccountsVersion
from attendance.enums import SessionState
from attendance.models import Attendance, Mark, Session
from attendance_project.settings import database_settings
from tests.support.environment import DATABASES_STAY, PREFIX, TEST_DATABASE_URL, database_url
from tests.support.starter import ROOT, start

R = TypeVar("R")
#: pytest-django lets nobody at a database outside marked tests; this makes an exception.
Unblock = Callable[[], AbstractContextManager[Any]]

ON_SQLITE = not TEST_DATABASE_URL


class Database:
    """One database, as a server process has it by `url`. What is asked here goes past every server.

    `path` is a place for files about it; there need not be one.
    """

    def __init__(self, url: str, path: Path, unblock: Unblock = nullcontext) -> None:
        self.url = url
        self.path = path
        self._unblock = unblock

    def ask(self, work: Callable[[], R]) -> R:
        """What `work` finds or does through the ORM. It must not return a lazy QuerySet."""
        with self._unblock(), ThreadPoolExecutor(1) as thread:
            return thread.submit(self._ask, work).result()

    def _ask(self, work: Callable[[], R]) -> R:
        # Connections are a thread's own, so in this one the default database can be another than in the rest of the
        # process; and no event loop runs here, so that tests with one may ask as well.
        wrapper = load_backend(self._settings["ENGINE"]).DatabaseWrapper(self._settings, DEFAULT_DB_ALIAS)
        if wrapper.vendor == "mongodb":
            wrapper._connection_pools = {}  # they go by alias as well, and this may be another server
        connections[DEFAULT_DB_ALIAS] = wrapper
        ContentType.objects.clear_cache()  # its keys are a database's own
        try:
            return work()
        finally:
            ContentType.objects.clear_cache()
            wrapper.close()
            if wrapper.vendor == "mongodb":
                wrapper.close_pool()

    @cached_property
    def _settings(self) -> dict[str, Any]:
        settings = database_settings(self.url)
        settings["OPTIONS"].pop("pool", None)  # pools go by alias: this would be the process's own database's
        completed: dict[str, dict[str, Any]] = connections.configure_settings({DEFAULT_DB_ALIAS: settings})
        return completed[DEFAULT_DB_ALIAS]

    def journal(self, class_id: str, session_id: str | None = None) -> list[tuple[int, str, str]]:
        """`(seq, student, status)` of every mark ever made in the class, or in one session, in order."""
        marks = Mark.objects.filter(**_of(class_id, session_id, "session__class_ref_id"))
        order = ("session__started_at", "session_id", "seq")
        return self.ask(lambda: list(marks.order_by(*order).values_list("seq", "student_id", "status")))

    def records(self, class_id: str, session_id: str | None = None) -> list[tuple[str, str]]:
        """`(student, status)` of the records of the class, or of one session; by session, then by the students' ids."""
        found = Attendance.objects.filter(**_of(class_id, session_id, "class_ref_id"))
        order = ("session__started_at", "session_id", "student_id")
        return self.ask(lambda: list(found.order_by(*order).values_list("student_id", "status")))

    def sessions(self, class_id: str) -> list[Session]:
        """The class's sessions, in the order in which they began."""
        return self.ask(lambda: list(Session.objects.filter(class_ref_id=class_id).order_by("started_at", "id")))

    def states(self, class_id: str) -> list[str]:
        return [session.state for session in self.sessions(class_id)]

    def forget(self, class_id: str, *, hours: int = 5) -> None:
        """Moves the last mark of the class's open session into the past."""
        sessions = Session.objects.filter(class_ref_id=class_id, state=SessionState.OPEN)
        self.ask(lambda: sessions.update(last_activity_at=F("last_activity_at") - timedelta(hours=hours)))


def _of(class_id: str, session_id: str | None, class_path: str) -> dict[str, str]:
    return {class_path: class_id} if session_id is None else {"session_id": session_id}


def environment_of(database: Database, more: dict[str, str]) -> dict[str, str]:
    """The environment of a process that works on `database`."""
    return {**os.environ, "DATABASE_URL": database.url, "PYTHONUNBUFFERED": "1", **more}


def manage(*arguments: str, database: Database, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a `manage.py` command on `database`; the caller looks at `returncode`, `stdout` and `stderr`."""
    return run_script("manage.py", *arguments, env=environment_of(database, environment))


def run_script(*script: str, env: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The same for any script in a copy of the project."""
    with open(os.devnull, "rb") as nothing, TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        status = start([sys.executable, *script], (nothing, stdout, stderr), cwd=cwd, env=env).wait(120)
        for said in (stdout, stderr):
            said.seek(0)
        return subprocess.CompletedProcess(script, status, stdout.read(), stderr.read())


class Databases:
    """Fresh, migrated databases: one is migrated, the others are copies of it. All that may not stay go at `close`."""

    def __init__(self, folder: Path, unblock: Unblock = nullcontext) -> None:
        self.folder = folder
        self._unblock = unblock
        self._numbers = itertools.count(1)
        self._names: list[str] = []
        if ON_SQLITE:
            self._kind: Files | PostgreSQL | MongoDB = Files(folder)
        elif TEST_DATABASE_URL.startswith("mongodb"):
            self._kind = MongoDB()
        else:
            self._kind = PostgreSQL()

    def fresh(self) -> Database:
        template = f"{PREFIX}_template"
        if template not in self._names:
            database = self._named(template)
            self._kind.make(template)
            made = manage("migrate", "--verbosity", "0", database=database)
            assert made.returncode == 0, made.stderr
        database = self._named(f"{PREFIX}_{next(self._numbers)}")
        self._kind.copy(template, self._names[-1])
        return database

    def empty(self) -> Database:
        """A new database without any table."""
        database = self._named(f"{PREFIX}_{next(self._numbers)}")
        self._kind.make(self._names[-1])
        return database

    def _named(self, name: str) -> Database:
        self._names.append(name)
        return Database(self._kind.url(name), self.folder / name, self._unblock)

    def close(self) -> None:
        """No server may be running any more."""
        for name in [] if DATABASES_STAY else self._names:
            self._kind.drop(name)
        self._kind.close()


@contextmanager
def databases_of_a_run(place: Path | None = None) -> Iterator[Databases]:
    """For what is no test of pytest's: databases in a folder of their own, the system's or one in `place`."""
    with (
        TemporaryDirectory(prefix="attendance-", dir=place, ignore_cleanup_errors=True) as folder,
        closing(Databases(Path(folder))) as databases,
    ):
        yield databases


class Files:
    """SQLite."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    def url(self, name: str) -> str:
        return f"sqlite:///{self._path(name)}"

    def make(self, name: str) -> None:
        self._path(name).touch(mode=0o600)

    def copy(self, template: str, name: str) -> None:
        shutil.copy(self._path(template), self._path(name))

    def drop(self, name: str) -> None:
        """The folder goes as a whole."""

    def close(self) -> None:
        pass


class PostgreSQL:
    """Databases of one PostgreSQL server."""

    def __init__(self) -> None:
        # Each database is made and dropped by a statement of its own, outside any transaction.
        self._connection = psycopg.connect(database_url("postgres"), autocommit=True)

    def url(self, name: str) -> str:
        return database_url(name)

    def _run(self, statement: str, *names: str) -> None:
        identifiers = map(psycopg.sql.Identifier, names)
        self._connection.execute(psycopg.sql.SQL(statement).format(*identifiers))

    def make(self, name: str) -> None:
        self._run("CREATE DATABASE {}", name)

    def copy(self, template: str, name: str) -> None:
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)

    def drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def close(self) -> None:
        self._connection.close()


class MongoDB:
    """Databases of one MongoDB server."""

    def __init__(self) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(TEST_DATABASE_URL)

    def url(self, name: str) -> str:
        return database_url(name)

    def make(self, name: str) -> None:
        """The first write does."""

    def copy(self, template: str, name: str) -> None:
        source, target = self._client[template], self._client[name]
        for collection in source.list_collections(filter={"type": "collection"}):
            source_rows, target_rows = source[collection["name"]], target[collection["name"]]
            target.create_collection(collection["name"], **collection.get("options", {}))
            indexes = [
                IndexModel(list(index["key"].items()), **{key: index[key] for key in index.keys() - {"key", "v", "ns"}})
                for index in source_rows.list_indexes()
                if index["name"] != "_id_"
            ]
            if indexes:
                target_rows.create_indexes(indexes)
            if documents := list(source_rows.find()):
                target_rows.insert_many(documents)

    def drop(self, name: str) -> None:
        self._client.drop_database(name)

    def close(self) -> None:
        self._client.close()


class Writes(CommandListener):
    """Which collections were written to on MongoDB in this process since they were last emptied."""

    COMMANDS = frozenset({"insert", "update", "delete", "findAndModify"})

    def __init__(self) -> None:
        self.collections: set[str] = set()

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in self.COMMANDS:
            self.collections.add(event.command[event.command_name])

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


writes = Writes()


#: What migrations put there, and tests change no row of.
_KEPT = (Permission, ContentType, AccountsVersion)


def empty_tables(*_: object) -> None:
    """What Django's test cases do after each test whose writes are not rolled back, at a fraction of the time.

    Django's `flush` deletes permissions and content types, and makes them anew. On MongoDB it also empties what nobody
    wrote to.
    """
    tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True) if model not in _KEPT]
    if connection.vendor == "mongodb":
        for table in tables:
            if table in writes.collections:
                connection.get_collection(table).delete_many({})  # type: ignore[attr-defined]
        version_changed = AccountsVersion._meta.db_table in writes.collections
    else:
        with atomic(), connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        version_changed = True
    if version_changed:
        AccountsVersion.objects.update(number=0)
    writes.collections.clear()
