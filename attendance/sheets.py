"""A session's sheet: everybody in it and what their attendance comes to, while it is open and for good afterwards."""

from dataclasses import dataclass
from datetime import datetime

from attendance.enums import SessionState, Status


@dataclass(frozen=True, slots=True)
class Entry:
    """One student's line. `status`, `at` and `by_id` (who marked) are None where nobody has marked.

    In a finished session an unmarked student's `status` is absent, and still nobody's mark.
    """

    student_id: str
    name: str
    status: Status | None
    at: datetime | None
    by_id: str | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Late counts as present, excused as absent."""

    total: int
    present: int
    absent: int

    @property
    def unmarked(self) -> int:
        return self.total - self.present - self.absent

    @property
    def rate(self) -> float:
        """Present of all, 0 to 1; 0 for nobody."""
        return self.present / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The session, and a line for everybody on the roster (in its order) or marked."""

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
        basic = [entry.status.as_basic for entry in self.entries if entry.status is not None]
        present = basic.count(Status.PRESENT)
        return Statistics(len(self.entries), present, len(basic) - present)
