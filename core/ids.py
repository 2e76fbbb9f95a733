"""Ids: ObjectIds, written as 24 lower-case hex digits everywhere outside the database.

They are made in the process, before anything is written, so that a write whose answer was lost can be looked
up by its id. `ObjectIdField` is the only place that knows how a database stores one.
"""

import re
from typing import TYPE_CHECKING, Any

from bson import ObjectId
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
    """An ObjectId: 24 characters on SQL databases, a 24-hex string in Python."""

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


def id_field() -> ObjectIdField:
    """The primary key that every model of ours has."""
    return ObjectIdField(primary_key=True, default=new_id, editable=False, verbose_name="ID")
