"""Files of marks: which column is which, and what each line says. Nothing here knows the database.

A file is read as lists of students are (`classes.rosters`): CSV, TSV, workbooks. It needs a column of roll numbers or
of e-mails, and one of statuses.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _

from attendance.enums import Status
from attendance.live.limits import MARKS_A_MESSAGE
from classes.previews import SentFile
from classes.rosters.cells import cleaned, cleaned_number
from classes.rosters.errors import RosterError
from classes.rosters.formats import plain_list
from classes.rosters.headings import columns_of, folded, ranked
from classes.rosters.sources import read_file, read_path
from classes.rosters.tables import (
    Charge,
    Found,
    Line,
    Named,
    NotFound,
    Table,
    has_text,
    is_separator,
    nobody_pays,
    quoted,
)
from core.times import is_far, local_instant

#: What messages and answers call the columns.
LABELS = {
    "name": "name",
    "email": "e-mail",
    "roll_number": "roll number",
    "status": "status",
    "time": "time",
    "note": "note",
}
#: The words for the columns that no list of students has: English, German, French, Spanish, Hindi, Arabic.
_HEADINGS = ranked(
    {
        "status": """status; attendance; attendance status; mark; presence; Anwesenheit; Anwesenheitsstatus; statut;
        présence; assiduité; estado; asistencia; उपस्थिति; स्थिति; हाज़िरी; हाजिरी; الحالة; الحضور; حالة الحضور""",
        "time": """time; at; check-in time; checked in; checked in at; time in; arrival; arrival time; arrived;
        Uhrzeit; Zeit; Ankunft; Ankunftszeit; heure; heure d'arrivée; arrivée; hora; hora de llegada; llegada; समय;
        आने का समय; الوقت; وقت الوصول; وقت الحضور""",
        "note": """note; notes; remark; remarks; comment; comments; reason; Notiz; Notizen; Bemerkung; Bemerkungen;
        Anmerkung; Kommentar; Grund; remarque; remarques; commentaire; motif; raison; nota; notas; observación;
        observaciones; comentario; motivo; टिप्पणी; कारण; ملاحظة; ملاحظات; السبب; تعليق""",
    }
)
#: The words and letters for the statuses, in the same languages.
_WORDS = {
    Status.PRESENT: """p; present; here; attended; on time; anwesend; da; présent; présente; presente; asistió;
        उपस्थित; हाज़िर; हाजिर; حاضر; حاضرة; موجود; ✓; ✔""",
    Status.LATE: """l; late; tardy; verspätet; zu spät; spät; en retard; retard; tarde; con retraso; retraso; atrasado;
        देर; देर से; विलंब; देरी; विलंबित; متأخر; متأخرة""",
    Status.ABSENT: """a; absent; away; missing; abwesend; fehlt; fehlend; nicht da; absente; ausente; falta; faltó;
        अनुपस्थित; ग़ैरहाज़िर; गैरहाजिर; غائب; غائبة; غياب; ✗; ✘; ✕""",
    Status.EXCUSED: """e; excused; entschuldigt; excusé; excusée; absent excusé; justifié; justifiée; justificado;
        justificada; excusado; excusada; माफ़; क्षमा; छूट; अवकाश; छुट्टी; معذور; معذورة; بعذر; غائب بعذر; مستأذن""",
}


def _word(text: str) -> str:
    return folded(text) or text.strip()  # a sign such as ✓ has nothing that `folded` keeps


_STATUSES = {_word(word): status for status, words in _WORDS.items() for word in words.split(";")}

#: As long as a mark's note may be.
LONGEST_NOTE = 255

_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d+)?)?\s*(?:([ap])\.?m\.?|uhr|h)?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MarkLine:
    """A line of the file. `problem` says why it is no mark, or is None.

    `status` is None where the cell is empty; `at` is a moment, or a time of the lesson's day (`moment_of`), or None.
    """

    line: int
    name: str
    email: str
    roll_number: str
    status: Status | None
    at: datetime | time | None
    note: str
    problem: str | None = None


def read_marks(file: SentFile, *, charge: Charge = nobody_pays) -> Table:
    """The file's table. Raises `RosterError` for a file that cannot be read, lacks a column or has too many lines.

    `charge`: see `read_file`.
    """
    find = partial(_headings_in, named=file.named)
    return _bounded(read_file(file.data, name=file.name, encoding=file.encoding, find=find, charge=charge))


def read_marks_path(path: Path, *, named: Named, encoding: str | None) -> Table:
    """As `read_marks`, of a file of this machine."""
    return _bounded(read_path(path, encoding=encoding, find=partial(_headings_in, named=named)))


def _bounded(table: Table) -> Table:
    if len(table.rows) > MARKS_A_MESSAGE:
        raise RosterError(_("The file has more than %d lines. Split it.") % MARKS_A_MESSAGE)
    return table


def lines_of(table: Table) -> list[MarkLine]:
    """What each line of a file of marks says."""
    return [_line(table, line, cells) for line, cells in table.rows]


def moment_of(at: datetime | time | None, day: date) -> datetime | None:
    """When a line says that it was, in a lesson of this day."""
    return local_instant(day, at) if isinstance(at, time) else at


def _headings_in(lines: Sequence[Line], *, named: Named) -> Found:
    """The first line that has the columns: others may stand above it."""
    first: Line | None = None
    known = 0
    for at, (line, cells) in enumerate(lines):
        if not has_text(cells) or is_separator(at, cells):
            continue
        first = first or (line, cells)
        columns = _columns(cells, named)
        known = max(known, len(columns))
        if "status" in columns and not columns.keys().isdisjoint(("email", "roll_number")):
            return Found(at, plain_list(columns), columns, list(cells))
    raise NotFound(_missing(first, named), known=known)


def _columns(cells: Sequence[str], named: Named) -> dict[str, int]:
    positions = {folded(cell): at for at, cell in reversed(list(enumerate(cells))) if folded(cell)}
    by_hand = {column: positions[folded(text)] for column, text in named.items() if folded(text) in positions}
    if len(by_hand) < len(named):
        return {}
    others = ["" if at in by_hand.values() else cell for at, cell in enumerate(cells)]
    return {**columns_of(others, _HEADINGS), **by_hand}


def _missing(first: Line | None, named: Named) -> str:
    if first is None:
        return _("The file is empty. Its first line must have the headings roll number (or e-mail) and status.")
    line, cells = first
    asked = _(" and those that were named (%s)") % ", ".join(f"“{text}”" for text in named.values()) if named else ""
    said = _(
        "There are no columns for the roll number (or the e-mail) and the status%(named)s: line %(number)d is"
        " %(cells)s. It must have headings such as roll number and status."
    )
    return said % {"named": asked, "number": line, "cells": quoted(cells)}


def _line(table: Table, line: int, cells: Sequence[str]) -> MarkLine:
    texts = {
        column: (cleaned_number if column == "roll_number" else cleaned)(cells[at]) if at < len(cells) else ""
        for column, at in table.columns.items()
    }
    name = texts.get("name") or " ".join(filter(None, (texts.get("first_name"), texts.get("last_name"))))
    status, at, problem = None, None, None
    try:
        status, at = _status(texts.get("status", "")), _time(texts.get("time", ""))
    except ValueError as failure:
        problem = str(failure)
    note = " ".join(texts.get("note", "").split())
    if "\0" in "".join(texts.values()):
        problem = _("it has a NUL character: remove it")
    elif len(note) > LONGEST_NOTE:
        problem = _("the note is too long: at most %d characters") % LONGEST_NOTE
    email, roll_number = texts.get("email", ""), texts.get("roll_number", "")
    if problem is None and not email and not roll_number:
        problem = _("it names nobody: it has no roll number and no e-mail")
    return MarkLine(line, name, email, roll_number, status, at, note, problem)


def _status(text: str) -> Status | None:
    if not text:
        return None
    found = _STATUSES.get(_word(text))
    if found is None:
        said = _("“%s” is no status: write present, late, absent or excused, or P, L, A or E")
        raise ValueError(said % text[:40])
    return found


def _time(text: str) -> datetime | time | None:
    """A time of the day, or a day and a time in the school's time, or with an offset."""
    if not text:
        return None
    clock = _CLOCK.match(text)
    wrong = ValueError(_("“%s” is no time: write it as 09:05, or as 2025-03-11 09:05") % text[:40])
    try:
        if clock:
            hour, half = int(clock[1]), (clock[4] or "").lower()
            if half and not 1 <= hour <= 12:
                raise wrong
            return time(hour % 12 + 12 * (half == "p") if half else hour, int(clock[2]), int(clock[3] or 0))
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise wrong from None
    if len(text) < len("2025-03-11 09:05") or is_far(moment):
        raise wrong
    moment = moment.replace(microsecond=0)
    return moment if timezone.is_aware(moment) else local_instant(moment.date(), moment.time())


def labels(table: Table) -> Iterator[str]:
    """Which column is which, in words."""
    for column, label in LABELS.items():
        if column in table.columns:
            yield f"{label} from “{table.headings[table.columns[column]].strip()}”"
