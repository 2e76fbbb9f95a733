"""Queries whose SQL is made once, for the reads by id that a hot route makes at every request.

Django builds and compiles a query at every use: 400 µs for a read of which SQLite needs 6. A `Prepared` keeps the SQL
that Django made, and runs it with other ids in 22-40 µs. MongoDB has no SQL: there Django builds the query each time.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.models.query import FlatValuesListIterable, ModelIterable

Row = TypeVar("Row")
#: What a query is asked with: `str` for an id, `datetime` for a time.
Kinds = tuple[type, ...]

#: A query of more ids is built at each use.
MOST_IDS = 64


class Prepared(Generic[Row]):
    """A query of ids, compiled at its first use: `Prepared(lambda class_id: Class.objects.filter(pk=class_id))`.

    It may be one of times as well. One of any number of ids, `lambda *class_ids: …`, is compiled for each number. The
    query set gives models (without joins) or a `values_list`. The ids go to the database unchecked, so each id must
    come from `core.ids` or from the database.
    """

    def __init__(self, build: Callable[..., "QuerySet[Any, Row]"]) -> None:
        self._build = build
        #: By what is asked for: ids and times, in order.
        self._compiled: dict[Kinds, _Compiled] = {}

    def first(self, *asked: str | datetime) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(*asked)), None)

    def rows(self, *asked: str | datetime) -> list[Row]:
        """All rows."""
        connection: Any = connections["default"]
        if connection.vendor == "mongodb" or len(asked) > MOST_IDS:
            return list(self._build(*asked))
        kinds = tuple(map(type, asked))
        compiled = self._compiled.get(kinds)
        if compiled is None:
            try:
                compiled = self._compiled[kinds] = _Compiled(connection, self._build, kinds)
            except EmptyResultSet:  # it asks for one of no ids
                return []
        return compiled.rows(connection, asked)


class _Compiled:
    def __init__(self, connection: Any, build: Callable[..., "QuerySet[Any, Any]"], kinds: Kinds) -> None:
        # Ids and times that no row has mark the places of the real ones among the statement's parameters.
        unreal = [
            datetime(1, 1, 2, microsecond=at, tzinfo=UTC) if kind is datetime else f"{at:024x}"
            for at, kind in enumerate(kinds)
        ]
        query_set: Any = build(*unreal)
        compiler = query_set.query.get_compiler(connection=connection)
        self.sql, self.parameters = compiler.as_sql()
        self.has_times = datetime in kinds
        stand_ins = _as_parameters(connection, unreal)
        self.places = [(at, stand_ins.index(one)) for at, one in enumerate(self.parameters) if one in stand_ins]
        if connection.vendor == "sqlite":
            self.sqlite = _with_constants(self.sql, self.parameters, stand_ins)
        found = compiler.get_converters([column for column, _, _ in compiler.select])
        #: Column → what makes its value of what the database gave, in order. NULL is None.
        self.converters = [(at, convert, column) for at, (each, column) in found.items() for convert in each]
        self.make: Callable[[Any], Any] = tuple
        if query_set._iterable_class is ModelIterable:
            model = query_set.model
            names = [field.attname for field in model._meta.concrete_fields]
            self.make = lambda row: model.from_db("default", names, row)
        elif query_set._iterable_class is FlatValuesListIterable:
            self.make = lambda row: row[0]

    def rows(self, connection: Any, asked: Sequence[Any]) -> list[Any]:
        ids = _as_parameters(connection, asked) if self.has_times else asked
        return [self._made(connection, list(row)) for row in self._fetched(connection, ids)]

    def _fetched(self, connection: Any, ids: Sequence[Any]) -> list[Any]:
        found: list[Any]
        if connection.vendor == "sqlite" and not (connection.queries_logged or connection.execute_wrappers):
            # What Django's cursor does, but for its three layers, which take longer than SQLite.
            if connection.connection is None:
                connection.ensure_connection()
            connection.validate_no_broken_transaction()
            with connection.wrap_database_errors:
                bound = [ids[number] for _, number in self.places]
                found = connection.connection.execute(self.sqlite, bound).fetchall()
        else:
            parameters = list(self.parameters)
            for at, number in self.places:
                parameters[at] = ids[number]
            with connection.cursor() as cursor:
                cursor.execute(self.sql, parameters)
                found = cursor.fetchall()
        return found

    def _made(self, connection: Any, values: list[Any]) -> Any:
        for at, convert, column in self.converters:
            if values[at] is not None:
                values[at] = convert(values[at], column, connection)
        return self.make(values)


def _as_parameters(connection: Any, asked: Sequence[str | datetime]) -> list[Any]:
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(one) if isinstance(one, datetime) else one for one in asked]


def _with_constants(sql: str, parameters: Sequence[Any], ids: Collection[str]) -> str:
    """The statement as SQLite's library writes it, with all that it is asked with but the ids.

    Where an index is partial, SQLite plans a statement anew for each value that is bound: 20 µs at each use.
    """
    texts = sql.split("%s")  # Django's statements have no other percent sign
    marks = ["?" if value in ids else _literal(value) for value in parameters]
    return texts[0] + "".join(mark + text for mark, text in zip(marks, texts[1:], strict=True))


def _literal(value: str | int) -> str:
    return f"{value:d}" if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
