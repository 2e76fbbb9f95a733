"""django-mongodb-backend, with migrations that go on where they were interrupted.

On MongoDB no migration is a transaction. A crash in its midst leaves the steps that were done, and `migrate` runs the
migration again from its first step. django-mongodb-backend refuses there to make a collection that is there, to rename
one that has its new name, and to remove an index that is gone. Here such a step is passed over. The other steps come to
the same when they are done again. What a migration brings along itself (`RunPython`) must do so, too.

A text that is compared whatever its case is a regular expression there, in which django-mongodb-backend 5.2.4 escapes
nothing: an address with a plus sign would not be found, and one with a dot would find others. Here the text is escaped.
"""

from typing import Any

from django_mongodb_backend import base, operations, schema


class _Database:
    """MongoDB's database, in which a collection may be made that is there."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def create_collection(self, name: str) -> None:
        if name not in self._database.list_collection_names():
            self._database.create_collection(name)


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):  # type: ignore[misc]  # the backend has no types
    """Does what is not done yet."""

    def get_database(self) -> Any:
        database = super().get_database()
        return database if self.collect_sql else _Database(database)

    def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None:
        there = () if self.collect_sql else self.connection.database.list_collection_names()
        if old_db_table in there or new_db_table not in there:
            super().alter_db_table(model, old_db_table, new_db_table)

    def remove_index(self, model: Any, index: Any) -> None:
        # Constraints go through here, too: a unique constraint is an index on MongoDB.
        if self.collect_sql or index.name in self.connection.database[model._meta.db_table].index_information():
            super().remove_index(model, index)

    def _remove_field_index(self, model: Any, field: Any, column_prefix: str = "") -> None:
        named = {index.name for index in model._meta.indexes}  # they stay
        if self._constraint_names(model, [column_prefix + field.column], index=True, exclude=named):
            super()._remove_field_index(model, field, column_prefix)

    def _remove_field_unique(self, model: Any, field: Any, column_prefix: str = "") -> None:
        if self._constraint_names(model, [column_prefix + field.column], unique=True, primary_key=False):
            super()._remove_field_unique(model, field, column_prefix)


class DatabaseOperations(operations.DatabaseOperations):  # type: ignore[misc]
    """Compares texts as they are."""

    def prep_for_iexact_query(self, x: str) -> str:
        return str(self.prep_for_like_query(x))


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    """For `ENGINE` in the settings."""

    SchemaEditorClass = DatabaseSchemaEditor
    ops_class = DatabaseOperations
