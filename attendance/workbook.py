"""A table as a workbook (XLSX). Import this module where it is used: its library is slow to import."""

from collections.abc import Iterable, Sequence
from tempfile import TemporaryFile
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.worksheet._writer import WorksheetWriter

from core.files import OPEN_FILES


def write(file: IO[bytes], lines: Iterable[Sequence[str | int | float]]) -> None:
    """One sheet of `lines`. A text is stored as text, even if it begins like a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Attendance")
    sheet.freeze_panes = "D2"
    if OPEN_FILES.is_dir():
        sheet._writer = _NamelessWriter(sheet)
        sheet._writer.write_top()
    for line in lines:
        sheet.append([_text_cell(sheet, cell) if isinstance(cell, str) else cell for cell in line])
    book.save(file)


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
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text))
    cell.data_type = "s"
    return cell
