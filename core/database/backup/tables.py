"""Which tables a backup has, and what one row looks like there: a JSON object on a line.

A table comes into the backups by being there. Ids are the same on every database. The few tables of Django's own whose
keys each database numbers for itself are written without keys, in their order, and named by Django's natural keys.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import AutoField, DateField, Field, Model, QuerySet

from core.database.backup.archive import BackupError
from core.database.batches import pages

#: What a restored database must not keep: nobody who was signed in before is signed in after, and no file waits.
FORGOTTEN = frozenset({"sessions.Session", "classes.Preview"})
#: What no backup has: what `migrate` makes on every server alike, and what is forgotten.
LEFT_OUT = frozenset({"contenttypes.ContentType", "auth.Permission"}) | FORGOTTEN

#: Rows that are read and written at a time.
BATCH = 500

Row = Mapping[str, Any]


class Names:
    """The rows that each database numbers for itself, by their natural keys. There are few of them.

    What refers to one that is gone is left empty, as databases with foreign keys do: nobody could tell any more what
    the number stood for. `gone` says which they are, and how often something referred to each.
    """

    def __init__(self) -> None:
        self.gone: Counter[str] = Counter()
        self._keys: dict[type[Model], dict[tuple[Any, ...], Any]] = {}
        self._names: dict[type[Model], dict[Any, tuple[Any, ...]]] = {}

    def name(self, model: type[Model], key: Any) -> tuple[Any, ...] | None:
        if model not in self._names:
            rows: Iterable[Any] = model._base_manager.select_related()
            self._names[model] = {row.pk: row.natural_key() for row in rows}
        found = self._names[model].get(key)
        if found is None and key is not None:
            self.gone[f"{model._meta.verbose_name} {key}"] += 1
        return found

    def key(self, model: type[Model], name: Sequence[Any] | None) -> Any:
        if model not in self._keys:
            rows: Iterable[Any] = model._base_manager.select_related()
            self._keys[model] = {row.natural_key(): row.pk for row in rows}
        found = None if name is None else self._keys[model].get(tuple(name))
        if found is None and name is not None:
            self.gone[f"{model._meta.verbose_name} {' '.join(map(str, name))}"] += 1
        return found


@dataclass
class Content:
    """One row of a backup: the row itself, and what it is linked with (the field's name → the other rows' keys)."""

    row: Any
    links: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """One table, with the links of its rows in Django's tables between two tables."""

    model: type[Model]

    @cached_property
    def label(self) -> str:
        return self.model._meta.label

    @cached_property
    def is_numbered(self) -> bool:
        """Whether each database numbers the rows for itself."""
        return _is_numbered(self.model)

    @cached_property
    def columns(self) -> "list[Field[Any, Any]]":
        fields: list[Field[Any, Any]] = list(self.model._meta.concrete_fields)
        return [column for column in fields if not (self.is_numbered and column.primary_key)]

    @cached_property
    def links(self) -> list[Any]:
        found: Iterable[Any] = self.model._meta.many_to_many
        return [link for link in found if link.remote_field.through._meta.auto_created]

    @property
    def rows(self) -> "QuerySet[Any, Row]":
        key = self.model._meta.pk.attname
        return self.model._base_manager.values(*{key, *(column.attname for column in self.columns)})

    def lines(self, names: Names) -> Iterator[list[bytes]]:
        """All rows in the order of their keys, some at a time."""
        for rows in pages(self.rows, self.model._meta.pk.attname, size=BATCH):
            yield self._encode(rows, names)

    def lines_of(self, contents: Sequence[Content], names: Names) -> list[bytes]:
        """The lines of those rows as they are in the database now; those that are not there are left out."""
        key = self.model._meta.pk.attname
        found = {row[key]: row for row in self.rows.filter(pk__in=[content.row.pk for content in contents])}
        return self._encode([found[content.row.pk] for content in contents if content.row.pk in found], names)

    def line(self, content: Content, names: Names) -> bytes:
        """The line of a row that was decoded."""
        return self._line(vars(content.row), content.links, names)

    def _encode(self, rows: Sequence[Row], names: Names) -> list[bytes]:
        key = self.model._meta.pk.attname
        linked = {link.name: self._linked(link, rows, names) for link in self.links}
        return [
            self._line(row, {name: sorted(of.get(row[key], ())) for name, of in linked.items()}, names) for row in rows
        ]

    def _line(self, values: Row, links: Mapping[str, list[Any]], names: Names) -> bytes:
        written = {column.name: self._written(column, values[column.attname], names) for column in self.columns}
        return msgspec.json.encode({**written, **links})

    def decode(self, line: bytes, names: Names) -> Content:
        """Raises `BackupError` for a line that is no row of this table."""
        try:
            written = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError:
            raise BackupError(f"A line of {self.label} is no JSON object.") from None
        wanted = {column.name for column in self.columns} | {link.name for link in self.links}
        if written.keys() != wanted:
            raise BackupError(f"A row of {self.label} has other columns: {', '.join(sorted(written.keys() ^ wanted))}.")
        try:
            values = {column.attname: self._read(column, written[column.name], names) for column in self.columns}
            links = {link.name: _there(link.related_model, written[link.name], names) for link in self.links}
        except (ValidationError, TypeError) as failure:
            raise BackupError(f"A row of {self.label} is none: {failure}") from None
        return Content(self.model(**values), links)

    def _written(self, column: "Field[Any, Any]", value: Any, names: Names) -> Any:
        numbered = _numbered_target(column)
        return value if numbered is None else names.name(numbered, value)

    def _read(self, column: "Field[Any, Any]", value: Any, names: Names) -> Any:
        numbered = _numbered_target(column)
        if numbered is not None:
            return names.key(numbered, value)
        if not isinstance(column, DateField):  # one with a time is such a field, too
            return value
        moment = column.to_python(value)
        if isinstance(moment, datetime) and connection.vendor == "mongodb":
            return moment.replace(microsecond=moment.microsecond // 1000 * 1000)  # it keeps no more
        return moment

    def _linked(self, link: Any, rows: Sequence[Row], names: Names) -> dict[Any, list[Any]]:
        """The row's key → what it is linked with, as it is written."""
        near, far = f"{link.m2m_field_name()}_id", f"{link.m2m_reverse_field_name()}_id"
        keys = [row[self.model._meta.pk.attname] for row in rows]
        found: dict[Any, list[Any]] = {}
        pairs = link.remote_field.through._base_manager.filter(**{f"{near}__in": keys})
        for one, other in pairs.values_list(near, far):
            target = link.related_model
            name = names.name(target, other) if _is_numbered(target) else other
            if name is not None:
                found.setdefault(one, []).append(name)
        return found

    def linking(self, contents: Iterable[Content], names: Names) -> Iterator[Any]:
        """The rows of the tables between, for rows that are in the database."""
        for content in contents:
            for link in self.links:
                near, far = f"{link.m2m_field_name()}_id", f"{link.m2m_reverse_field_name()}_id"
                target = link.related_model
                key = names.key(self.model, content.row.natural_key()) if self.is_numbered else content.row.pk
                for written in content.links[link.name]:
                    other = names.key(target, written) if _is_numbered(target) else written
                    yield link.remote_field.through(**{near: key, far: other})


def tables() -> list[Table]:
    """Every table of a backup, by its label."""
    models = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
    return sorted(
        (Table(model) for model in models if model._meta.label not in LEFT_OUT), key=lambda table: table.label
    )


def _is_numbered(model: type[Model]) -> bool:
    return isinstance(model._meta.pk, AutoField)


def _there(target: type[Model], written: list[Any], names: Names) -> list[Any]:
    """Without what `migrate` makes on every server (rights), and did not make on this one."""
    if target._meta.label not in LEFT_OUT:
        return written
    return [name for name in written if names.key(target, name) is not None]


def _numbered_target(column: "Field[Any, Any]") -> type[Model] | None:
    """The numbered table to which the column refers; None for any other column."""
    target = column.related_model
    return target if isinstance(target, type) and issubclass(target, Model) and _is_numbered(target) else None
