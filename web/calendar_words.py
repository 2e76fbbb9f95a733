"""What pages say of a calendar file's events, in the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from classes.calendars.rows import Outcome, Row

OUTCOMES: Mapping[Outcome, Any] = {
    Outcome.TAKEN: _("taken"),
    Outcome.LEFT_OUT: _("left out"),
    Outcome.REFUSED: _("cannot be taken"),
}
#: The colour of an outcome, by the statuses' colours.
_KINDS = {Outcome.TAKEN: "present", Outcome.LEFT_OUT: "unmarked", Outcome.REFUSED: "absent"}


def rows_shown(rows: Iterable[Row]) -> list[tuple[Row, Any, str, str]]:
    """Each row, the word for what becomes of it, that word's colour, and why."""
    return [(row, OUTCOMES[row.outcome], _KINDS[row.outcome], str(row.reason or "")) for row in rows]


def counts_shown(rows: Sequence[Row]) -> list[tuple[Any, int, str]]:
    """How many events have which outcome."""
    numbers = {one: sum(row.outcome is one for row in rows) for one in Outcome}
    return [(OUTCOMES[one], number, _KINDS[one]) for one, number in numbers.items() if number]
