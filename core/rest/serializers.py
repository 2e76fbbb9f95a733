"""Serializer fields and bases that take exactly what the contracts say: a number is no string, nothing is trimmed."""

import functools
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import errors
from core.emails import LONGEST, valid_email
from core.ids import parse_id
from core.times import to_iso


class StrictString(serializers.CharField):
    """A JSON string, unchanged. DRF's own field also takes 5 and True, and trims the text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictEmail(StrictString):
    """An e-mail address of at most 254 characters. Its letter case is kept."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, **kwargs)
        self.validators.append(valid_email)


class StrictChoice(StrictString):
    """One of `choices`, in any letter case. The value is in lower case."""

    def __init__(self, choices: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data).lower()
        if value not in self.choices:
            self.fail("invalid")
        return value


class StrictFlag(serializers.BooleanField):
    """`true` or `false`; DRF's own field takes "yes" and 1 as well."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field({"type": "string", "pattern": "^[0-9a-f]{24}$"})
class Id(serializers.CharField):
    """An id in an answer."""


@extend_schema_field({"type": "string", "pattern": "^[0-9a-fA-F]{24}$"})
class StrictId(StrictString):
    """24 hex digits. The value is in lower case."""

    def to_internal_value(self, data: Any) -> str:
        key = parse_id(super().to_internal_value(data))
        if key is None:
            self.fail("invalid")
        return key


@extend_schema_field({"type": "string", "format": "date-time"})
class IsoTime(serializers.Field[datetime, Any, str, Any]):
    """A time in an answer, as JavaScript's `toISOString()` prints it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: datetime) -> str:
        return to_iso(value)


class InputSerializer(serializers.Serializer[Any]):
    """A request's body. Fields that it does not name are ignored."""

    @classmethod
    def read(cls, data: object) -> dict[str, Any]:
        """The validated fields of `data`. Raises `InvalidSchema` for data that is not valid."""
        body = cls(data=data)
        if not isinstance(data, dict) or not body.is_valid():
            raise errors.InvalidSchema
        return dict(body.validated_data)


class OutputSerializer(serializers.Serializer[Any]):
    """What an answer shows of an object. The fields are made once for all answers; DRF makes them for each answer."""

    @classmethod
    def show(cls, source: object) -> dict[str, Any]:
        """What the answer shows of `source`."""
        return cls._shared().to_representation(source)

    @classmethod
    def show_all(cls, sources: Iterable[object]) -> list[dict[str, Any]]:
        """What the answer shows of each of `sources`."""
        shared = cls._shared()
        return [shared.to_representation(source) for source in sources]

    @classmethod
    @functools.cache
    def _shared(cls) -> "OutputSerializer":
        return cls()
