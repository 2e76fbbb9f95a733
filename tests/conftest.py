"""Fixtures: real servers on databases of their own, a module's or a single test's. Their logs must stay clean."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from attendance_project import settings as project_settings
from tests.support.clients import Api
from tests.support.database import Database, Databases, empty_tables
from tests.support.environment import TEST_DATABASE_URL
from tests.support.server import Server

if TEST_DATABASE_URL.startswith("mongodb"):
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]

# Examples are for what is true, not for how quick a busy machine is: left alone, one of 200 ms fails its test.
hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")


@pytest.fixture
def real_hashes(settings: Any) -> None:
    """Passwords cost what they cost in a school."""
    settings.PASSWORD_HASHERS = project_settings.PASSWORD_HASHERS


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Databases]:
    """`databases.fresh()` is a new, migrated database."""
    made = Databases(tmp_path_factory.mktemp("databases"), django_db_blocker.unblock)
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


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """A running server in the default mode, shared by the module's tests (so: one live session for all of them)."""
    running = Server(databases.fresh()).start()
    yield running
    running.close()
    running.assert_clean()


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """The REST side of `server`."""
    client = Api(server.url)
    yield client
    client.close()
