"""The transaction of a group commit: marks become rows of the journal and facts, or are refused.

Synchronous; `attendance.live.group_commit` calls it through the gateway.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from enum import Enum

import msgspec
from django.db import connection

from attendance import journal
from attendance.journal import NewMark
from attendance.live import rows
from attendance.live.facts import Marked
from attendance.models import Mark
from core import errors
from core.database.failures import DATABASE_ERRORS, is_unavailable
from core.database.unit_of_work import driver_unit_of_work
from core.limits import JOURNAL
from core.plurals import counted
from core.refusals import count_refusal

logger = logging.getLogger(__name__)


class Unit(msgspec.Struct, frozen=True):
    """Marks of one session that go together: all of them are added or none.

    `room` and `strangers` are about marks that are new. One whose key is in the journal already is no new one, so that
    a client that sends it again gets its first answer, also where the journal is full by now, or the student gone.
    """

    marks: Sequence[NewMark]
    #: How many new marks the journal takes; None: as many as these are.
    room: float | None = None
    #: Ids of students who are not on the roster.
    strangers: Collection[str] = ()

    @property
    def session_id(self) -> str:
        return self.marks[0].session_id

    @property
    def by_id(self) -> str:
        return self.marks[0].by_id


class Refusal(Enum):
    """Why a mark is not in the journal."""

    SESSION_OVER = "session over"
    KEY_REUSED = "key reused"
    JOURNAL_FULL = "journal full"
    NOT_ENROLLED = "not enrolled"
    FAILED = "failed"

    @property
    def error(self) -> errors.ApiError:
        """The error that tells a client of the refusal."""
        return _ERRORS[self]()


_ERRORS: Mapping[Refusal, type[errors.ApiError]] = {
    Refusal.SESSION_OVER: errors.NoActiveSession,
    Refusal.KEY_REUSED: errors.KeyReused,
    Refusal.JOURNAL_FULL: errors.JournalFull,
    Refusal.NOT_ENROLLED: errors.StudentNotEnrolled,
    Refusal.FAILED: errors.InternalError,
}


def commit(units: Sequence[Unit]) -> list[list[Marked] | Refusal]:
    """Adds units of marks in one transaction, in order; for each unit its facts, or why the unit was refused.

    A mark whose key is in the journal already is not added again: its fact is that of the first. If the transaction
    fails, each unit is tried by itself, so that a bad unit refuses only itself. Before that, the unit is looked up by
    its marks' ids: the commit may have been done and only its answer lost.
    """
    outcomes = _commit(units)
    for unit, outcome in zip(units, outcomes, strict=True):
        if outcome is Refusal.JOURNAL_FULL:
            count_refusal(JOURNAL.label, account=unit.by_id)
    return outcomes


def _commit(units: Sequence[Unit]) -> list[list[Marked] | Refusal]:
    try:
        return _append(units)
    except DATABASE_ERRORS:
        count = sum(len(unit.marks) for unit in units)
        logger.warning("A batch of %s failed; trying again one by one.", counted(count, "mark"), exc_info=True)
    outcomes: list[list[Marked] | Refusal] = []
    for position, unit in enumerate(units):
        try:
            outcomes.append(_find_or_append(unit))
        except DATABASE_ERRORS as failure:
            if is_unavailable(failure):
                # To wait for the database again for every other mark would help nobody.
                count = sum(len(left.marks) for left in units[position:])
                logger.exception("%s cannot be committed.", counted(count, "mark"))
                return outcomes + [Refusal.FAILED] * (len(units) - position)
            logger.exception("A mark of session %s cannot be committed.", unit.session_id)
            outcomes.append(Refusal.FAILED)
    return outcomes


@driver_unit_of_work
def _append(units: Sequence[Unit]) -> list[list[Marked] | Refusal]:
    batch = _Batch(_known(units))
    taken = [batch.take(unit) for unit in units]
    seqs = journal.append(batch.marks, is_activity=True)
    facts = {mark.id: _fact(seq, mark) for seq, mark in zip(seqs, batch.marks, strict=True) if seq is not None}
    return [
        unit if isinstance(unit, Refusal) else _outcome(unit, facts)  # no fact: the session is over
        for unit in taken
    ]


class _Batch:
    """The marks of a transaction. A key stands for one mark, whether that is in the journal or comes in this batch."""

    def __init__(self, known: Mapping[tuple[str, str], Marked]) -> None:
        self.marks: list[NewMark] = []
        self._known: dict[tuple[str, str], Marked | NewMark] = dict(known)

    def take(self, unit: Unit) -> list[Marked | NewMark] | Refusal:
        """The unit's marks, or for some of them the earlier ones of their keys."""
        taken: list[Marked | NewMark] = []
        new: list[NewMark] = []
        own: dict[tuple[str, str], Marked | NewMark] = {}
        for mark in unit.marks:
            named = (mark.session_id, mark.key) if mark.key is not None else None
            first = own.get(named) or self._known.get(named) if named is not None else None
            if first is None:
                taken.append(mark)
                new.append(mark)
                if named is not None:
                    own[named] = mark
            elif (first.student_id, first.status, first.note) != (mark.student_id, mark.status, mark.note):
                return Refusal.KEY_REUSED
            else:
                taken.append(first)
        if any(mark.student_id in unit.strangers for mark in new):
            return Refusal.NOT_ENROLLED
        if unit.room is not None and len(new) > unit.room:
            return Refusal.JOURNAL_FULL
        self.marks += new
        self._known.update(own)
        return taken


def _known(units: Sequence[Unit]) -> dict[tuple[str, str], Marked]:
    """The journal's marks that have the keys of these, by session and key."""
    by_session: dict[str, set[str]] = {}
    for unit in units:
        for mark in unit.marks:
            if mark.key is not None:
                by_session.setdefault(mark.session_id, set()).add(mark.key)
    found: dict[tuple[str, str], Marked] = {}
    for session_id, keys in by_session.items():
        named = Mark.objects.filter(session_id=session_id, key__in=list(keys)).order_by("seq")
        for row in named.values_list(*rows.COLUMNS):
            _, fact = rows.marked(row)
            found[session_id, fact.key or ""] = fact
    return found


def _find_or_append(unit: Unit) -> list[Marked] | Refusal:
    connection.close_if_unusable_or_obsolete()
    written = Mark.objects.filter(pk__in=[mark.id for mark in unit.marks])
    facts = {row[0]: rows.marked(row[1:])[1] for row in written.values_list("id", *rows.COLUMNS)}
    if not facts:
        return _append([unit])[0]
    known = _known([unit])
    return [facts.get(mark.id) or known[mark.session_id, mark.key or ""] for mark in unit.marks]


def _fact(seq: int, mark: NewMark) -> Marked:
    return Marked(seq, mark.student_id, mark.status, mark.at, mark.by_id, mark.method, mark.note, mark.key)


def _outcome(unit: Sequence[Marked | NewMark], facts: Mapping[str, Marked]) -> list[Marked] | Refusal:
    if any(isinstance(mark, NewMark) and mark.id not in facts for mark in unit):
        return Refusal.SESSION_OVER
    return [facts[mark.id] if isinstance(mark, NewMark) else mark for mark in unit]
