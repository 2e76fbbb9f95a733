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

`tests/unit/test_secantus_patch.py` fails when one of the mends is no longer needed.

It is under the GPL: always a process of its own, never imported by the tests or by the product.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from secantus import aggregate
from secantus.cli import main
from secantus.server import SecantusDBServer
from secantus.storage import Storage


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


if __name__ == "__main__":
    mend("_project_one")
    mend("_add_fields_one")
    mend_search("_try_index_id_keys")
    mend_search("_pick_index_for_filter")
    lifetime = float(os.environ["TRANSACTION_LIFETIME"])
    SecantusDBServer.__init__.__kwdefaults__["transaction_lifetime_seconds"] = lifetime
    raise SystemExit(main())
