"""How large tables and their indexes are, as the database itself says: bytes on the disk.

- SQLite: the pages of each table and index (`dbstat`).
- PostgreSQL: `pg_table_size` and `pg_indexes_size`.
- MongoDB: `collStats`, where the server has it.
"""

import contextlib
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model
from pymongo.errors import OperationFailure


@dataclass(frozen=True, slots=True)
class Size:
    """A table: rows, and bytes of the table alone and of its indexes."""

    table: str
    rows: int
    bytes: int
    index_bytes: int


def sizes() -> list[Size]:
    """The tables that have rows, the largest first."""
    measure = {"sqlite": _sqlite, "postgresql": _postgresql, "mongodb": _mongodb}[connection.vendor]
    found = [size for size in measure() if size.rows]
    return sorted(found, key=lambda size: -(size.bytes + size.index_bytes))


def database_bytes() -> int | None:
    """The whole database; None where the server does not say."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            return int(cursor.fetchone()[0])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])
    stats: Any = {}
    with contextlib.suppress(OperationFailure):
        stats = _collection("django_migrations").database.command("dbStats")
    return int(stats["totalSize"]) if "totalSize" in stats else None


def _models() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


def _rows(model: type[Model]) -> int:
    return model._base_manager.count()


def _sqlite() -> list[Size]:
    """The file is compacted first: a write-ahead log has no table of its own."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")
        of_name = dict(cursor.fetchall())
        cursor.execute("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'")
        indexes: dict[str, int] = {}
        for table, name in cursor.fetchall():
            indexes[table] = indexes.get(table, 0) + of_name.get(name, 0)
    tables = {model._meta.db_table: model for model in _models()}
    return [Size(name, _rows(model), of_name.get(name, 0), indexes.get(name, 0)) for name, model in tables.items()]


def _postgresql() -> list[Size]:
    found = []
    for model in _models():
        name = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_table_size(%s::regclass), pg_indexes_size(%s::regclass)", [name, name])
            table, indexes = cursor.fetchone()
        found.append(Size(name, _rows(model), int(table), int(indexes)))
    return found


def _mongodb() -> list[Size]:
    found = []
    for model in _models():
        collection = _collection(model._meta.db_table)
        stats: Any = collection.database.command("collStats", collection.name)
        found.append(Size(collection.name, _rows(model), int(stats["size"]), int(stats.get("totalIndexSize", 0))))
    return found


def _collection(name: str) -> Any:
    return connection.get_collection(name)  # type: ignore[attr-defined]
