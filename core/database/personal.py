"""What each table says of a person: what their own file shows of it, and what an erasure leaves of it.

Each app declares its tables in a module `personal.py`, in `TABLES`. `docs/privacy.md` lists every column; a test holds
the declarations to that list, so that no personal column is forgotten here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import module_has_submodule

from core.database.batches import batches
from core.times import to_iso

#: The rows go.
DELETE: Mapping[str, Any] = {}
#: Rows that are read at a time.
_CHUNK = 1000
#: A roll number that is shorter is found in too many texts that mean something else.
_SHORTEST_ROLL_NUMBER = 4


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the tables may name them. A name is `""` where the person has none."""

    id: str
    name: str
    email: str
    roll_number: str

    @property
    def names(self) -> Sequence[str]:
        """What names this person and nobody else in a text: an address, a name of several words, a long roll number."""
        found = [self.email, f"{self.name} ({self.roll_number})" if self.roll_number else ""]
        if len(self.name.split()) > 1:
            found.append(self.name)
        if len(self.roll_number) >= _SHORTEST_ROLL_NUMBER:
            found.append(self.roll_number)
        return [name for name in found if name]

    def is_named_in(self, text: str) -> bool:
        """Whether a text names the person, in whole words and any letter case."""
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in self.names)


@dataclass(frozen=True, slots=True)
class Personal:
    """Rows of a table that are about a person.

    - `whose`: the columns that hold the person's id; a row is about whoever one of them names. `also`: other rows that
      are.
    - `shown`: the key in the person's file → the path of the column; in the part `part` of the file.
    - `withheld`: a personal column that the file leaves out → why.
    - `erased`: the column → what an erasure puts there, or a function of the person; DELETE: the rows go; None: they
      stay as they are, because nothing in them tells who the person is.
    - `texts`: columns in which somebody may have named the person; the text of such rows is emptied.
    - `moves`: the column that names another account of the same student once two are merged.
    """

    model: str
    whose: tuple[str, ...] = ()
    also: Callable[[Person], Q] | None = None
    part: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    erased: Mapping[str, Any] | None = None
    texts: tuple[str, ...] = ()
    moves: str = ""

    @property
    def table(self) -> type[Model]:
        return apps.get_model(self.model)

    def rows(self, person: Person) -> "QuerySet[Any]":
        found = self.also(person) if self.also is not None else Q()
        for column in self.whose:
            found |= Q(**{column: person.id})
        return self.table._base_manager.filter(found) if found else self.table._base_manager.none()

    def naming(self, person: Person) -> "list[tuple[Any, list[str]]]":
        """The rows whose texts name the person: the key, and the columns."""
        if not (self.texts and person.names):
            return []
        named = Q()
        for column in self.texts:
            for name in person.names:
                named |= Q(**{f"{column}__icontains": name})
        rows = self.table._base_manager.filter(named).values_list("pk", *self.texts)
        found = [
            (key, [column for column, text in zip(self.texts, texts, strict=True) if person.is_named_in(text)])
            for key, *texts in rows
        ]
        return [(key, columns) for key, columns in found if columns]


def declared() -> list[Personal]:
    """The declarations of all apps."""
    found: list[Personal] = []
    for app in apps.get_app_configs():
        if module_has_submodule(app.module, "personal"):
            found += import_module(f"{app.name}.personal").TABLES
    return found


# The person's file


def parts_of(person: Person) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """The parts of the person's file, each with its rows, the oldest first."""
    for one in declared():
        if one.part:
            yield one.part, _shown(one, person)


def _shown(one: Personal, person: Person) -> Iterator[dict[str, Any]]:
    rows = one.rows(person).order_by("pk").values_list(*one.shown.values())
    for values in rows.iterator(chunk_size=_CHUNK):
        yield dict(zip(one.shown, map(_plain, values), strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_iso(value)
    return value.isoformat() if isinstance(value, date) else value


def withheld() -> list[dict[str, str]]:
    """What no file shows, and why: `{table, column, why}`."""
    return [
        {"table": one.table._meta.db_table, "column": column, "why": why}
        for one in declared()
        for column, why in one.withheld.items()
    ]


# Erasure


@dataclass(frozen=True, slots=True)
class Step:
    """What an erasure does with one kind of rows; `columns` are emptied, or the rows go."""

    table: str
    rows: int
    columns: Sequence[str]


def erasure_steps(person: Person) -> list[Step]:
    """What `erase_rows` would do now. Kinds of which there is no row are left out."""
    found = []
    for one in declared():
        table = str(one.table._meta.verbose_name_plural)
        if one.erased is not None:
            found.append(Step(table, one.rows(person).count(), sorted(one.erased)))
        found.append(Step(table, len(one.naming(person)), sorted(one.texts)))
    return [step for step in found if step.rows]


def erase_rows(person: Person) -> None:
    """Inside a unit of work: takes the person out of all tables. Once more finds nothing to do."""
    for one in declared():
        for key, columns in one.naming(person):
            one.table._base_manager.filter(pk=key).update(**dict.fromkeys(columns, ""))
        if one.erased is None:
            continue
        # The keys first: no database but those of SQL changes rows that are found through another table.
        for some in batches(list(one.rows(person).values_list("pk", flat=True))):
            rows = one.table._default_manager.filter(pk__in=some)
            if one.erased is DELETE:
                rows.delete()
            else:
                rows.update(**{name: put(person) if callable(put) else put for name, put in one.erased.items()})
