"""The start script of the tests' database mends faults that SecantusDB still has, and answers as MongoDB does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from tests.support.mongodb import AS_PUBLISHED, MENDED, MongoServer
from tests.support.processes import ROOT

Document = dict[str, Any]

DOCUMENT = {"_id": 1, "person": {"name": "Ada", "age": 36}, "room": "B1"}
#: (stage, MongoDB's answer)
CASES: dict[str, tuple[Document, Document]] = {
    "a nested 1 in $project picks a field": (
        {"$project": {"person": {"name": 1}}},
        {"_id": 1, "person": {"name": "Ada"}},
    ),
    "a nested 0 in $project leaves a field out": (
        {"$project": {"person": {"age": 0}}},
        {"_id": 1, "person": {"name": "Ada"}, "room": "B1"},
    ),
    "a nested value in $addFields keeps the fields beside it": (
        {"$addFields": {"person": {"room": "$room"}}},
        {"_id": 1, "person": {"name": "Ada", "age": 36, "room": "B1"}, "room": "B1"},
    ),
}
#: What the mended server must not break: it answers these as MongoDB does without being mended.
UNTOUCHED: dict[str, tuple[Document, Document]] = {
    "an expression is no path": (
        {"$project": {"person": {"$concat": ["$person.name", "!"]}}},
        {"_id": 1, "person": "Ada!"},
    ),
    "a literal is no path": (
        {"$addFields": {"person": {"$literal": {"name": 1}}}},
        {"_id": 1, "person": {"name": 1}, "room": "B1"},
    ),
    "a dotted path": (
        {"$project": {"person.name": 1, "_id": 0}},
        {"person": {"name": "Ada"}},
    ),
}


@pytest.fixture(scope="module", params=[AS_PUBLISHED, MENDED])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Any]]:
    """(which server, a collection on it that holds DOCUMENT)."""
    with (
        MongoServer(tmp_path_factory.mktemp("mongodb"), request.param) as server,
        MongoClient[Document](server.url) as client,
    ):
        collection: Collection[Document] = client.school.people
        collection.insert_one(dict(DOCUMENT))
        yield request.param, collection


@pytest.mark.parametrize("case", CASES)
def test_the_mended_server_answers_as_mongodb_and_the_published_one_still_does_not(
    served: tuple[str, Collection[Document]], case: str
) -> None:
    module, collection = served
    stage, answer = CASES[case]
    if module == MENDED:
        assert list(collection.aggregate([stage])) == [answer]
    else:
        assert list(collection.aggregate([stage])) != [answer], "SecantusDB is right now: tests.support.secantus can go"


@pytest.mark.parametrize("case", UNTOUCHED)
def test_what_is_no_nested_path_is_left_alone(served: tuple[str, Collection[Document]], case: str) -> None:
    _, collection = served
    stage, answer = UNTOUCHED[case]
    assert list(collection.aggregate([stage])) == [answer]


def test_a_conjunction_is_looked_up_in_an_index_and_the_published_one_still_reads_everything(
    served: tuple[str, Collection[Document]],
) -> None:
    module, collection = served
    rooms = collection.database.rooms
    rooms.create_index([("floor", 1), ("number", 1)])
    rooms.insert_many([{"floor": floor, "number": number} for floor in range(3) for number in range(3)])
    condition = {"$and": [{"floor": 1}, {"number": {"$gte": 1}}, {"$or": [{"number": 1}, {"floor": 2}]}]}
    assert [(room["floor"], room["number"]) for room in rooms.find(condition)] == [(1, 1)]
    by_index = "IXSCAN" in json.dumps(rooms.find(condition).explain()["queryPlanner"], default=str)
    assert by_index == (module == MENDED), "SecantusDB is right now: tests.support.secantus can go"


#: How often the times of what may be forgotten are compared in three statements.
LOOKS = """
import sys
from itertools import count
from secantus.transactions import TransactionRegistry
from tests.support.secantus import mend_all

if sys.argv[1] == "mended":
    mend_all()
times = count()
transactions = TransactionRegistry(time_func=lambda: next(times))
for _ in range(3):
    transactions.prune_expired()
    transactions.retryable_reply(b"", 1, b"")
print(next(times))
"""


@pytest.mark.parametrize(("which", "looks"), [("published", 6), ("mended", 2)])
def test_the_mended_server_does_not_look_at_every_statement_for_what_it_may_forget(which: str, looks: int) -> None:
    # In a process of its own: nothing of the server is imported here.
    said = subprocess.run([sys.executable, "-c", LOOKS, which], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(said.stdout) == looks, "if the published one looks less often: tests.support.secantus need not mend it"
