"""What a change moved, overwrote and removed, so that it can be undone exactly."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.apps import apps
from django.db.models import DateField, Model

from accounts.models import KEYED, User
from core.database.batches import batches

Fields = dict[str, Any]


class Moved(msgspec.Struct):
    """Rows whose `column` named one account, and names another."""

    model: str
    column: str
    keys: list[str]
    before: str
    after: str


class Changed(msgspec.Struct):
    """A row whose fields were overwritten."""

    model: str
    key: str
    before: Fields
    after: Fields


class Removed(msgspec.Struct):
    """A row that is not there any more."""

    model: str
    row: Fields


class Ledger(msgspec.Struct):
    """All of these in their order. The verbs write to the database, inside the caller's unit of work."""

    moved: list[Moved] = []
    changed: list[Changed] = []
    removed: list[Removed] = []
    #: Sessions in which the journal was made to say what the record says.
    agreed: list[str] = []

    def move(self, model: type[Model], column: str, keys: Sequence[str], *, before: str, after: str) -> None:
        if keys:
            self.moved.append(Moved(model._meta.label, column, list(keys), before, after))
            _move(model, column, keys, {}, after)

    def change(self, row: Any, **fields: Any) -> None:
        before = {name: getattr(row, name) for name in fields}
        if before != fields:
            self.changed.append(Changed(row._meta.label, row.pk, before, fields))
            _save(row, fields)

    def remove(self, row: Any) -> None:
        values = {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}
        self.removed.append(Removed(row._meta.label, values))
        type(row)._default_manager.filter(pk=row.pk).delete()

    def packed(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def unpacked(cls, text: str) -> "Ledger":
        return msgspec.json.decode(text, type=cls)

    def undo(self, may_return: Callable[[Any], bool]) -> None:
        """Everything is as it was before; what was changed since stays as it is now.

        `may_return` says of a row that was removed whether it still belongs there.
        """
        for move in self.moved:
            _move(apps.get_model(move.model), move.column, move.keys, {move.column: move.after}, move.before)
        for change in reversed(self.changed):
            model = apps.get_model(change.model)
            row = model._default_manager.filter(pk=change.key).first()
            before, after = _values(model, change.before), _values(model, change.after)
            back = {name: value for name, value in before.items() if row and getattr(row, name) == after[name]}
            if back and not _is_taken(row, back):
                _save(row, back)
        for gone in self.removed:
            model = apps.get_model(gone.model)
            row = model(**_values(model, gone.row))
            if may_return(row):
                row.save_base(raw=True, force_insert=True)  # so that no column takes the time of now


def _move(model: type[Model], column: str, keys: Sequence[str], only: Fields, to: str) -> None:
    for some in batches(keys):
        model._base_manager.filter(pk__in=some, **only).update(**{column: to})


def _save(row: Any, fields: Fields) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))


def _is_taken(row: Any, fields: Fields) -> bool:
    """Whether somebody else has the e-mail or the roll number by now."""
    if not isinstance(row, User):
        return False
    keys = {name: KEYED[name](fields[name]) for name in KEYED if fields.get(name)}
    others = User.objects.exclude(pk=row.pk)
    return any(others.filter(**{f"{name}_key": key}).exists() for name, key in keys.items())


def _values(model: type[Model], fields: Fields) -> Fields:
    """As Python has them: days and times are texts in the ledger."""
    columns = {column.attname: column for column in model._meta.concrete_fields}
    return {
        name: columns[name].to_python(value) if isinstance(columns[name], DateField) else value
        for name, value in fields.items()
    }
