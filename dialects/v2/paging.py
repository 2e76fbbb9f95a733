"""Lists in pages: `?limit=` and `?after=`, answered `{items, next}`."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from core import errors, strict_json
from core.ids import parse_id
from core.rest.serializers import OutputSerializer
from core.times import is_far

LIMIT, MOST = 100, 500

#: The parameters of every list, for the OpenAPI document.
FILTERS: Mapping[str, tuple[type, str]] = {
    "limit": (int, f"How many items at most, 1 to {MOST}; {LIMIT} if it is left out."),
    "after": (str, "The `next` of the page before."),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page a client asks for."""

    limit: int
    after: Sequence[str] | None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """The page that the query names. Raises `InvalidSchema`."""
        text = query.get("limit", str(LIMIT))
        if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MOST):
            raise errors.InvalidSchema({"limit": [_("A number from 1 to %d.") % MOST]})
        after = query.get("after")
        return cls(int(text), None if after is None else _decoded(after))


@dataclass(frozen=True, slots=True)
class Order:
    """A list's order: by a column if it has one, of times or of folded names, then by id."""

    by: str | None = None
    newest_first: bool = False

    @property
    def fields(self) -> list[str]:
        return [f"-{name}" if self.newest_first else name for name in (self.by, "id") if name is not None]

    def behind(self, after: Sequence[str]) -> Q:
        """Those that come after a page's last. Raises `InvalidSchema`."""
        beyond = "lt" if self.newest_first else "gt"
        key = parse_id(after[-1])
        if key is None or len(after) != len(self.fields):
            raise _bad_after()
        if self.by is None:
            return Q(**{f"id__{beyond}": key})
        value = after[0] if self.by.endswith("name_folded") else _time(after[0])
        return Q(**{f"{self.by}__{beyond}": value}) | Q(**{self.by: value, f"id__{beyond}": key})

    def mark(self, row: Any) -> str:
        """What the next page is asked for by, behind `row`."""
        values = [attrgetter(field.lstrip("-").replace("__", "."))(row) for field in self.fields]
        values = [value.isoformat() if isinstance(value, datetime) else value for value in values]
        return base64.urlsafe_b64encode(strict_json.dumps(values).encode()).decode().rstrip("=")


def page(
    rows: "QuerySet[Any]", asked: Asked, order: Order, show: Callable[[list[Any]], Iterable[Any]]
) -> dict[str, Any]:
    """The page of `rows`; `show` turns its rows into items."""
    if asked.after is not None:
        rows = rows.filter(order.behind(asked.after))
    found = list(rows.order_by(*order.fields)[: asked.limit + 1])
    shown = found[: asked.limit]
    return {"items": list(show(shown)), "next": order.mark(shown[-1]) if len(found) > asked.limit else None}


@cache
def page_of(item: type[OutputSerializer]) -> type[serializers.Serializer[Any]]:
    """The serializer of a page of these items, for the OpenAPI document."""
    fields = {
        "items": item(many=True),
        "next": serializers.CharField(allow_null=True),
        "__module__": item.__module__,
        "__doc__": f"A page of {item.__name__.removesuffix('Output').lower()}s.",
    }
    made: type[serializers.Serializer[Any]] = type(f"{item.__name__}Page", (serializers.Serializer,), fields)
    return made


def _decoded(text: str) -> Sequence[str]:
    try:
        values = strict_json.loads(base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except ValueError:
        raise _bad_after() from None
    if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
        raise _bad_after()
    return values


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_after() from None
    if moment.tzinfo is None or is_far(moment.date()):
        raise _bad_after()
    return moment


def _bad_after() -> errors.InvalidSchema:
    return errors.InvalidSchema({"after": [_("Not the `next` of a page.")]})
