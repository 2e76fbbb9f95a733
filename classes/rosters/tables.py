"""A file's rows as a table: where its headings are, and what it is taken for."""

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from classes.rosters.errors import RosterError
from classes.rosters.formats import FORMATS, Format, plain_list
from classes.rosters.headings import LABELS, column_named, column_word, columns_of, folded, is_of_others
from core.characters import without_invisible

#: A line's number and its cells as they are in the file.
Line = tuple[int, Sequence[str]]
#: Column → the heading that is meant, by which whoever imports says which column is which.
Named = Mapping[str, str]

#: Headings stand within so many of the first lines.
TOP = 60
#: No class has more students, and no school.
MOST_ROWS = 50_000
#: A list has a name, and one of these or a roll number.
REQUIRED = ("name", "email")
#: The columns that may have an e-mail.
EMAILS = ("email", "login")


#: Is told of so many rows more that were read. It raises an error of `core.errors` where these are too many.
Charge = Callable[[int], object]
#: So many rows are read before they are charged.
_PORTION = 1_000
#: So many rows without any text cost what one with a text does.
_EMPTY_FOR_ONE = 100


def nobody_pays(rows: int) -> None:
    """The `Charge` of who may read as much as they like."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows below its headings.

    `columns`: column → its position; those that whoever imports named, too. `headings`: all of them, as they are in the
    file. `rows`: the line that a row begins in (the file's first line is 1) and its cells as they are in the file.
    Rows without any text are left out. `kind`: how the file was read, for people: `CSV, UTF-8, semicolons`.
    """

    format: Format
    columns: Mapping[str, int]
    headings: Sequence[str]
    rows: Sequence[Line]
    kind: str = ""
    #: Other parts of the file that are not used: sheets, files of a zip.
    other_parts: Sequence[str] = ()

    @property
    def taken_for(self) -> str:
        return f"{self.format.name} ({self.kind})" if self.kind else self.format.name

    @property
    def unused(self) -> list[str]:
        """The headings of the columns that are not used, on one line each."""
        used = set(self.columns.values())
        return [one_line(text) for at, text in enumerate(self.headings) if at not in used and text.strip()]


@dataclass(frozen=True, slots=True)
class Found:
    """A line of headings, the `at`-th of the lines. `columns`: column → position. `charge`: of the rows below."""

    at: int
    format: Format
    columns: Mapping[str, int]
    headings: Sequence[str]
    charge: Charge = nobody_pays


#: Finds the line of headings in a file's first lines. Raises `NotFound`, or another `RosterError` for unclear ones.
FindHeadings = Callable[[Sequence[Line]], Found]


class NotFound(RosterError):
    """There is no line of headings. `known` says how many columns the best line names."""

    def __init__(self, message: str, option: str = "", *, known: int) -> None:
        super().__init__(message, option)
        self.known = known


def one_line(text: str) -> str:
    return " ".join(text.split())


def quoted(cells: Sequence[str], longest: int = 120) -> str:
    """A line for messages, as it was read: its cells with bars between them."""
    text = " | ".join(one_line(cell) for cell in cells).rstrip(" |")
    return f"“{text if len(text) <= longest else text[:longest] + '…'}”"


def table_of(found: Found, lines: Iterable[Line], kind: str) -> Table:
    """The table below `found` in `lines`, all of the file's. `RosterError` where there are no or too many rows.

    Rows are charged while they are read, and what `found.charge` raises ends the reading.
    """
    rows: list[Line] = []
    for line, cells in _charged(itertools.islice(lines, found.at + 1, None), found.charge):
        if found.format.ends(cells):
            break
        if has_text(cells):
            rows.append((line, cells))
            if len(rows) > MOST_ROWS:
                raise RosterError(_("The file has more than %d rows. Split it.") % MOST_ROWS)
    for column, remedy in found.format.lacks.items():
        if column not in found.columns:
            raise RosterError(_(remedy))
    if not rows:
        raise RosterError(_("There are headings but no students below them."))
    if found.columns.keys().isdisjoint(EMAILS):
        _refuse_addresses(found.headings, rows)
    return Table(found.format, found.columns, found.headings, rows, kind)


