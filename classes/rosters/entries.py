"""One student of a file, checked as far as that is possible without the database."""

import unicodedata
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from classes.rosters.sources import Table
from core.emails import email_key, valid_email

_LONGEST = {"name": 255, "email": 254, "roll_number": 64}
_SAID = {"name": "name", "email": "e-mail", "roll_number": "roll number"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, its cells trimmed. `problem` says why no database could take the row, or is None."""

    line: int
    name: str
    email: str
    roll_number: str | None = None
    problem: str | None = None


def entries_of(table: Table) -> list[Entry]:
    """The table's rows as entries, in the file's order."""
    entries = []
    for line, cells in table.rows:
        found = {column: cells[at].strip() if at < len(cells) else "" for column, at in table.columns.items()}
        entry = entry_of(line=line, **found)
        if any(cell.strip() for cell in cells[table.width :]):
            problem = "it has more cells than there are headings: a cell with a comma in it needs quotation marks"
            entry = replace(entry, problem=problem)
        entries.append(entry)
    return entries


def entry_of(*, line: int, name: str, email: str, roll_number: str = "") -> Entry:
    """An entry, checked. The parts are trimmed already."""
    return Entry(line, name, email, roll_number or None, _problem(name, email, roll_number))


def _problem(name: str, email: str, roll_number: str) -> str | None:
    cells = {"name": name, "email": email, "roll_number": roll_number}
    for column, cell in cells.items():
        if any(unicodedata.category(letter) == "Cc" for letter in cell):
            return f"the {_SAID[column]} has a control character (NUL or a line break, say): remove it"
        if len(cell) > _LONGEST[column] or (column == "email" and len(email_key(cell)) > _LONGEST[column]):
            return f"the {_SAID[column]} is too long: at most {_LONGEST[column]} characters"
    if not name:
        return "the name is missing: fill it in"
    if not email:
        return None if roll_number else "the e-mail is missing: fill it in"
    try:
        valid_email(email)
    except ValidationError:
        return f"{email!r} is not an e-mail address: correct it"
    return None
