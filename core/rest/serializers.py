"""Serializer fields and bases that take exactly what the contracts say: a number is no string, nothing is trimmed."""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Any, ClassVar

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core import errors
from core.characters import says_something
from core.emails import LONGEST, valid_email
from core.ids import parse_id
from core.times import from_iso, is_far, to_iso

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)


class StrictString(serializers.CharField):
    """A JSON string, unchanged. DRF's own field also takes 5 and True, and trims the text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Said(StrictString):
    """A text that people read: it has at least one character that is seen, unless it may be blank."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not self.allow_blank:
            self.validators.append(says_something)


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


@extend_schema_field({"type": "string", "enum": ["true", "false"]})
class FlagText(StrictString):
    """`true` or `false` as a text of a form."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if text not in ("true", "false"):
            self.fail("invalid")
        return text == "true"


class StrictInteger(serializers.IntegerField):
    """A whole number; DRF's own field takes "5", 5.0 and true as well."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


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


class ShownEmail(serializers.CharField):
    """A person's address in an answer: `""` for somebody without one, and where it is hidden."""


@extend_schema_field({"type": "string", "format": "date-time"})
class IsoTime(serializers.Field[datetime, Any, str, Any]):
    """A time in an answer, as JavaScript's `toISOString()` prints it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: datetime) -> str:
        return to_iso(value)


@extend_schema_field({"type": "string", "format": "date"})
class StrictDay(StrictString):
    """A day, `2025-03-11`. In an answer, and in a body, where it is of the years 1900 to 9000."""

    default_error_messages: ClassVar = {
        "invalid_day": _("Not a day: write it as 2025-03-11."),
        "far_day": _("A day of the years 1900 to 9000."),
    }

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        if not _DAY.match(text):
            self.fail("invalid_day")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            self.fail("invalid_day")
        if is_far(day):
            self.fail("far_day")
        return day

    def to_representation(self, value: Any) -> str:
        return str(value)


@extend_schema_field({"type": "string", "format": "date-time"})
class StrictTime(StrictString):
    """A moment with its offset from UTC, as `toISOString()` or RFC 3339 print it, of the years 1900 to 9000.

    The value has whole milliseconds.
    """

    default_error_messages: ClassVar = {
        "invalid_time": _("Not a time: write it as 2025-03-11T10:00:00.000Z."),
        "far_time": _("A time of the years 1900 to 9000."),
    }

    def to_internal_value(self, data: Any) -> Any:
        moment = from_iso(super().to_internal_value(data))
        if moment is None:
            self.fail("invalid_time")
        if is_far(moment):
            self.fail("far_time")
        return moment


class InputSerializer(serializers.Serializer[Any]):
    """A request's body. Fields that it does not name are ignored."""

    @classmethod
    def read(cls, data: object) -> dict[str, Any]:
        """The validated fields of `data`. Raises `InvalidSchema`, which names the fields that are not valid."""
        if not isinstance(data, dict):
            raise errors.InvalidSchema
        try:
            return dict(cls._shared(get_language()).run_validation(data))
        except serializers.ValidationError as failure:
            raise errors.InvalidSchema(dict(_by_path(failure.detail))) from None

    @classmethod
    @functools.cache
    def _shared(cls, language: str | None) -> "InputSerializer":
        """Made once for all bodies of a language: DRF's messages stay in that in which they were told first.

        DRF itself makes a serializer for each body, and copies all of its fields.
        """
        return cls()


def _by_path(failures: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """A serializer's errors by the path of the field: `marks.1.status`."""
    if isinstance(failures, dict):
        for name, below in failures.items():
            yield from _by_path(below, f"{path}.{name}" if path else str(name))
    elif failures and all(isinstance(failure, str) for failure in failures):
        yield path, [str(failure) for failure in failures]
    else:
        for number, below in enumerate(failures):
            yield from _by_path(below, f"{path}.{number}")


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

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """As DRF's, in a third of the time, where each field shows an attribute or item of `instance`."""
        try:
            of = instance.__getitem__ if isinstance(instance, dict) else functools.partial(getattr, instance)
            values = [of(source) for source in self._sources]
        except (AttributeError, KeyError):
            values = []
        if len(values) != len(self._representing) or any(map(callable, values)):
            return super().to_representation(instance)
        return {
            name: None if value is None else represent(value)
            for (name, represent), value in zip(self._representing, values, strict=True)
        }

    @functools.cached_property
    def _representing(self) -> list[tuple[str, Callable[[Any], Any]]]:
        return [(str(field.field_name), field.to_representation) for field in self._readable_fields]

    @functools.cached_property
    def _sources(self) -> list[str]:
        """The attribute of each field; fewer if one is found in another way."""
        fields = [(field, field.source_attrs) for field in self._readable_fields]
        is_plain = serializers.Field.get_attribute
        return [attrs[0] for field, attrs in fields if len(attrs) == 1 and type(field).get_attribute is is_plain]

    @classmethod
    @functools.cache
    def _shared(cls) -> "OutputSerializer":
        return cls()
