"""Tables as a workbook (XLSX). Import this module where it is used: its library is slow to import."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.properties import PageSetupProperties

from attendance.report_tables import Table
from core.files import OPEN_FILES
from core.spreadsheets import Cell

_WIDEST, _NARROWEST = 60, 6
#: The paper, as OOXML numbers it.
_A4 = 9
#: What dates look like.
_DAY_FORMAT, _TIME_FORMAT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"


def write(file: IO[bytes], tables: Iterable[Table]) -> None:
    """A sheet for each table. A text is stored as text, even if it begins like a formula; a date is a date."""
    book = Workbook(write_only=True)
    for table in tables:
        _write_sheet(book, table)
    book.save(file)


def _write_sheet(book: Workbook, table: Table) -> None:
    sheet: Any = book.create_sheet(table.title)
    lines = iter(table.lines())
    head = list(islice(lines, 50))  # enough to see how wide the columns are
    sheet.freeze_panes = f"{get_column_letter(table.fixed + 1)}2"
    for column, width in enumerate(_widths(head), start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    if OPEN_FILES.is_dir():
        sheet._writer = _NamelessWriter(sheet)
        sheet._writer.write_top()
    for line in chain(head, lines):
        sheet.append([_cell(sheet, cell) for cell in line])


def _widths(lines: Iterable[Sequence[Cell]]) -> list[int]:
    longest: list[int] = []
    for line in lines:
        longest += [_NARROWEST] * (len(line) - len(longest))
        for column, cell in enumerate(line):
            longest[column] = max(longest[column], min(len(str(cell)) + 2, _WIDEST))
    return longest


def _cell(sheet: Any, cell: Cell) -> Any:
    """A new cell each time: openpyxl changes the cell before while it takes the next one."""
    if isinstance(cell, str):
        return _text_cell(sheet, cell) if cell else None
    value: Any = cell
    made = WriteOnlyCell(sheet, value)
    if isinstance(cell, date):
        made.number_format = _TIME_FORMAT if isinstance(cell, datetime) else _DAY_FORMAT
    return made


class _NamelessWriter(WorksheetWriter):
    """Keeps a sheet that is being written in a file without a name, which ends with the process, however that ends.

    openpyxl's own file has a name, and would stay in the folder for temporary files after a kill.
    """

    def __init__(self, sheet: Any) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  `cleanup` closes it
        super().__init__(sheet, out=str(OPEN_FILES / str(self._file.fileno())))

    def cleanup(self) -> None:
        self._file.close()


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(
        sheet, text if text.isalnum() else ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text)
    )
    cell.data_type = "s"
    return cell
