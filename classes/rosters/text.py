"""Lists that are text: which encoding, what separates the cells, and the lines."""

import codecs
import csv
import itertools
import re
from collections import deque
from collections.abc import Iterator

from django.utils.translation import gettext as _

from classes.rosters.errors import RosterError
from classes.rosters.tables import TOP, FindHeadings, Line, NotFound, Table, best_of, one_line, table_of

#: What may stand between two cells, and its name.
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
#: The marks at the front of a file, and what they say. That of UTF-32 begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
#: A line with its end. Found one by one: a copy of the text for the reader would take four bytes a letter.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
#: What ends a text file under the systems of old.
_END = "\x1a"
#: So much of a file tells UTF-16 from UTF-8.
_HEAD = 4096


def read_text(data: bytes, *, find: FindHeadings, encoding: str | None = None) -> Table:
    """A list whose cells are separated by commas, semicolons, tabs or bars.

    `encoding` is that of a file without a mark at its front; None: UTF-8 or UTF-16. Raises `RosterError`.
    """
    codec, text = decoded(data, encoding)
    text = text.rstrip("\r\n\0").removesuffix(_END)
    forced = re.match(r"\s*\"?sep=([,;\t|])", text, re.IGNORECASE)
    separators = [forced[1]] if forced else list(_SEPARATORS)
    try:
        separator, found = best_of({one: text_lines(text, one, strict=False) for one in separators}, find)
    except NotFound:
        deque(itertools.islice(text_lines(text, separators[0]), TOP), maxlen=0)  # raises where it is no CSV at all
        raise
    kind = f"{'TSV' if separator == chr(9) else 'CSV'}, {_said(codec)}, {_SEPARATORS[separator]}"
    return table_of(found, text_lines(text, separator), kind)


def decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    """The encoding of `data`, and its text. Raises `RosterError` where there is none."""
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    codec = _MARKS.get(mark) or _codec(encoding) or _guessed(data[:_HEAD])
    try:
        return codec, data[len(mark) :].decode(codec)
    except UnicodeDecodeError as failure:
        raise _undecodable(data[len(mark) :], codec, failure.start) from None


def _codec(encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        found = codecs.lookup(encoding)
        "".encode(found.name)  # of those that turn text into bytes
    except (LookupError, ValueError):
        raise RosterError(
            _("There is no encoding %s. Name one such as windows-1252 or utf-16.") % repr(encoding)
        ) from None
    return found.name


def _guessed(head: bytes) -> str:
    """UTF-16 without a mark has a zero in every other byte of ASCII: of the addresses, in any alphabet."""
    many, few = 0.1 * (len(head) // 2 or 1), 0.02 * (len(head) // 2 or 1)
    if head[1::2].count(0) > many and head[::2].count(0) <= few:
        return "utf-16-le"
    if head[::2].count(0) > many and head[1::2].count(0) <= few:
        return "utf-16-be"
    return "utf-8"


def _undecodable(data: bytes, codec: str, at: int) -> RosterError:
    if codec != "utf-8":
        said = _("The file is not %s throughout. In a spreadsheet, save it as “CSV UTF-8”.")
        return RosterError(said % _said(codec))
    number = len(re.findall(rb"\r\n|\r|\n", data[:at])) + 1
    begin = max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at)) + 1
    line = re.split(rb"[\r\n]", data[begin:], maxsplit=1)[0]
    message = _("Line %d is not UTF-8.") % number
    try:
        shown = one_line(line.decode("windows-1252"))[:120]
    except UnicodeDecodeError:
        said = _("In a spreadsheet, save the file as “CSV UTF-8”.")
        return RosterError(f"{message} {said}")
    said = _("It looks like Windows-1252, which reads it as “%s”. In a spreadsheet, save the file as “CSV UTF-8”")
    return RosterError(f"{message} {said % shown}", ", or import it with --encoding windows-1252")


def _said(codec: str) -> str:
    name = codec.upper()
    return re.sub(r"^(UTF-\d+)-[LB]E$", r"\1", name)


def text_lines(text: str, separator: str, *, strict: bool = True) -> Iterator[Line]:
    """The lines with their numbers. A line that is not CSV ends them, with `strict` by a `RosterError`."""
    reader = csv.reader((line[0] for line in _LINE.finditer(text)), delimiter=separator, strict=True)
    end = 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            yield line, cells
    except csv.Error as failure:
        if strict:
            said = _("Line %(number)d is not CSV (%(why)s). A quotation mark opens a cell and must close it again.")
            raise RosterError(said % {"number": end + 1, "why": failure}) from None
