"""People who share a module's server."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.clients import Api, Person, Room, make_class
from tests.support.server import Server


@dataclass
class People:
    """Accounts for a module's tests, made once."""

    teacher: Person
    other_teacher: Person
    students: list[Person]
    #: A student whom no class of `room` has.
    outsider: Person


@pytest.fixture(scope="module")
def per_class_server(shared_per_class_server: Server) -> Iterator[Server]:
    """The same with a live session for each class."""
    with shared_per_class_server.clean_log():
        yield shared_per_class_server


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


@pytest.fixture(scope="module")
def crowd(pair: tuple[Server, Server]) -> Iterator[People]:
    """People of a module whose fixture `pair` is two servers over one database."""
    made = make_people(pair[0])
    yield made
    made.teacher.http.close()
