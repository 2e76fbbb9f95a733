"""Ids: ObjectIds, written as 24 lower-case hex digits everywhere outside the database.

The process makes an id before it writes the row, so that a write whose answer was lost can be found by the id.
`ObjectIdField` is the only place that knows how a database stores an id.
"""

import itertools
import os
import re
import secrets
import time
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
    """A new id. The ids of one process sort in the order in which the process made them.

    It is made as MongoDB's drivers make an ObjectId: seconds, five bytes of the process, a counter. `bson` takes six
    times as long for one, which a mark would notice.
    """
    return f"{int(time.time()):08x}{_process}{next(_counter) & 0xFFFFFF:06x}"


_process: str
_counter: "itertools.count[int]"


def _begin_anew() -> None:
    """A process makes other ids than the one that it is a fork of."""
    global _process, _counter
    _process, _counter = secrets.token_hex(5), itertools.count(secrets.randbelow(1 << 24))


_begin_anew()
os.register_at_fork(after_in_child=_begin_anew)


def parse_id(value: object) -> str | None:
    """The id that `value` is, in lower case; None for any value, of any type, that is not 24 hex digits."""
    return value.lower() if isinstance(value, str) and _HEX.match(value) else None


class ObjectIdField(_Field):
    """An id: an ObjectId on MongoDB, 24 characters on SQL databases, 24 hex digits as a string in Python."""

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
        # MongoDB's primary key is always called `_id`. Migrations name no column, so they suit every database.
        attname, column = super().get_attname_column()
        return attname, "_id" if self.primary_key and _on_mongodb() else column

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return ObjectId(value) if value is not None and connection.vendor == "mongodb" else value

    def get_db_converters(self, connection: Any) -> list[Any]:
        """SQL databases give the digits themselves; a call for each id would be a third of what long reads cost."""
        return [_digits] if connection.vendor == "mongodb" else []


def _digits(value: Any, expression: Any, connection: Any) -> str | None:
    return value if value is None else str(value)


def _on_mongodb() -> bool:
    return bool(settings.DATABASES["default"]["ENGINE"] == "core.database.mongodb")


def id_field() -> ObjectIdField:
    """The primary key of this project's models."""
    return ObjectIdField(primary_key=True, default=new_id, editable=False, verbose_name="ID")
