"""People who share a module's server, and servers whose logs must stay clean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clients import Api, Person, Room, make_class
from tests.support.server import Databases, Server


@dataclass
class People:
    """Accounts for a module's tests, made once because a password's hash takes 70 ms."""

    teacher: Person
    other_teacher: Person
    students: list[Person]
    #: A student whom no class of `room` has.
    outsider: Person


def assert_clean(server: Server) -> None:
    """No crash and no lock trouble in the server's log."""
    log = server.log_text()
    for trouble in ("Traceback", "database is locked", "Exception in", "never retrieved", "ERROR"):
        assert trouble not in log, log


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """A running server in the default mode, shared by the module's tests; whatever they do, its log stays clean."""
    running = Server(databases.fresh()).start()
    yield running
    running.close()
    assert_clean(running)


@pytest.fixture(scope="module")
def per_class_server(databases: Databases) -> Iterator[Server]:
    """The same with a live session for each class."""
    running = Server(databases.fresh(), LIVE_SESSIONS="per-class").start()
    yield running
    running.close()
    assert_clean(running)


@pytest.fixture
def make_server(databases: Databases) -> Iterator[Callable[..., Server]]:
    """As the suite's own `make_server`; the logs must be clean in the end."""
    servers: list[Server] = []

    def make(database: Path | None = None, command: list[str] | None = None, **environment: str) -> Server:
        servers.append(Server(database or databases.fresh(), command, **environment))
        return servers[-1].start()

    yield make
    for running in servers:
        running.close()
    for running in servers:
        assert_clean(running)


def make_people(server: Server) -> People:
    api = Api(server.url)
    students = [api.signup("student") for _ in range(3)]
    return People(api.signup("teacher"), api.signup("teacher"), students, api.signup("student"))


@pytest.fixture(scope="module")
def people(server: Server) -> Iterator[People]:
    made = make_people(server)
    yield made
    made.teacher.http.close()


@pytest.fixture(scope="module")
def per_class_people(per_class_server: Server) -> Iterator[People]:
    made = make_people(per_class_server)
    yield made
    made.teacher.http.close()


@pytest.fixture
def room(people: People) -> Room:
    """A fresh class of the teacher and the first two students, its session started: the one that is live."""
    return make_class(people.teacher, people.students[:2])
