"""Runs SecantusDB, mended where it does not answer as MongoDB does: `python -m tests.support.secantus --port …`.

In `$project` and in `$addFields` (`$set`) a nested specification names a path. MongoDB takes `{"a": {"b": 1}}` for
`{"a.b": 1}`: the other fields of `a` are what they are without it. SecantusDB 0.7.0b3 takes it for a new document that
replaces `a`. Here such specifications are flattened before it sees them. `tests/unit/test_secantus_patch.py` fails when
this is no longer needed.

It is under the GPL: always a process of its own, never imported by the tests or by the product.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from secantus import aggregate
from secantus.cli import main


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


if __name__ == "__main__":
    mend("_project_one")
    mend("_add_fields_one")
    raise SystemExit(main())
