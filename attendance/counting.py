"""How attendance is counted. Every page, report and export counts by this one rule, and says it.

A student's lessons are the finished, not voided sessions in which they have a record, and whose day lies within their
enrolment. Present and late count as attended, absent counts against, and excused is left out of the total.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from attendance.enums import Status

#: The rule in a sentence, for everything that shows a percentage.
RULE = "Present and late count as attended, absent counts against, and excused lessons are left out."
#: The same with all that it says, for files and programs.
RULE_IN_FULL = (
    f"{RULE} A student's lessons are the finished sessions in which they have a record and whose day lies within their"
    " enrolment. Percent is attended of lessons, to one decimal, halves up; without lessons there is none."
)

#: A class's report names who was absent from so many lessons in a row, up to the last one.
IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records have each status."""

    present: int = 0
    late: int = 0
    absent: int = 0
    excused: int = 0

    @classmethod
    def of(cls, statuses: Iterable[Status | None]) -> "Tally":
        """The tally of these records; None is no record, and counts nowhere."""
        number = Counter(statuses)
        return cls(*(number[status] for status in (Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED)))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.present + other.present,
            self.late + other.late,
            self.absent + other.absent,
            self.excused + other.excused,
        )

    @property
    def attended(self) -> int:
        return self.present + self.late

    @property
    def total(self) -> int:
        """The lessons that count."""
        return self.attended + self.absent

    @property
    def percent(self) -> float | None:
        """Percent attended, to one decimal, halves up; None without any lesson."""
        return (2000 * self.attended + self.total) // (2 * self.total) / 10 if self.total else None


@dataclass(frozen=True, slots=True)
class Week:
    """What the records of a week come to; `monday` is its first day."""

    monday: date
    tally: Tally


def by_week(tallies: Iterable[tuple[date, Tally]]) -> list[Week]:
    """The weeks of the days, in their order. A week without a lesson is left out."""
    weeks: dict[date, Tally] = {}
    for day, tally in tallies:
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = weeks.get(monday, Tally()) + tally
    return [Week(monday, weeks[monday]) for monday in sorted(weeks)]


def absent_in_a_row(statuses: Sequence[Status | None]) -> int:
    """How many lessons up to the last one somebody was absent from without a break. Excused ones break nothing."""
    number = 0
    for status in reversed(statuses):
        if status is Status.ABSENT:
            number += 1
        elif status in (Status.PRESENT, Status.LATE):
            break
    return number
