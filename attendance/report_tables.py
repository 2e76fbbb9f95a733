"""What the files of all reports have in common: tables, counts, weeks, and a legend that says the rule of counting."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from attendance.counting import RULE_IN_FULL, Tally, Week
from core.spreadsheets import Cell

#: The headings of `cells_of`.
COUNTED = ("Present", "Late", "Absent", "Excused", "Attended", "Lessons", "Percent")


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: `lines` makes its lines anew, the first has the headings. Its first `fixed` columns stay in sight."""

    title: str
    lines: Callable[[], Iterable[Sequence[Cell]]]
    fixed: int = 0


@dataclass(frozen=True, slots=True)
class Legend:
    """What a report is about: a name, and the days that it was asked for."""

    name: str
    since: date | None = None
    until: date | None = None
    #: The percent below which a student is named, where the report has one.
    threshold: int | None = None


def cells_of(tally: Tally) -> list[Cell]:
    """The counts below `COUNTED`."""
    return [tally.present, tally.late, tally.absent, tally.excused, tally.attended, tally.total, percent_cell(tally)]


def percent_cell(tally: Tally) -> Cell:
    """The percent; an empty cell where there is none."""
    return "" if tally.percent is None else tally.percent


def weeks_table(weeks: Sequence[Week]) -> Table:
    """A line for each week."""

    def lines() -> Iterator[Sequence[Cell]]:
        yield ["Week from", *COUNTED]
        for week in weeks:
            yield [week.monday, *cells_of(week.tally)]

    return Table("Weeks", lines, fixed=1)


def legend(about: Legend) -> Table:
    """What the other sheets are about, and how they count."""
    lines: list[list[Cell]] = [
        ["Report", about.name],
        ["From", about.since or "the first lesson"],
        ["Until", about.until or "the last lesson"],
        ["Counting", RULE_IN_FULL],
    ]
    if about.threshold is not None:
        lines.append(["Threshold", f"{about.threshold} percent"])
    return Table("Legend", lambda: lines)
