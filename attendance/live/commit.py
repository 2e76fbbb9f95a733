"""The transaction of a group commit: marks become rows of the journal and facts, or are refused.

Synchronous; `attendance.live.group_commit` calls it through the gateway.
"""

import logging
from collections.abc import Sequence
from enum import Enum

from django.db import connection

from attendance import journal
from attendance.journal import NewMark
from attendance.live.facts import Marked
from attendance.models import Mark
from core import errors
from core.database.failures import DATABASE_ERRORS, is_unavailable
from core.database.unit_of_work import unit_of_work

logger = logging.getLogger(__name__)


class Refusal(Enum):
    """Why a mark is not in the journal."""

    SESSION_OVER = "session over"
    FAILED = "failed"

    @property
    def error(self) -> errors.ApiError:
        """The error that tells a client of the refusal."""
        return errors.NoActiveSession() if self is Refusal.SESSION_OVER else errors.InternalError()


def commit(units: Sequence[Sequence[NewMark]]) -> list[list[Marked] | Refusal]:
    """Adds units of marks in one transaction, in order; for each unit its facts, or why the unit was refused.

    The marks of a unit are of one session, and all of them are added or none. If the transaction fails, each unit is
    tried by itself, so that a bad unit refuses only itself. Before that, the unit is looked up by its first mark's id:
    the commit may have been done and only its answer lost.
    """
    try:
        seqs = iter(_append([mark for unit in units for mark in unit]))
        return [_outcome(unit, [next(seqs) for _ in unit]) for unit in units]
    except DATABASE_ERRORS:
        logger.warning("A batch of %d marks failed; trying again one by one.", sum(map(len, units)), exc_info=True)
    outcomes: list[list[Marked] | Refusal] = []
    for position, unit in enumerate(units):
        try:
            outcomes.append(_outcome(unit, _find_or_append(unit)))
        except DATABASE_ERRORS as failure:
            if is_unavailable(failure):
                # To wait for the database again for every other mark would help nobody.
                logger.exception("%d marks cannot be committed.", sum(map(len, units[position:])))
                return outcomes + [Refusal.FAILED] * (len(units) - position)
            logger.exception("A mark of session %s cannot be committed.", unit[0].session_id)
            outcomes.append(Refusal.FAILED)
    return outcomes


@unit_of_work
def _append(marks: Sequence[NewMark]) -> list[int | None]:
    return journal.append(marks, is_activity=True)


def _find_or_append(unit: Sequence[NewMark]) -> Sequence[int | None]:
    connection.close_if_unusable_or_obsolete()
    first: int | None = Mark.objects.filter(pk=unit[0].id).values_list("seq", flat=True).first()
    return range(first, first + len(unit)) if first is not None else _append(unit)


def _outcome(unit: Sequence[NewMark], seqs: Sequence[int | None]) -> list[Marked] | Refusal:
    facts = [
        Marked(seq, mark.student_id, mark.status, mark.at, mark.by_id, mark.method)
        for mark, seq in zip(unit, seqs, strict=True)
        if seq is not None
    ]
    return facts or Refusal.SESSION_OVER
