"""One live session as this process knows it. Rules only: facts in, facts out, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from attendance.enums import Status
from core.identity import Actor, Role


@dataclass(frozen=True, slots=True)
class Marked:
    """A committed mark: the journal's row `seq` of its session."""

    seq: int
    student_id: str
    status: Status
    at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """Students by status, late among the present and excused among the absent."""

    present: int
    absent: int

    @property
    def total(self) -> int:
        return self.present + self.absent


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts over the marks up to `seq`, as the teacher asked for them."""

    seq: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over and its records are written; `seq` was its last mark."""

    seq: int
    counts: Counts


#: What everybody who follows a session is told.
Fact = Marked | Summary | Ended


@dataclass(slots=True)
class LiveSession:
    """An open session: its roster, and its marks folded from the journal, complete up to `seq`."""

    id: str
    class_id: str
    teacher_id: str
    started_at: datetime
    roster: frozenset[str] = frozenset()
    roster_version: int = -1
    marks: list[Marked] = field(default_factory=list)
    statuses: dict[str, Status] = field(default_factory=dict)
    present: int = 0
    #: Who was told what last came of this session; None: everybody connected.
    told: frozenset[str] | None = frozenset()

    @property
    def seq(self) -> int:
        return len(self.marks)

    @property
    def counts(self) -> Counts:
        return Counts(self.present, len(self.statuses) - self.present)

    def concerns(self, actor: Actor) -> bool:
        """Whether this is a session of a class that `actor` teaches or is enrolled in."""
        if actor.role == Role.TEACHER:
            return actor.id == self.teacher_id
        return actor.id in self.roster

    def admit(self, marks: Iterable[Marked]) -> list[Marked] | None:
        """The gate: takes the marks that are next in order, once each, and returns them.

        Marks that are here already are passed over. None if one is missing before the first new mark: then
        nothing was taken, and the journal must be read.
        """
        new = [mark for mark in marks if mark.seq > self.seq]
        if any(mark.seq != self.seq + at for at, mark in enumerate(new, start=1)):
            return None
        for mark in new:
            self.marks.append(mark)
            before = self.statuses.get(mark.student_id)
            self.present += mark.status.as_basic is Status.PRESENT
            self.present -= before is not None and before.as_basic is Status.PRESENT
            self.statuses[mark.student_id] = mark.status
        return new

    def marks_since(self, seq: int) -> list[Marked]:
        """The marks after `seq`, in order."""
        return self.marks[seq:]
