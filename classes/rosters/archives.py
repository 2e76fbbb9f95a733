"""Zips within bounds: a small zip can become more than a machine holds."""

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from classes.rosters.errors import RosterError

#: Into how many bytes the parts of a zip that are read may expand. A list of 50,000 students takes a tenth of it.
LARGEST = 256 * 1024 * 1024
_CHUNK = 256 * 1024
#: What zipfile raises over bytes that are no zip, or are one no longer.
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, lzma.LZMAError),
    *(EOFError, OSError, KeyError, ValueError, OverflowError, NotImplementedError),
)


@contextmanager
def opened(data: bytes) -> Iterator["Archive"]:
    """The zip in `data`. Raises `RosterError` where there is none."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGES:
        raise _damaged() from None
    with archive:
        yield Archive(archive)


def _damaged() -> RosterError:
    return RosterError(_("The file is damaged: it cannot be unpacked. Save it again."))


class Archive:
    """A zip whose parts are read piece by piece, and together give no more than LARGEST bytes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = LARGEST

    @property
    def names(self) -> list[str]:
        return self._archive.namelist()

    def pieces(self, name: str) -> Iterator[bytes]:
        """The part `name`, piece by piece. Raises `RosterError` for a broken one, and for too much."""
        try:
            with self._archive.open(name) as part:
                while piece := part.read(_CHUNK):
                    self._left -= len(piece)
                    if self._left < 0:
                        said = _(
                            "The file expands to more than %d MB, which no list of students does. Copy the list into a"
                            " new file and save that."
                        )
                        raise RosterError(said % (LARGEST // 1024 // 1024))
                    yield piece
        except _DAMAGES:
            raise _damaged() from None
        except RuntimeError:  # zipfile's way to say that a password is needed
            raise RosterError(_("The file has a password. Save it without one.")) from None

    def read(self, name: str, largest: int) -> bytes:
        """The part `name`. Raises `RosterError` as `pieces`, and for more than `largest` bytes."""
        parts, size = [], 0
        for piece in self.pieces(name):
            size += len(piece)
            if size > largest:
                said = _("%(file)s is larger than %(number)d MB. Keep the list of students alone.")
                raise RosterError(said % {"file": name, "number": largest // 1024 // 1024})
            parts.append(piece)
        return b"".join(parts)
