"""Reports as files: CSV, sent while it is written, and workbooks."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from tempfile import TemporaryFile

from attendance.report_tables import Table
from core.spreadsheets import MARK, Cell, csv_lines

#: The media type of each kind of file.
MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: A file is sent in slices of about so many bytes.
_SLICE = 64 * 1024


def file_of(kind: str, lines: Iterable[Sequence[Cell]], tables: Callable[[], Iterable[Table]]) -> Iterator[bytes]:
    """The file in slices: `lines` as CSV, or `tables` as a workbook, which is whole before the first slice."""
    return _csv(lines) if kind == "csv" else _workbook(tables())


def _csv(lines: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    waiting = [MARK.encode()]
    size = 0
    for line in csv_lines(lines):
        waiting.append(line.encode())
        size += len(waiting[-1])
        if size >= _SLICE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _workbook(tables: Iterable[Table]) -> Iterator[bytes]:
    from attendance import workbook  # noqa: PLC0415  its library is slow to import

    file = TemporaryFile()  # noqa: SIM115  the slices close it
    try:
        workbook.write(file, tables)
        file.seek(0)
    except BaseException:
        file.close()
        raise

    def slices() -> Iterator[bytes]:
        with file:
            while part := file.read(_SLICE):
                yield part

    return slices()
