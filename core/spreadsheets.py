"""Tables for spreadsheets, in which no text is taken for a formula."""

import csv
from collections.abc import Iterable, Sequence
from typing import Protocol

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Writable(Protocol):
    """What text can be written to."""

    def write(self, text: str, /) -> object: ...


def safe_cell(text: str) -> str:
    """`text` on one line, with a quote before it where a spreadsheet would run it as a formula."""
    line = text.replace("\r", " ").replace("\n", " ")
    return f"'{line}" if text.startswith(_FORMULA_STARTS) else line


def write_csv(file: Writable, lines: Iterable[Sequence[str | int | float]]) -> None:
    """`lines` as CSV. Every text is a `safe_cell`; numbers are written as they are, because `-5` is no formula."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([safe_cell(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
