"""What a change moved, overwrote and removed, so that it can be undone exactly."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import DateField, Model

from accounts.models import KEYED, User
from core.database.batches import batches, insert_as_they_are

Fields = dict[str, Any]


class Moved(msgspec.Struct):
    """Rows whose `column` named one account, and names another."""

    model: str
    column: str
    keys: list[str]
    before: str
    after: str


class Changed(msgspec.Struct):
    """Rows in which the same was overwritten by the same."""

    model: str
    keys: list[str]
    before: Fields
    after: Fields


class Removed(msgspec.Struct):
    """A row that is not there any more."""

    model: str
    row: Fields


class Ledger(msgspec.Struct):
    """All of these in their order. The verbs write to the database, inside the caller's unit of work.

    They write past `save`, and announce nothing.
    """

    moved: list[Moved] = []
    changed: list[Changed] = []
    removed: list[Removed] = []
    #: Sessions in which the journal was made to say what the record says.
    agreed: list[str] = []

    def move(self, model: type[Model], column: str, keys: Sequence[str], *, before: str, after: str) -> None:
        if keys:
            self.moved.append(Moved(model._meta.label, column, list(keys), before, after))
            _update(model, keys, {}, {column: after})

    def change(self, *rows: Any, **fields: Any) -> None:
        """Overwrites fields of rows of one table."""
        groups: list[tuple[Fields, list[Any]]] = []
        for row in rows:
            before = {name: getattr(row, name) for name in fields}
            same = next((keys for known, keys in groups if known == before), None)
            if same is not None:
                same.append(row.pk)
            elif before != fields:
                groups.append((before, [row.pk]))
        for before, keys in groups:
            self.changed.append(Changed(rows[0]._meta.label, keys, before, fields))
            _update(type(rows[0]), keys, {}, fields)

    def remove(self, *rows: Any) -> None:
        """Deletes rows of one table."""
        for row in rows:
            values = {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}
            self.removed.append(Removed(row._meta.label, values))
        for some in batches(rows):
            type(rows[0])._default_manager.filter(pk__in=[row.pk for row in some]).delete()

    def packed(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def unpacked(cls, text: str) -> "Ledger":
        return msgspec.json.decode(text, type=cls)

    def undo(self, may_return: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        """Everything is as it was before; what was changed since stays as it is now.

        `may_return` chooses of the rows that were removed from a table those that still belong there.
        """
        for move in self.moved:
            _update(apps.get_model(move.model), move.keys, {move.column: move.after}, {move.column: move.before})
        for change in reversed(self.changed):
            model = apps.get_model(change.model)
            before, after = _values(model, change.before), _values(model, change.after)
            for name, value in before.items():
                if not _is_taken(model, name, value):
                    _update(model, change.keys, {name: after[name]}, {name: value})
        tables: dict[str, list[Any]] = {}
        for gone in self.removed:
            model = apps.get_model(gone.model)
            tables.setdefault(gone.model, []).append(model(**_values(model, gone.row)))
        for label, rows in tables.items():
            insert_as_they_are(apps.get_model(label), may_return(rows))


def _update(model: type[Model], keys: Sequence[str], only: Fields, to: Fields) -> None:
    for some in batches(keys):
        model._default_manager.filter(pk__in=some, **only).update(**to)


def _is_taken(model: type[Model], name: str, value: Any) -> bool:
    """Whether somebody has this e-mail or roll number by now."""
    key = KEYED[name](value) if model is User and name in KEYED and value else None
    return key is not None and User.objects.filter(**{f"{name}_key": key}).exists()


def _values(model: type[Model], fields: Fields) -> Fields:
    """As Python has them: days and times are texts in the ledger."""
    columns = {column.attname: column for column in model._meta.concrete_fields}
    return {
        name: columns[name].to_python(value) if isinstance(columns[name], DateField) else value
        for name, value in fields.items()
    }
