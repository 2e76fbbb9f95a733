"""The scripts and the style of pages, each joined into one file, whose address changes with its text."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse

from web.joining import joined

_HERE = Path(__file__).parent
#: By the ending of a file's name: where its sources are, and what an answer says of it.
_FOLDERS = {"js": _HERE / "scripts", "css": _HERE / "styles"}
_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file that pages need. `digest` is of its text, so that a browser may keep an address for good."""

    name: str
    kind: str
    text: str
    digest: str

    @property
    def content_type(self) -> str:
        return _TYPES[self.kind]

    @property
    def address(self) -> str:
        return reverse("web:file", args=[self.name, self.digest, self.kind])


def page_file(name: str, kind: str) -> PageFile | None:
    """The file of that name and kind ("js" or "css"); None if there is none. With DEBUG on it is joined anew."""
    entry = _FOLDERS[kind] / f"{name}.{kind}"
    if not entry.is_file():
        return None
    return _made(entry) if settings.DEBUG else _kept(entry)


def _made(entry: Path) -> PageFile:
    text = joined(entry)
    return PageFile(entry.stem, entry.suffix[1:], text, hashlib.sha256(text.encode()).hexdigest()[:16])


_kept = cache(_made)


@cache
def icon_address() -> str:
    """The address of the icon, which has the icon in itself: no request is made for it."""
    return "data:image/svg+xml," + quote((_FOLDERS["css"] / "icon.svg").read_text().strip())
