"""Workbooks: .xlsx by openpyxl, .xls by xlrd, .ods by calamine. A sheet becomes lines of texts.

A zip is first copied without its empty cells and within bounds: a sheet that is formatted down to its last row has a
million of them, for which the libraries would take half a minute or a gigabyte.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any

from django.utils.translation import gettext as _

from classes.rosters.archives import Archive
from classes.rosters.cells import number_text, unescaped, zeros_of
from classes.rosters.errors import RosterError
from classes.rosters.tables import FindHeadings, Line, Table, best_of, table_of, with_parts
from core.errors import ApiError

#: What is read of a zip without its empty cells, bytes.
_LARGEST_CONTENT = 64 * 1024 * 1024
#: An .xls is not packed: reading one takes ten times its size.
_LARGEST_XLS = 8 * 1024 * 1024
#: A sheet's cells, with the empty ones between those that have a text.
_MOST_CELLS = 3_000_000

_EMPTY_CELL = re.compile(rb"<(?:\w+:)?(?:c|row)\b[^<>]*/>")
_EMPTY_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]*>\s*</(?:\w+:)?row>")
#: A piece of XML up to here has no half of a tag.
_TAIL = re.compile(rb"<[^>]*\Z")

_ODS_TAG = re.compile(
    rb"<table:(table-row|table-cell|covered-table-cell|table)\b([^<>]*?)(/?)>|</table:(table-row|table)>"
)
_REPEATED = re.compile(rb'table:number-(?:rows|columns)-repeated="(\d+)"')
#: In OpenDocument a number that is shown with zeros before it, 0012.
_ODS_ZEROS = re.compile(rb"<table:table-cell\b([^<>]*)>(\s*<text:p>0\d+</text:p>)")
_ODS_VALUE = re.compile(rb' office:value(?:-type)?="[^"]*"')

#: Sheet → its lines, made anew by each call.
_Sheets = dict[str, Callable[[], Iterator[Line]]]


def read_xlsx(archive: Archive, *, find: FindHeadings) -> Table:
    """A workbook of Excel 2007 or later. Raises `RosterError`."""
    from openpyxl import load_workbook  # noqa: PLC0415  only where a workbook is read

    try:
        book = load_workbook(_without_empty_cells(archive), read_only=True, data_only=True, keep_links=False)
        sheets = {sheet.title: _lines_of_xlsx(sheet) for sheet in book.worksheets if sheet.sheet_state == "visible"}
        return _table(sheets, "workbook, .xlsx", find)
    except (RosterError, ApiError):
        raise
    except Exception:  # openpyxl raises whatever a malformed part makes it stumble over
        raise _damaged() from None


def _lines_of_xlsx(sheet: Any) -> Callable[[], Iterator[Line]]:
    def lines() -> Iterator[Line]:
        sheet.reset_dimensions()  # they may be wrong, and openpyxl believes them
        for number, row in enumerate(sheet.iter_rows(), start=1):
            yield number, [_text(cell.value, zeros_of(getattr(cell, "number_format", None))) for cell in row]

    return lines


def _without_empty_cells(archive: Archive) -> io.BytesIO:
    copy = io.BytesIO()
    size = 0
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as made:
        for name in archive.names:
            if not name.endswith((".xml", ".rels")):
                continue
            pieces = archive.pieces(name)
            with made.open(name, "w") as part:
                for piece in _cut_between_tags(pieces):
                    _refuse_entities(piece)
                    kept = _EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", piece)) if "worksheets/" in name else piece
                    size += len(kept)
                    if size > _LARGEST_CONTENT:
                        raise RosterError(_("The workbook holds too much. Copy the list of students into a new one."))
                    part.write(kept)
    copy.seek(0)
    return copy


def _cut_between_tags(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of which none ends within a tag, nor between an opening tag and its closing one."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = text.rfind(b"</", 0, len(text) - 64)
        cut = text.find(b">", cut) + 1 if cut >= 0 else _cut_before_tag(text)
        yield text[:cut]
        rest = text[cut:]
        if len(rest) > _LARGEST_CONTENT:
            raise _damaged()
    yield rest


def _cut_before_tag(text: bytes) -> int:
    """Where a piece without closing tags, of empty rows alone, is cut."""
    tail = _TAIL.search(text)
    return tail.start() if tail else len(text)


def read_xls(data: bytes, *, find: FindHeadings) -> Table:
    """A workbook of Excel 97 to 2003. Raises `RosterError`."""
    import xlrd  # noqa: PLC0415

    if len(data) > _LARGEST_XLS:
        raise RosterError(_("The .xls is larger than 8 MB. Copy the list of students into a new workbook."))
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise RosterError(_("The workbook has a password. Save it without one."))
    try:
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ragged_rows=True, on_demand=True
        )
        sheets: _Sheets = {}
        for at, name in enumerate(book.sheet_names()):
            sheet = book.sheet_by_index(at)
            if sheet.visibility == 0:
                sheets[name] = _lines_of_xls(book, sheet)
        return _table(sheets, "workbook, .xls", find)
    except (RosterError, ApiError):
        raise
    except Exception:
        raise _damaged() from None


def _lines_of_xls(book: Any, sheet: Any) -> Callable[[], Iterator[Line]]:
    import xlrd  # noqa: PLC0415

    def value(cell: Any) -> Any:
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "#N/A")
        if cell.ctype == xlrd.XL_CELL_DATE:
            return xlrd.xldate_as_datetime(cell.value, book.datemode)
        return bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value

    def zeros(cell: Any) -> int:
        style = book.format_map.get(book.xf_list[cell.xf_index].format_key) if cell.xf_index is not None else None
        return zeros_of(style.format_str) if style is not None else 0

    def lines() -> Iterator[Line]:
        for at in range(sheet.nrows):
            yield at + 1, [_text(value(cell), zeros(cell)) for cell in sheet.row(at)]

    return lines


def read_ods(archive: Archive, *, find: FindHeadings) -> Table:
    """A workbook of OpenDocument (LibreOffice). Raises `RosterError`."""
    from python_calamine import load_workbook  # noqa: PLC0415

    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as made:
        for name in ("mimetype", "META-INF/manifest.xml", "content.xml"):
            if name in archive.names:
                content = archive.read(name, _LARGEST_CONTENT)
                _refuse_entities(content)
                made.writestr(name, _ods_content(content) if name == "content.xml" else content)
    copy.seek(0)
    try:
        book = load_workbook(copy)
        sheets: _Sheets = {name: _lines_of_ods(book.get_sheet_by_name(name)) for name in book.sheet_names}
    except (RosterError, ApiError):
        raise
    except Exception:
        raise _damaged() from None
    return _table(sheets, "workbook, .ods", find)


def _lines_of_ods(sheet: Any) -> Callable[[], Iterator[Line]]:
    def lines() -> Iterator[Line]:
        for number, row in enumerate(sheet.iter_rows(), start=1):
            yield number, [_text(value) for value in row]

    return lines


def _ods_content(content: bytes) -> bytes:
    """The content as calamine reads it right: errors as texts instead of nothing, numbers with their zeros.

    Raises `RosterError` where rows and cells that are repeated come to more than any list has.
    """
    rows = width = columns = repeated = 0
    for tag in _ODS_TAG.finditer(content):
        opened, attributes, is_empty, closed = tag[1] or b"", tag[2] or b"", tag[3], tag[4]
        times = _REPEATED.search(attributes)
        count = int(times[1]) if times else 1
        if opened == b"table-row" and not is_empty:
            repeated, columns = count, 0
        elif opened in (b"table-cell", b"covered-table-cell"):
            columns += count
            if not is_empty:
                width = max(width, columns)
                rows += repeated
                repeated = 0
        elif closed == b"table-row":
            rows += 0 if not repeated else min(repeated, 1)
        elif opened == b"table":
            rows = width = 0
        if rows * width > _MOST_CELLS:
            raise RosterError(_("The workbook holds too much. Copy the list of students into a new one."))

    def shown(cell: re.Match[bytes]) -> bytes:
        attributes = _ODS_VALUE.sub(b"", cell[1])
        return b'<table:table-cell office:value-type="string"' + attributes + b">" + cell[2]

    return _ODS_ZEROS.sub(shown, content.replace(b' office:string-value=""', b""))


def _refuse_entities(xml: bytes) -> None:
    """No workbook declares any; XML that does may be made to grow without end."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise _damaged()


def _damaged() -> RosterError:
    return RosterError(_("The workbook is damaged: it cannot be read. Save it again, or save the list as “CSV UTF-8”."))


def _text(value: Any, zeros: int = 0) -> str:
    match value:
        case None:
            return ""
        case str():
            return unescaped(value)
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return number_text(value, zeros)
        case datetime() | date() | time():
            return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)


def _table(sheets: _Sheets, kind: str, find: FindHeadings) -> Table:
    """The table of the first sheet that has the most known columns."""
    if not sheets:
        raise RosterError(_("The workbook has no sheet that is visible."))
    name, found = best_of({name: lines() for name, lines in sheets.items()}, find)
    table = table_of(found, sheets[name](), f"{kind}, sheet “{name}”")
    return with_parts(table, [f"the sheet “{other}”" for other in sheets if other != name])
