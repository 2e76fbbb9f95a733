"""Runs SecantusDB, mended where it does not answer as MongoDB does: `python -m tests.support.secantus --port …`.

In `$project` and in `$addFields` (`$set`) a nested specification names a path. MongoDB takes `{"a": {"b": 1}}` for
`{"a.b": 1}`: the other fields of `a` are what they are without it. SecantusDB 0.7.0b3 takes it for a new document that
replaces `a`. Here such specifications are flattened before it sees them.

Where a filter is a conjunction (`{"$and": […]}`, which is how the backend sends two conditions and more) MongoDB looks
for an index that serves its clauses. SecantusDB 0.7.0b3 reads the whole collection. Here its search for an index is
given the clauses' fields side by side; it checks what it finds against the whole filter itself.

A transaction that a killed client left open is ended after TRANSACTION_LIFETIME seconds without a statement (from the
environment) instead of a minute, MongoDB's default (`transactionLifetimeLimitSeconds`): the crash tests would wait for
that after each kill.

At each statement SecantusDB 0.7.0b3 goes through all sessions, transactions and repeatable writes that it has ever
seen, up to 10,000, and looks for some to forget. Here it does so once a second: otherwise a run of all tests gets
slower by the minute. It also looks up for each statement whether somebody profiles the database, which nobody does.

`tests/unit/test_secantus_patch.py` fails when one of the mends is no longer needed.

It is under the GPL: always a process of its own, never imported by the tests or by the product.
"""

import os
import time
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from secantus import aggregate
from secantus.cli import main
from secantus.server import SecantusDBServer
from secantus.sessions import SessionRegistry
from secantus.storage import Storage
from secantus.transactions import TransactionRegistry

#: Between two looks for what can be forgotten, seconds.
PRUNE_INTERVAL = 1.0


def flatten(specification: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`{"a": {"b": 1}}` as `("a.b", 1)`. An expression (`{"$…": …}`), an empty document and `_id` stay as they are."""
    for name, value in specification.items():
        path = prefix + name
        if isinstance(value, Mapping) and value and path != "_id" and not next(iter(value)).startswith("$"):
            yield from flatten(value, f"{path}.")
        else:
            yield path, value


def mend(name: str) -> None:
    original = getattr(aggregate, name)

    def mended(document: dict[str, Any], specification: Mapping[str, Any], variables: dict[str, Any]) -> Any:
        return original(document, dict(flatten(specification)), variables)

    setattr(aggregate, name, mended)


def clauses(condition: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that every document of a filter must match, `$and` resolved: enough to choose an index by."""
    fields: dict[str, Any] = {}
    for name, value in condition.items():
        if name == "$and":
            for part in value:
                fields = clauses(part) | fields
        elif not name.startswith("$"):
            fields[name] = value
    return fields


def mend_search(name: str) -> None:
    original = getattr(Storage, name)

    def mended(self: Storage, database: str, collection: str, condition: dict[str, Any], **options: Any) -> Any:
        fields = clauses(condition)
        found = original(self, database, collection, fields, **options)
        if found is None and len(fields) > 1:
            # Any one clause that has an index will do; its plans do not say that, though its look-ups do it.
            alone = (original(self, database, collection, {key: value}, **options) for key, value in fields.items())
            found = next((one for one in alone if one is not None), None)
        return found

    setattr(Storage, name, mended)


def mend_pruning(registry: type, name: str) -> None:
    """Calls are under the registry's lock."""
    original = getattr(registry, name)
    last: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def mended(self: Any) -> Any:
        now = time.monotonic()
        if now - last.get(self, -PRUNE_INTERVAL) < PRUNE_INTERVAL:
            return 0
        last[self] = now
        return original(self)

    setattr(registry, name, mended)


def not_profiled(self: Storage, database: str) -> dict[str, Any]:
    return {"level": 0, "slowms": 100, "sampleRate": 1.0}


def mend_all() -> None:
    mend("_project_one")
    mend("_add_fields_one")
    mend_search("_try_index_id_keys")
    mend_search("_pick_index_for_filter")
    mend_pruning(SessionRegistry, "_prune_locked")
    mend_pruning(TransactionRegistry, "_prune_locked")
    mend_pruning(TransactionRegistry, "_prune_retryable_locked")
    Storage.get_profile = not_profiled


if __name__ == "__main__":
    mend_all()
    lifetime = float(os.environ["TRANSACTION_LIFETIME"])
    SecantusDBServer.__init__.__kwdefaults__["transaction_lifetime_seconds"] = lifetime
    raise SystemExit(main())
