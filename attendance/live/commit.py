"""The transaction of a group commit: marks become rows of the journal and facts, or are refused.

Synchronous; `attendance.live.group_commit` calls it through the gateway.
"""

import logging
from collections.abc import Mapping, Sequence
from enum import Enum

from django.db import connection

from attendance import journal
from attendance.journal import NewMark
from attendance.live import rows
from attendance.live.facts import Marked
from attendance.models import Mark
from core import errors
from core.database.failures import DATABASE_ERRORS, is_unavailable
from core.database.unit_of_work import unit_of_work

logger = logging.getLogger(__name__)


class Refusal(Enum):
    """Why a mark is not in the journal."""

    SESSION_OVER = "session over"
    KEY_REUSED = "key reused"
    FAILED = "failed"

    @property
    def error(self) -> errors.ApiError:
        """The error that tells a client of the refusal."""
        return _ERRORS[self]()


_ERRORS: Mapping[Refusal, type[errors.ApiError]] = {
    Refusal.SESSION_OVER: errors.NoActiveSession,
    Refusal.KEY_REUSED: errors.KeyReused,
    Refusal.FAILED: errors.InternalError,
}


def commit(units: Sequence[Sequence[NewMark]]) -> list[list[Marked] | Refusal]:
    """Adds units of marks in one transaction, in order; for each unit its facts, or why the unit was refused.

    The marks of a unit are of one session, and all of them are added or none. A mark whose key is in the journal
    already is not added again: its fact is that of the first. If the transaction fails, each unit is tried by itself,
    so that a bad unit refuses only itself. Before that, the unit is looked up by its marks' ids: the commit may have
    been done and only its answer lost.
    """
    try:
        return _append(units)
    except DATABASE_ERRORS:
        logger.warning("A batch of %d marks failed; trying again one by one.", sum(map(len, units)), exc_info=True)
    outcomes: list[list[Marked] | Refusal] = []
    for position, unit in enumerate(units):
        try:
            outcomes.append(_find_or_append(unit))
        except DATABASE_ERRORS as failure:
            if is_unavailable(failure):
                # To wait for the database again for every other mark would help nobody.
                logger.exception("%d marks cannot be committed.", sum(map(len, units[position:])))
                return outcomes + [Refusal.FAILED] * (len(units) - position)
            logger.exception("A mark of session %s cannot be committed.", unit[0].session_id)
            outcomes.append(Refusal.FAILED)
    return outcomes


@unit_of_work
def _append(units: Sequence[Sequence[NewMark]]) -> list[list[Marked] | Refusal]:
    batch = _Batch(_known(units))
    taken = [batch.take(unit) for unit in units]
    seqs = journal.append(batch.marks, is_activity=True)
    facts = {mark.id: _fact(seq, mark) for seq, mark in zip(seqs, batch.marks, strict=True) if seq is not None}
    return [
        Refusal.KEY_REUSED if unit is None else _outcome(unit, facts)  # no fact: the session is over
        for unit in taken
    ]


class _Batch:
    """The marks of a transaction. A key stands for one mark, whether that is in the journal or comes in this batch."""

    def __init__(self, known: Mapping[tuple[str, str], Marked]) -> None:
        self.marks: list[NewMark] = []
        self._known: dict[tuple[str, str], Marked | NewMark] = dict(known)

    def take(self, unit: Sequence[NewMark]) -> list[Marked | NewMark] | None:
        """The unit's marks, or for some of them the earlier ones of their keys; None for a key of another mark."""
        taken: list[Marked | NewMark] = []
        new: list[NewMark] = []
        own: dict[tuple[str, str], Marked | NewMark] = {}
        for mark in unit:
            named = (mark.session_id, mark.key) if mark.key is not None else None
            first = own.get(named) or self._known.get(named) if named is not None else None
            if first is None:
                taken.append(mark)
                new.append(mark)
                if named is not None:
                    own[named] = mark
            elif (first.student_id, first.status, first.note) != (mark.student_id, mark.status, mark.note):
                return None
            else:
                taken.append(first)
        self.marks += new
        self._known.update(own)
        return taken


def _known(units: Sequence[Sequence[NewMark]]) -> dict[tuple[str, str], Marked]:
    """The journal's marks that have the keys of these, by session and key."""
    by_session: dict[str, set[str]] = {}
    for unit in units:
        for mark in unit:
            if mark.key is not None:
                by_session.setdefault(mark.session_id, set()).add(mark.key)
    found: dict[tuple[str, str], Marked] = {}
    for session_id, keys in by_session.items():
        named = Mark.objects.filter(session_id=session_id, key__in=list(keys)).order_by("seq")
        for row in named.values_list(*rows.COLUMNS):
            _, fact = rows.marked(row)
            found[session_id, fact.key or ""] = fact
    return found


def _find_or_append(unit: Sequence[NewMark]) -> list[Marked] | Refusal:
    connection.close_if_unusable_or_obsolete()
    written = Mark.objects.filter(pk__in=[mark.id for mark in unit])
    facts = {row[0]: rows.marked(row[1:])[1] for row in written.values_list("id", *rows.COLUMNS)}
    if not facts:
        return _append([unit])[0]
    known = _known([unit])
    return [facts.get(mark.id) or known[mark.session_id, mark.key or ""] for mark in unit]


def _fact(seq: int, mark: NewMark) -> Marked:
    return Marked(seq, mark.student_id, mark.status, mark.at, mark.by_id, mark.method, mark.note, mark.key)


def _outcome(unit: Sequence[Marked | NewMark], facts: Mapping[str, Marked]) -> list[Marked] | Refusal:
    if any(isinstance(mark, NewMark) and mark.id not in facts for mark in unit):
        return Refusal.SESSION_OVER
    return [facts[mark.id] if isinstance(mark, NewMark) else mark for mark in unit]
