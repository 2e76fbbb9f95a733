"""Ids: ObjectIds, written as 24 lower-case hex digits everywhere outside the database.

They are made in the process, before anything is written, so that a write whose answer was lost can be looked
up by its id. `ObjectIdField` is the only place that knows how a database stores one.
"""

import re
from typing import TYPE_CHECKING, Any

from bson import ObjectId
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

if TYPE_CHECKING:
    _Field = models.Field[str, str]
else:
    _Field = models.Field

_HEX = re.compile(r"[0-9a-fA-F]{24}\Z", re.ASCII)


def new_id() -> str:
    """A fresh id; ids made later by one process sort after those it made before."""
    return str(ObjectId())


def parse_id(value: object) -> str | None:
    """The id that `value` spells, lower-cased, or None where it spells none (any type, any string)."""
    return value.lower() if isinstance(value, str) and _HEX.match(value) else None


class ObjectIdField(_Field):
    """An ObjectId: native on MongoDB, 24 characters on SQL databases, a 24-hex string in Python."""

    description = "ObjectId (24 hex digits)"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = 24
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length", None)
        return str(name), path, list(args), dict(kwargs)

    def get_internal_type(self) -> str:
        return "CharField"

    def to_python(self, value: object) -> str | None:
        if value is None:
            return None
        parsed = parse_id(str(value))
        if parsed is None:
            raise ValidationError("“%(value)s” is not an id.", code="invalid", params={"value": value})
        return parsed

    def get_prep_value(self, value: object) -> str | None:
        return self.to_python(super().get_prep_value(value))

    def db_type(self, connection: Any) -> str | None:
        return "objectId" if connection.vendor == "mongodb" else super().db_type(connection)

    def rel_db_type(self, connection: Any) -> str | None:
        return self.db_type(connection)

    def get_attname_column(self) -> tuple[str, Any]:
        # MongoDB's own primary key is always called so; in migrations it stays without a column name.
        attname, column = super().get_attname_column()
        return attname, "_id" if self.primary_key and _on_mongodb() else column

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return ObjectId(value) if value is not None and connection.vendor == "mongodb" else value

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return value if value is None else str(value)


def _on_mongodb() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == "django_mongodb_backend")


def id_field() -> ObjectIdField:
    """The primary key that every model of ours has."""
    return ObjectIdField(primary_key=True, default=new_id, editable=False, verbose_name="ID")
