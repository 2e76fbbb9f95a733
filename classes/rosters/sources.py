"""What a file of students is, by its content: the same reader for the command, for uploads and for pages.

Nothing here knows the database.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from classes.rosters.archives import opened
from classes.rosters.errors import RosterError
from classes.rosters.oneroster import USERS, member, read_oneroster
from classes.rosters.tables import Charge, FindHeadings, Found, Line, Named, Table, headings_in, nobody_pays
from classes.rosters.text import read_text
from classes.rosters.workbooks import read_ods, read_xls, read_xlsx

#: The largest file that is read, bytes. A list of 50,000 students takes a quarter of it.
LARGEST = 16 * 1024 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
#: The first bytes of files that are no lists, and what they are.
_OTHERS = {
    b"%PDF": gettext_noop("a PDF document"),
    b"{\\rtf": gettext_noop("a text document (RTF)"),
    b"\x89PNG": gettext_noop("a picture"),
    b"\xff\xd8\xff": gettext_noop("a picture"),
    b"\x1f\x8b": gettext_noop("packed (gzip); unpack it first"),
    b"Rar!": gettext_noop("packed (RAR); unpack it first"),
    b"7z\xbc\xaf": gettext_noop("packed (7z); unpack it first"),
}
_SAVE = gettext_noop("Open it in a spreadsheet and save the list as .xlsx or as “CSV UTF-8”.")


def read_path(
    path: Path, *, named: Named | None = None, encoding: str | None = None, find: FindHeadings | None = None
) -> Table:
    """The table in a file, as `read_file`. Raises `RosterError` for a file that cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise _too_large(path.name)
        data = path.read_bytes()
    except FileNotFoundError:
        raise RosterError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise RosterError(f"{path} is a folder. Name a file of students.") from None
    except OSError as failure:
        raise RosterError(f"Cannot read {path}: {failure.strerror}.") from None
    except ValueError:
        raise RosterError("The file's name has a NUL character.") from None
    return read_file(data, name=path.name, named=named, encoding=encoding, find=find)


def read_file(
    data: bytes,
    *,
    name: str,
    named: Named | None = None,
    encoding: str | None = None,
    find: FindHeadings | None = None,
    charge: Charge = nobody_pays,
) -> Table:
    """The table in a file's bytes. The content says what the file is; `name` is for messages.

    `named`: column → the heading that is meant. `find`: what finds the headings, in a file that is no list of students.
    `encoding`: of a text file without a mark at its front. `charge`: is told of the rows while they are read.
    Raises `RosterError` for a file that cannot be read, and for one without headings or without rows; what `charge`
    raises.
    """
    if len(data) > LARGEST:
        raise _too_large(name)
    if not data.strip(b"\0\r\n\t \xef\xbb\xbf\xff\xfe\x1a"):
        raise RosterError(_("%s is empty. Its first line must have the headings name and email.") % name)
    headings = find or partial(headings_in, named=named or {})

    def charged(lines: Sequence[Line]) -> Found:
        return replace(headings(lines), charge=charge)

    try:
        return _read(data, PurePath(name).suffix.lower(), charged, encoding)
    except RosterError as failure:
        raise failure.of(name) from None


def _read(data: bytes, suffix: str, find: FindHeadings, encoding: str | None) -> Table:
    if data.startswith(_OLE):
        return read_xls(data, find=find)
    if data.startswith(_ZIP):
        return _read_zip(data, find, encoding)
    for begin, what in _OTHERS.items():
        if data.startswith(begin):
            raise _no_list(_(what))
    if re.match(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|table|\?xml|head|meta)\b", data[:200], re.IGNORECASE):
        said = _("This is a web page under the name of a %s.") % (suffix or _("text file"))
        raise RosterError(f"{said} {_(_SAVE)}")
    return read_text(data, find=find, encoding=encoding)


def _read_zip(data: bytes, find: FindHeadings, encoding: str | None) -> Table:
    with opened(data) as archive:
        names = set(archive.names)
        if "xl/workbook.xml" in names or any(name.startswith("xl/") and name.endswith(".xml") for name in names):
            return read_xlsx(archive, find=find)
        if "content.xml" in names:
            return read_ods(archive, find=find)
        if any(name.endswith(".iwa") for name in names):
            raise RosterError(_("This is a document of Apple Numbers. Export the list from there as CSV."))
        if "xl/workbook.bin" in names:
            said = _("This is a binary workbook (.xlsb).")
            raise RosterError(f"{said} {_(_SAVE)}")
        if "word/document.xml" in names:
            raise _no_list(_("a text document"))
        if member(archive.names, USERS) is None:
            raise RosterError(
                _("The zip holds no workbook and no OneRoster files. Unpack it and name the list itself.")
            )
        return read_oneroster(archive, find=find, encoding=encoding)


def _no_list(what: str) -> RosterError:
    said = _("This is %s, and no list.") % what
    return RosterError(f"{said} {_(_SAVE)}")


def _too_large(name: str) -> RosterError:
    said = _("%(file)s is larger than %(number)d MB. Keep the list of students alone.")
    return RosterError(said % {"file": name, "number": LARGEST // 1024 // 1024})
