"""How attendance is counted. Every page, report and export counts by this one rule, and says it.

A student's lessons are the finished, not voided sessions in which they have a record, and whose day lies within their
enrolment. Present and late count as attended, absent counts against, and excused is left out of the total.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from attendance.enums import Status

#: The rule in a sentence, for everything that shows a percentage.
RULE = "Present and late count as attended, absent counts against, and excused lessons are left out."


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