def _charged(lines: Iterable[Line], charge: Charge) -> Iterator[Line]:
    """The lines, a portion of them charged before the next is read."""
    full = empty = 0
    for line in lines:
        if has_text(line[1]):
            full += 1
        else:
            empty += 1
        if full + empty // _EMPTY_FOR_ONE >= _PORTION:
            charge(_PORTION)
            full, empty = 0, 0
        yield line
    charge(full + -(-empty // _EMPTY_FOR_ONE))


def _refuse_addresses(headings: Sequence[str], rows: Iterable[Line]) -> None:
    """A list without a column for e-mails says that its students have none. Addresses below another heading deny it."""
    for _line, cells in rows:
        for heading, cell in zip(headings, cells, strict=False):
            if "@" in cell and not is_of_others(heading):
                raise RosterError(
                    _("There is no column for the e-mail, and “%s” has addresses: leave that column out")
                    % one_line(heading),
                    f', or say which is which: --column {column_word("email")}="{one_line(heading)}"',
                )


def headings_in(lines: Sequence[Line], named: Named) -> Found:
    """The line of headings in a file's first lines. `NotFound`, or another `RosterError` where they are unclear."""
    first: int | None = None
    known = 0
    for at, (_number, cells) in enumerate(lines):
        if not has_text(cells) or is_separator(at, cells):
            continue
        if first is None:
            first = at
        found = _as_headings(at, cells, named)
        if found is None:
            known = max(known, _known(cells))
        elif at == first or found.format.has_top:
            return found
        else:
            line, above = lines[first]
            said = _(
                "Line %(number)d stands above the headings: %(above)s. Delete the lines above the line with %(cells)s."
            )
            raise RosterError(said % {"number": line, "above": quoted(above), "cells": quoted(cells)})
    raise NotFound(*_missing(lines[first] if first is not None else None, named), known=known)


def is_separator(at: int, cells: Sequence[str]) -> bool:
    """Whether a line says nothing: `sep=;` as the first one, and lines of dashes or of separators."""
    if at == 0 and cells[0].strip().casefold().startswith("sep="):
        return True
    return not any(letter.isalnum() for cell in cells for letter in cell)


def has_text(cells: Sequence[str]) -> bool:
    return any(without_invisible(cell).strip() for cell in cells)


def _as_headings(at: int, cells: Sequence[str], named: Named) -> Found | None:
    positions: dict[str, int] = {}
    for position, cell in enumerate(cells):
        positions.setdefault(folded(cell), position)
    positions.pop("", None)
    chosen = {column: positions.get(folded(heading)) for column, heading in named.items()}
    if None in chosen.values():
        return None
    by_hand = {column: position for column, position in chosen.items() if position is not None}
    for known in FORMATS:
        columns = known.find(positions)
        if columns is not None:
            return Found(at, known, _with(columns, by_hand), list(cells))
    others = ["" if position in by_hand.values() else cell for position, cell in enumerate(cells)]
    if not by_hand and not any(column in ("name", "first_name", "last_name") for column in _safely(others)):
        return None
    columns = _with(columns_of(others), by_hand)
    has_name = not columns.keys().isdisjoint(("name", "first_name", "last_name"))
    has_key = "email" in columns or "roll_number" in columns
    return Found(at, plain_list(columns), columns, list(cells)) if has_name and has_key else None


def _with(columns: Mapping[str, int], by_hand: Mapping[str, int]) -> dict[str, int]:
    """The columns, with those that were named in the place of what they stand for."""
    kept = {column: at for column, at in columns.items() if at not in by_hand.values()}
    if "email" in by_hand:
        kept.pop("login", None)
    if "name" in by_hand:
        kept.pop("first_name", None)
        kept.pop("last_name", None)
    elif "first_name" in by_hand or "last_name" in by_hand:
        kept.pop("name", None)
    return {**kept, **by_hand}


def _safely(cells: Sequence[str]) -> dict[str, int]:
    try:
        return columns_of(cells)
    except RosterError:
        return {"name": 0}  # two columns may be one: `columns_of` says so again


def _known(cells: Sequence[str]) -> int:
    return len(_safely(cells))


def _missing(first: Line | None, named: Named) -> tuple[str, str]:
    """What a `RosterError` says of a file whose first line, if it has one, has no headings."""
    if first is None:
        return _("The file is empty. Its first line must have the headings name and email."), ""
    line, cells = first
    for column, heading in named.items():
        if folded(heading) not in map(folded, cells):
            said = _("No column is headed “%(heading)s”, which is to be the %(column)s. Line %(number)d is %(cells)s.")
            label = _(LABELS[column])
            return said % {"heading": heading, "column": label, "number": line, "cells": quoted(cells)}, ""
    columns = _safely(cells)
    lacking = _(" and no ").join(_(LABELS[column]) for column in REQUIRED if column not in columns)
    said = _(
        "There is no column for the %(columns)s: line %(number)d is %(cells)s. It must have headings such as name and"
        " email"
    )
    return (
        said % {"columns": lacking, "number": line, "cells": quoted(cells)},
        f', or say which is which: --column {column_word(REQUIRED[1])}="Login ID"',
    )


def named_columns(words: Iterable[str], columns: Collection[str] = tuple(LABELS)) -> Named:
    """What `email="SIS Login ID"` and its like say, of these columns. Raises `RosterError` for another form."""
    named: dict[str, str] = {}
    for text in words:
        word, equals, heading = text.partition("=")
        column = column_named(word, columns)
        if column is None or not equals or not folded(heading):
            choices = ", ".join(map(column_word, columns))
            raise RosterError(f'“{text}” names no column. The form is email="SIS Login ID", with one of: {choices}.')
        named[column] = heading
    return named


def best_of(readings: Mapping[str, Iterator[Line]], find: FindHeadings) -> tuple[str, Found]:
    """Of several ways to read a file, the one that gives the most known columns, and its headings.

    `readings`: way → the lines as it reads them. Raises the `RosterError` of the way that comes nearest.
    """
    found: dict[str, Found] = {}
    failures: list[RosterError] = []
    for way, lines in readings.items():
        try:
            found[way] = find(list(itertools.islice(lines, TOP)))
        except RosterError as failure:
            failures.append(failure)
    if not found:
        raise max(failures, key=lambda failure: failure.known if isinstance(failure, NotFound) else math.inf)
    best = max(found, key=lambda way: len(found[way].columns))
    return best, found[best]


def with_parts(table: Table, parts: Sequence[str]) -> Table:
    """The table, of a file that has other parts too."""
    return replace(table, other_parts=parts)
