"""A session's sheet: its people and their attendance, of an open session and of a finished one."""

from dataclasses import dataclass
from datetime import datetime

from attendance.enums import SessionState, Status


@dataclass(frozen=True, slots=True)
class Entry:
    """One student's line. `status`, `at` and `by_id` (who made the mark) are None for a student without a mark.

    In a finished session a student without a mark has the `status` absent. `at` and `by_id` are None there too.
    """

    student_id: str
    name: str
    status: Status | None
    at: datetime | None
    by_id: str | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """The counts of a sheet. Late counts as present, and excused as absent."""

    total: int
    present: int
    absent: int
    #: How many of the present are late, and of the absent excused.
    late: int = 0
    excused: int = 0

    @property
    def unmarked(self) -> int:
        return self.total - self.present - self.absent

    @property
    def rate(self) -> float:
        """The present share of all students, from 0 to 1. 0 if there are no students."""
        return self.present / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """A session, and a line for each student of the roster, in its order, and for each other student with a mark."""

    session_id: str
    class_id: str
    class_name: str
    teacher_id: str
    teacher_name: str
    state: SessionState
    started_at: datetime
    ended_at: datetime | None
    entries: tuple[Entry, ...]

    @property
    def statistics(self) -> Statistics:
        found = [entry.status for entry in self.entries if entry.status is not None]
        late, excused = found.count(Status.LATE), found.count(Status.EXCUSED)
        present = found.count(Status.PRESENT) + late
        return Statistics(len(self.entries), present, len(found) - present, late, excused)
