"""Plain indexes on MongoDB, for migrations.

The backend makes every unique index partial (it leaves out nulls, as SQL does), and MongoDB uses a partial index only
for queries that repeat its condition, which Django's do not. So what is looked up by a unique key needs a plain
index on it as well. The SQL databases need none.
"""

from typing import Any

from django.db.migrations import RunPython


def plain_indexes(app: str, **columns: list[tuple[str, ...]]) -> RunPython:
    """A migration's operation: for each model (by its name) plain indexes on these columns, on MongoDB alone."""

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
