"""Tables for spreadsheets, in which no text is a formula, whatever the spreadsheet takes for a separator."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Protocol

from core.characters import without_invisible

#: What a CSV file begins with, so that Excel reads it as UTF-8.
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"

#: A cell: text, a number, a day or a local time (without a zone).
Cell = str | int | float | date

#: What a formula begins with, also in the wide forms that some spreadsheets take.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
#: What another spreadsheet may take for the end of a cell. Commas are not among them: every text is in quotation marks.
_SEPARATOR = re.compile(r"([;\t|])")


class Writable(Protocol):
    """What text can be written to."""

    def write(self, text: str, /) -> object: ...


def safe_cell(text: str) -> str:
    """`text` on one line, with a quote before each place where a spreadsheet would begin to run it as a formula."""
    line = text.replace("\r", " ").replace("\n", " ")
    guarded = "".join(f"'{part}" if _is_formula(part) else part for part in _SEPARATOR.split(line))
    return f"'{guarded}" if guarded.lstrip("'").startswith("\t") else guarded


def without_guard(cell: str) -> str:
    """The text of which `safe_cell` made `cell`, but for its line breaks."""
    line = cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith("\t") else cell
    return "".join(part[1:] if part[:1] == "'" and _is_formula(part) else part for part in _SEPARATOR.split(line))


def _is_formula(part: str) -> bool:
    """Whether `part` begins like a formula, behind what nobody sees and behind quotes and quotation marks."""
    return without_invisible(part).lstrip("'\" \xa0\u3000").startswith(_FORMULA_STARTS)


def csv_lines(lines: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """`lines` as CSV, one at a time, each with its line break.

    Every text is a `safe_cell` in quotation marks; numbers stand as they are: `-5` is no formula. Dates are texts.
    """
    made = _Kept()
    writer = csv.writer(made, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for line in lines:
        writer.writerow([_csv_cell(cell) for cell in line])
        yield made.text


def write_csv(file: Writable, lines: Iterable[Sequence[Cell]]) -> None:
    """`csv_lines` into a file."""
    for line in csv_lines(lines):
        file.write(line)


class _Kept:
    """Keeps the last line that was written."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _csv_cell(cell: Cell) -> str | int | float:
    if isinstance(cell, str):
        return cell if cell.isalnum() and cell.isascii() else safe_cell(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return str(cell) if isinstance(cell, date) else cell
