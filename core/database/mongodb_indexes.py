"""Plain indexes on MongoDB, for migrations.

The backend makes every unique index partial: the index leaves out nulls, as SQL does. MongoDB uses a partial index only
for queries that repeat its condition, and Django's queries do not. So a model that is read by a unique key needs a
plain index on that key as well. The SQL databases need no such index.
"""

from typing import Any

from django.db.migrations import RunPython


def plain_indexes(app: str, **columns: list[tuple[str, ...]]) -> RunPython:
    """A migration's operation that makes plain indexes on MongoDB, and does nothing elsewhere.

    `columns`: a model's name in lower case → the columns of each index.
    """

    def names(connection: Any) -> list[tuple[Any, tuple[str, ...], str]]:
        return [
            (connection.get_collection(f"{app}_{model}"), keys, f"plain_{'_'.join(keys)}")
            for model, indexes in columns.items()
            for keys in indexes
        ]

    def make(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "mongodb":
            for collection, keys, name in names(schema_editor.connection):
                collection.create_index([(key, 1) for key in keys], name=name)

    def remove(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "mongodb":
            for collection, _, name in names(schema_editor.connection):
                collection.drop_index(name)

    return RunPython(make, remove)
