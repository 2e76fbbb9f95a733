"""One student of a file, checked as far as that is possible without the database."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from classes.rosters.cells import RUINED, cleaned, cleaned_number, is_error, is_ruined
from classes.rosters.formats import Fate
from classes.rosters.headings import LABELS
from classes.rosters.tables import EMAILS, Table, one_line, quoted
from core.characters import is_invisible, named
from core.emails import email_key, valid_email
from core.roll_numbers import roll_number_key

_LONGEST = {"name": 255, "email": 254, "roll_number": 64}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, its cells trimmed. `problem` says why no database could take the row, or is None."""

    line: int
    name: str
    email: str
    roll_number: str | None = None
    problem: str | None = None
    #: Why the file's system says that this is no student of the class; None for a student.
    left_out: str | None = None
    #: The file's system says that the student leaves the class.
    leaves: bool = False
    #: The file may name teachers, who are left out instead of refused.
    may_be_staff: bool = False
    #: The file has no column for e-mails, so its students have none: a cell that is left empty does not say that.
    has_no_email: bool = False

    @property
    def key(self) -> str:
        """What tells the student from others: the e-mail's key, or the roll number's where there is no e-mail."""
        return email_key(self.email) or f"roll number {roll_number_key(self.roll_number)}"


def entries_of(table: Table) -> list[Entry]:
    """The table's rows as entries, in the file's order; lines that are nobody are left out."""
    all_texts = [(line, cells, _texts(table, cells)) for line, cells in table.rows]
    is_last_first = table.format.last_first or _are_last_first([texts.get("name", "") for *__, texts in all_texts])
    has_no_email = table.columns.keys().isdisjoint(EMAILS)
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for line, cells, texts in all_texts:
        fate, why = table.format.judge(texts)
        if fate is Fate.NOBODY:
            continue
        name = _name(texts, is_last_first)
        email, roll_number = texts.get("email", ""), texts.get("roll_number", "")
        if fate is Fate.LEFT_OUT:
            entries.append(Entry(line, name, email, roll_number or None, left_out=why))
            continue
        if table.format.repeats:
            key = email_key(email)
            if key in seen:
                continue  # who joined a meeting twice
            seen[key] = line
        entry = entry_of(line=line, name=name, email=email, roll_number=roll_number)
        problem = entry.problem
        if problem is None or len(cells) < len(table.headings):
            problem = _cells_problem(table, cells, problem) or problem
        if fate is Fate.LEAVES:
            problem = None if email or roll_number else _("it names nobody: it has no e-mail and no identifier")
        entries.append(
            replace(
                entry,
                problem=problem,
                leaves=fate is Fate.LEAVES,
                may_be_staff=table.format.lists_staff,
                has_no_email=has_no_email,
            )
        )
    return entries


def entry_of(*, line: int, name: str, email: str, roll_number: str = "") -> Entry:
    """An entry, checked. The parts are trimmed already."""
    return Entry(line, name, email, roll_number or None, _problem(name, email, roll_number))


def _texts(table: Table, cells: Sequence[str]) -> dict[str, str]:
    texts = {
        column: (cleaned_number if column == "roll_number" else cleaned)(cells[at]) if at < len(cells) else ""
        for column, at in table.columns.items()
    }
    if not texts.get("email") and "@" in texts.get("login", ""):
        texts["email"] = texts["login"]
    return texts


def _name(texts: Mapping[str, str], is_last_first: bool) -> str:
    if "name" not in texts:
        return " ".join(part for part in (texts.get("first_name"), texts.get("last_name")) if part)
    name = texts["name"]
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if is_last_first and comma and first.strip() else name


def _are_last_first(names: Sequence[str]) -> bool:
    """Whether the names of a list are "Last, First": all of them have one comma, with a text on both sides."""
    given = [name.split(",") for name in names if name]
    return bool(given) and all(len(parts) == 2 and all(part.strip() for part in parts) for parts in given)


def _cells_problem(table: Table, cells: Sequence[str], problem: str | None) -> str | None:
    number, width = len(cells), len(table.headings)
    if any(cell.strip() for cell in cells[width:]):
        said = _(
            "it has %(number)d cells, more cells than there are headings (%(width)d): a cell with a separator in it"
            " needs quotation marks. It was read as %(cells)s"
        )
        return said % {"number": number, "width": width, "cells": quoted(cells)}
    if problem is not None and number < width and any(at >= number for at in table.columns.values()):
        said = _("it has %(number)d of %(width)d cells, so %(problem)s. It was read as %(cells)s")
        return said % {"number": number, "width": width, "problem": problem, "cells": quoted(cells)}
    return None


def _problem(name: str, email: str, roll_number: str) -> str | None:
    cells = {"name": name, "email": email, "roll_number": roll_number}
    for column, cell in cells.items():
        problem = _cell_problem(column, cell)
        if problem is not None:
            return problem
    if not name:
        return _("the name is missing: fill it in")
    if not email:
        return None if roll_number else _("the e-mail is missing: fill it in")
    try:
        valid_email(email)
    except ValidationError:
        return _("“%s” is not an e-mail address: correct it") % email
    return None


def _cell_problem(column: str, cell: str) -> str | None:
    label = _(LABELS[column])
    if any(unicodedata.category(letter) == "Cc" for letter in cell):
        return _("the %s has a control character (NUL or a line break, say): remove it") % label
    if len(cell) > _LONGEST[column] or (column == "email" and len(email_key(cell)) > _LONGEST[column]):
        said = _("the %(column)s is too long: at most %(longest)d characters")
        return said % {"column": label, "longest": _LONGEST[column]}
    if column == "roll_number" and is_ruined(cell):
        return _("the roll number is %(number)s: %(why)s") % {"number": cell, "why": _(RUINED)}
    if is_error(cell):
        said = _("the %(column)s is %(cell)s, a formula's error: correct it in the spreadsheet and export it again")
        return said % {"column": label, "cell": cell}
    if (
        column == "email"
        and (hidden := next((at for at, letter in enumerate(cell) if is_invisible(letter)), None)) is not None
    ):
        return _invisible(cell, hidden)
    return None


def _invisible(text: str, at: int) -> str:
    before, after = one_line(text[:at]), one_line(text[at + 1 :])
    said = (
        _("the e-mail has an invisible character (%(character)s) after “%(place)s”: remove it")
        if at
        else _("the e-mail has an invisible character (%(character)s) before “%(place)s”: remove it")
    )
    return said % {"character": named(text[at]), "place": before if at else after}
