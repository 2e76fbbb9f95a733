"""Queries whose SQL is made once, for the reads by id that a hot route makes at every request.

Django builds and compiles a query at every use: 400 µs for a read of which SQLite needs 6. A `Prepared` keeps the SQL
that Django made, and runs it with other ids in 22-40 µs. MongoDB has no SQL: there Django builds the query each time.
"""

import inspect
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models import QuerySet
from django.db.models.query import FlatValuesListIterable, ModelIterable

Row = TypeVar("Row")


class Prepared(Generic[Row]):
    """A query of ids, compiled at its first use: `Prepared(lambda class_id: Class.objects.filter(pk=class_id))`.

    The query set gives models (without joins) or a `values_list`. The ids go to the database unchecked, so each id must
    come from `core.ids` or from the database.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Row]"]) -> None:
        self._build = build
        self._compiled: _Compiled | None = None

    def first(self, *ids: str) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(*ids)), None)

    def rows(self, *ids: str) -> list[Row]:
        """All rows."""
        connection: Any = connections["default"]
        if connection.vendor == "mongodb":
            return list(self._build(*ids))
        if self._compiled is None:
            self._compiled = _Compiled(connection, self._build)
        return self._compiled.rows(connection, ids)


class _Compiled:
    def __init__(self, connection: Any, build: Callable[..., "QuerySet[Any, Any]"]) -> None:
        # Ids that no row has mark the places of the real ids among the statement's parameters.
        stand_ins = [f"{number:024x}" for number in range(len(inspect.signature(build).parameters))]
        query_set: Any = build(*stand_ins)
        compiler = query_set.query.get_compiler(connection=connection)
        self.sql, self.parameters = compiler.as_sql()
        self.places = [(at, stand_ins.index(one)) for at, one in enumerate(self.parameters) if one in stand_ins]
        self.convert = compiler.apply_converters
        self.converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self.make: Callable[[Any], Any] = tuple
        if query_set._iterable_class is ModelIterable:
            model = query_set.model
            names = [field.attname for field in model._meta.concrete_fields]
            self.make = lambda row: model.from_db("default", names, row)
        elif query_set._iterable_class is FlatValuesListIterable:
            self.make = lambda row: row[0]

    def rows(self, connection: Any, ids: tuple[str, ...]) -> list[Any]:
        parameters = list(self.parameters)
        for at, number in self.places:
            parameters[at] = ids[number]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            rows = cursor.fetchall()
        return [self.make(row) for row in self.convert(rows, self.converters)] if rows else []
