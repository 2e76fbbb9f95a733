"""What spreadsheets do to cells: what is undone of it, and what cannot be."""

import re

from django.utils.translation import gettext_noop

from core.spreadsheets import without_guard

#: `="0013"`, by which a CSV file keeps a spreadsheet from making a number of 0013.
_AS_FORMULA = re.compile(r'="([^"]*)"\Z')
#: `'0012`: the mark by which a spreadsheet takes what follows as text.
_AS_TEXT = re.compile(r"'+(?=\w)")
#: How workbooks write a character that XML has no place for.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

#: A number that was too long (1.23457E+11), became a fraction (123456789012.0) or a workbook's date (of 1-2), or was
#: wider than its column (####).
_RUINED_NUMBER = re.compile(
    r"[+-]?\d(?:[.,]\d+)?E[+-]\d{1,3}|\d+[.,]0+|#+|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.IGNORECASE
)
#: The value of a formula that failed, in the languages of spreadsheets: #N/A, #NV, #REF!, #BEZUG!, #NAME?, #¡VALOR!
_ERROR = re.compile(r"#[^\W\d_¡/!?. ]*[\w¡/ .]*[!?]|#N/A|#N/D|#NV|#N/V|#Н/Д|#ND", re.IGNORECASE)

RUINED = gettext_noop("a spreadsheet ruined it: format the column as text and export it again")


def cleaned(cell: str) -> str:
    """A cell as it was meant: trimmed, without what guards it against being a number or a formula."""
    text = cell.strip()
    formula = _AS_FORMULA.match(text)
    return formula[1].strip() if formula else without_guard(text)


def cleaned_number(cell: str) -> str:
    """A roll number's cell as it was meant: `'0012` and `="0013"` are 0012 and 0013."""
    return _AS_TEXT.sub("", cleaned(cell), count=1) if cell.strip().startswith("'") else cleaned(cell)


def is_ruined(number: str) -> bool:
    """Whether a spreadsheet has changed the roll number so that nobody can know what it was."""
    return bool(_RUINED_NUMBER.fullmatch(number)) or is_error(number)


def is_error(text: str) -> bool:
    """Whether the cell is a formula's error."""
    return bool(_ERROR.fullmatch(text))


def unescaped(text: str) -> str:
    """A workbook's text with its `_x000D_` as the characters that they stand for."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def number_text(number: float, zeros: int = 0) -> str:
    """A number of a workbook as a person typed it; `zeros`: the digits that its format shows at least.

    A number of more digits than a spreadsheet keeps comes out as one that `is_ruined`.
    """
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):0{max(zeros, 1)}d}"
    return f"{number:E}" if abs(number) >= 1e15 else repr(number)


def zeros_of(number_format: str | None) -> int:
    """How many digits a number format shows at least: 4 for `0000`, 0 for one that is not of zeros alone."""
    zeros = re.fullmatch(r'"?(0+)"?', number_format or "")
    return len(zeros[1]) if zeros and len(zeros[1]) > 1 else 0
