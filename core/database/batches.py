"""Long lists in parts: no database takes any number of keys in one query, and no process holds any number of rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, Q, QuerySet

T = TypeVar("T")


def batches(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """`values` in their order, in parts of `size`; the last part may be shorter."""
    return (values[start : start + size] for start in range(0, len(values), size))


def pages(
    rows: "QuerySet[Any, Mapping[str, Any]]", *order: str, size: int = 500
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """All `rows`, the result of `values`, by the one or two columns of `order`, which no two rows share.

    Each page is a query of its own, which begins behind the last row of the page before, so pages may be read in
    different threads. A row that is added meanwhile may be on a later page, and no other row is twice or left out.
    """
    *before, last = order
    page = list(rows.order_by(*order)[:size])
    while page:
        yield page
        if len(page) < size:
            return
        end = page[-1]
        behind = Q(**{f"{last}__gt": end[last]})
        for column in before:
            behind = Q(**{f"{column}__gt": end[column]}) | Q(**{column: end[column]}) & behind
        page = list(rows.filter(behind).order_by(*order)[:size])


def insert_as_they_are(model: type[Model], rows: Sequence[Any], columns: Sequence[Any] | None = None) -> None:
    """Inserts rows as `bulk_create` does, which would put the time of now into some columns."""
    wanted = columns if columns is not None else model._meta.concrete_fields
    manager: Any = model._base_manager
    size = max(1, connection.ops.bulk_batch_size(wanted, rows))  # 0 for no rows
    for some in batches(rows, size):
        manager._insert(some, fields=wanted, using=connection.alias, raw=True)
