"""Files between their preview and the doing: what was shown is what is done, or nothing is.

A file that could not be read is kept as well, to be read in another way. A preview is good for an hour, for the person
who saw it, once. Whoever does what it said takes it in the same unit of work, so that a crash between leaves both or
neither, and of two requests with one token one does it.
"""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from audit.trail import on_pruning
from classes.models import Preview
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.times import now

#: A preview is done within this time.
KEPT = timedelta(hours=1)
#: So many previews wait for one person. The oldest goes for a further one.
MOST = 20


class PreviewKind(StrEnum):
    """What a file is for."""

    ROSTER = "roster"
    MARKS = "marks"
    TIMETABLE = "timetable"
    HOLIDAYS = "holidays"


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as it was sent, and how it is read. `named`: column → the heading that is meant.

    `without`: the lines that the preview said are left out. `since`, `until`: the days of a calendar that are taken,
    both included.
    """

    data: bytes
    name: str
    named: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    without: Sequence[int] = ()
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A preview that waits. `digest` is of what it said."""

    id: str
    file: SentFile
    digest: str


@unit_of_work
def preview_keep(*, actor: Actor, kind: PreviewKind, about_id: str, file: SentFile, digest: str) -> str:
    """Keeps what `actor` is shown of a file for a class or session; the token by which it is done."""
    theirs = Preview.objects.filter(person_id=actor.id).order_by("-made_at", "-id")
    Preview.objects.filter(pk__in=list(theirs.values_list("pk", flat=True)[MOST - 1 :])).delete()
    made = Preview.objects.create(
        person_id=actor.id, kind=kind, about_id=about_id, content=_packed(file), digest=digest, made_at=now()
    )
    return str(made.pk)


def refused_keep(*, actor: Actor, kind: PreviewKind, about_id: str, file: SentFile) -> str:
    """Keeps a file that could not be read, for another attempt: the token by which `preview_get` finds it.

    Nobody has seen what it would do, so nothing is done by this token: no plan has its digest.
    """
    return preview_keep(actor=actor, kind=kind, about_id=about_id, file=file, digest="")


def preview_get(*, actor: Actor, kind: PreviewKind, about_id: str, token: str) -> Kept:
    """What `actor` was shown. Raises `PreviewNotFound`."""
    key = parse_id(token)
    since = now() - KEPT
    rows = Preview.objects.filter(pk=key, person_id=actor.id, kind=kind, about_id=about_id, made_at__gte=since)
    found = rows.first() if key else None
    if found is None:
        raise errors.PreviewNotFound
    return Kept(str(found.pk), _unpacked(found.content), found.digest)


def preview_take(kept: Kept) -> None:
    """Takes the preview, in the unit of work that does what it said. Raises `PreviewNotFound` where that was done."""
    if not Preview.objects.filter(pk=kept.id).delete()[0]:
        raise errors.PreviewNotFound


@unit_of_work
def previews_forget() -> None:
    """What is older than KEPT is not done any more."""
    Preview.objects.filter(made_at__lt=now() - KEPT).delete()


on_pruning(previews_forget)


def _packed(file: SentFile) -> str:
    return json.dumps(
        {
            "data": base64.b64encode(zlib.compress(file.data)).decode(),
            "name": file.name,
            "named": dict(file.named),
            "encoding": file.encoding,
            "without": list(file.without),
            "days": [day and str(day) for day in (file.since, file.until)],
        }
    )


def _unpacked(content: str) -> SentFile:
    found = json.loads(content)
    since, until = (day and date.fromisoformat(day) for day in found.pop("days"))
    data = zlib.decompress(base64.b64decode(found.pop("data")))
    return SentFile(**found, data=data, since=since, until=until)
