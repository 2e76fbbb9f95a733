"""Stands between a test and the reads of its database: to fail them, or to do something in their midst."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any
from unittest.mock import patch

from django.db import connection
from pymongo.collection import Collection

#: Is given what runs a query, and the query's text (SQL, or collection and pipeline); returns the query's answer.
Around = Callable[[Callable[[], Any], str], Any]


_is_watched: ContextVar[bool] = ContextVar("is_watched", default=False)


def are_watched() -> bool:
    """Whether something is around the queries of this context."""
    return _is_watched.get()


@contextlib.contextmanager
def around_queries(around: Around) -> Iterator[None]:
    """Every query of this thread passes `around` (on MongoDB: every read of the process through the ORM)."""
    before = _is_watched.set(True)
    try:
        with _around(around):
            yield
    finally:
        _is_watched.reset(before)


@contextlib.contextmanager
def _around(around: Around) -> Iterator[None]:
    if connection.vendor == "mongodb":
        aggregate = Collection.aggregate

        def passed(self: Collection[Any], pipeline: Any, *args: Any, **options: Any) -> Any:
            return around(lambda: aggregate(self, pipeline, *args, **options), f"{self.name} {pipeline}")

        with patch.object(Collection, "aggregate", passed):
            yield
    else:

        def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            return around(lambda: execute(sql, params, many, context), sql)

        with connection.execute_wrapper(wrapper):
            yield
