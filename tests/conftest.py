"""Fixtures: real servers on databases of their own, a module's or a single test's. Their logs must stay clean."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection
from django.db.transaction import atomic, set_rollback  # noqa: TID251  tests of every unit of work run in it
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pymongo import monitoring

from attendance_project import settings as project_settings
from tests.support.clients import Api
from tests.support.database import ON_SQLITE, Database, Databases, Unblock, empty_tables, writes
from tests.support.environment import TEST_DATABASE_URL
from tests.support.one_database import runs_on_one
from tests.support.redis import RedisServer
from tests.support.server import Server
from tests.support.starter import starter_of_the_tests

TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]
if TEST_DATABASE_URL.startswith("mongodb"):
    monitoring.register(writes)  # with clients made from now on, so before the first test

# Examples are for what is true, not for how quick a busy machine is: left alone, one of 200 ms fails its test.
hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    on_one = [item for item in items if runs_on_one(item)]
    if not ON_SQLITE:
        config.hook.pytest_deselected(items=on_one)
        left_out = set(on_one)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not (item.get_closest_marker("long") or item.get_closest_marker("early")))


@pytest.fixture(scope="session", autouse=True)
def starter() -> Iterator[None]:
    """Servers and commands start quickly."""
    with starter_of_the_tests():
        yield


@pytest.fixture
def real_hashes(settings: Any) -> None:
    """Passwords cost what they cost in a school."""
    settings.PASSWORD_HASHERS = project_settings.PASSWORD_HASHERS


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The one-time codes that the server hands to its mail, in order."""
    sent: list[int] = []

    def send(*, user: Any, code: int) -> "Future[bool]":
        sent.append(code)
        taken: Future[bool] = Future()
        taken.set_result(True)
        return taken

    monkeypatch.setattr("accounts.mail.send_code", send)
    return sent


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """The database of this process outlives no power failure, and its tests need not wait for the disk."""
    if ON_SQLITE:
        connection.settings_dict["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"


@pytest.fixture(scope="session")
def unblock(django_db_blocker: Any) -> Unblock:
    """Lets a block at databases without a mark. Fixtures ask for this, so that it is known which tests need one."""
    letting: Unblock = django_db_blocker.unblock
    return letting


@pytest.fixture(scope="module")
def lasting(django_db_setup: None, unblock: Unblock) -> Iterator[Unblock]:
    """`with lasting():` makes rows that stand for all tests of a module. Each of them undoes what it does itself.

    The module's tests ask for `db`, in this thread: what they see is in a transaction, which no other thread sees.
    """
    with ExitStack() as transaction:
        with unblock():
            transaction.enter_context(atomic())
        yield unblock
        with unblock():
            set_rollback(True)
            transaction.close()


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, unblock: Unblock) -> Iterator[Databases]:
    """`databases.fresh()` is a new, migrated database."""
    made = Databases(tmp_path_factory.mktemp("databases"), unblock)
    yield made
    made.close()


@pytest.fixture
def make_server(databases: Databases) -> Iterator[Callable[..., Server]]:
    """`make_server(LIVE_SESSIONS="per-class", …)` is a running server; `database=` shares another's."""
    servers: list[Server] = []

    def make(database: Database | None = None, command: list[str] | None = None, **environment: str) -> Server:
        servers.append(Server(database or databases.fresh(), command, **environment))
        return servers[-1].start()

    yield make
    for server in servers:
        server.close()
    for server in servers:
        server.assert_clean()


@pytest.fixture(scope="session")
def shared_server(databases: Databases) -> Iterator[Server]:
    # Its sessions and its focus are everybody's here: limits would count what other tests did.
    with Server(databases.fresh(), LIMITS="False") as running:
        yield running


@pytest.fixture(scope="session")
def shared_server_with_limits(databases: Databases) -> Iterator[Server]:
    """For modules whose tests are about limits: they name it `server`."""
    with Server(databases.fresh()) as running:
        yield running


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Iterator[Server]:
    """A running server in the default mode, shared by all tests (so: one live session for all of them).

    A module's tests leave its log clean, and the server as running as they found it.
    """
    with shared_server.clean_log():
        yield shared_server


@pytest.fixture(scope="session")
def shared_per_class_server(databases: Databases) -> Iterator[Server]:
    with Server(databases.fresh(), LIVE_SESSIONS="per-class", LIMITS="False") as running:
        yield running


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """The REST side of `server`."""
    client = Api(server.url)
    yield client
    client.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A Redis that nobody else uses."""
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server (apt-get install redis-server)")
    with RedisServer() as running:
        yield running
