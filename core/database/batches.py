"""Long lists in parts: no database takes any number of keys in one query."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """`values` in their order, in parts of `size`; the last part may be shorter."""
    return (values[start : start + size] for start in range(0, len(values), size))
