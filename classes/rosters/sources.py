"""What a file of students holds, row by row. Nothing here knows the database."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classes.rosters.errors import RosterError
from classes.rosters.headings import REQUIRED, columns_of, missing

#: What may stand between two cells. The first that gives a line of known headings is the file's.
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows below its headings.

    `columns`: column → its position. `width`: how many headings there are. `rows`: the line that a row begins in
    (the file's first line is 1) and its cells as they are in the file. Rows without any text are left out.
    """

    columns: Mapping[str, int]
    width: int
    rows: Sequence[tuple[int, Sequence[str]]]


def read_csv(path: Path) -> Table:
    """A CSV file: UTF-8, with or without a byte order mark; commas, semicolons or tabs.

    Raises `RosterError` for a file that cannot be read, and for one without headings or without rows.
    """
    text = _text_of(path)
    delimiter, width, columns = _headings_of(re.split(r"\r\n|\r|\n", text, maxsplit=1)[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    end = 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            if line > 1 and any(cell.strip() for cell in cells):
                rows.append((line, cells))
    except csv.Error as failure:
        raise RosterError(
            f"Line {end + 1} is not CSV ({failure}). A quotation mark opens a cell and must close it again."
        ) from None
    if not rows:
        raise RosterError(f"{path} has headings but no students below them.")
    return Table(columns, width, rows)


def _text_of(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise RosterError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise RosterError(f"{path} is a folder. Name a CSV file.") from None
    except OSError as failure:
        raise RosterError(f"Cannot read {path}: {failure.strerror}.") from None
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not UTF-8. In a spreadsheet, save it as “CSV UTF-8”.") from None
    except ValueError:
        raise RosterError("The file's name has a NUL character.") from None
    if not text.strip():
        raise RosterError(f"{path} is empty. Its first line must have the headings name and email.")
    return text


def _headings_of(line: str) -> tuple[str, int, dict[str, int]]:
    """The delimiter with which `line` is a line of known headings, how many headings it has, and the columns."""
    best: dict[str, int] = {}
    for delimiter in _DELIMITERS:
        try:
            headings = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            continue  # a cell longer than the csv module reads is no heading
        columns = columns_of(headings)
        if all(column in columns for column in REQUIRED):
            return delimiter, len(headings), columns
        best = max(best, columns, key=len)
    raise missing(best)
