"""What becomes of each event of a calendar file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from classes.calendars.reading import Series
from classes.calendars.reasons import Reason, Why


class Outcome(StrEnum):
    """What becomes of an event."""

    TAKEN = "taken"
    LEFT_OUT = "left_out"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of an event of a file: how many lessons or days are taken, and why not more."""

    line: int
    uid: str
    name: str
    outcome: Outcome
    reason: Reason | None
    days: int = 0


def row_of(series: Series, reasons: Sequence[Why], days: int) -> Row:
    """The row of an event of which so many days are taken; `reasons`: why others are not."""
    row = Row(series.line, series.uid, series.name, Outcome.REFUSED, series.fault)
    if series.fault is not None:
        return row
    if not days:
        return replace(row, outcome=Outcome.LEFT_OUT, reason=Reason(reasons[0] if reasons else Why.OUTSIDE))
    others = [Reason(why) for why in reasons if why is not Why.CANCELLED]
    return replace(row, outcome=Outcome.TAKEN, reason=others[0] if others else series.note, days=days)
