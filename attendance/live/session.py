"""One live session as this process knows it. Rules only, no I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from attendance.check_in import CheckInView
from attendance.enums import SessionState, Status, basic_of
from attendance.live.facts import Counts, Ended, Marked
from attendance.sheets import Entry, Sheet
from core.identity import Actor, Role
from core.limits import journal_limit


@dataclass(slots=True)
class LiveSession:
    """An open session: its roster, and its marks folded from the journal, complete up to `seq`."""

    id: str
    class_id: str
    teacher_id: str
    started_at: datetime
    roster: frozenset[str] = frozenset()
    roster_version: int = -1
    #: The roster and the owner: those of whom the published protocols know.
    people: frozenset[str] = frozenset()
    #: Who teaches the class with its owner.
    co_teachers: frozenset[str] = frozenset()
    #: How often the session was opened.
    openings: int = 1
    #: How the students mark themselves.
    check_in: CheckInView = field(default_factory=lambda: CheckInView(None, {}))
    marks: list[Marked] = field(default_factory=list)
    #: The last mark of each student who has one.
    latest: dict[str, Marked] = field(default_factory=dict)
    present: int = 0
    class_name: str = ""
    teacher_name: str = ""
    #: Names by id: the roster's, in its order, then those of others who were marked.
    names: dict[str, str] = field(default_factory=dict)
    #: How the session ended, once it has.
    ended: Ended | None = None
    #: How many marks the journal takes. It is kept, because settings are slow to read for each mark.
    _limit: float = field(init=False)

    def __post_init__(self) -> None:
        self._limit = journal_limit(len(self.roster))

    @property
    def seq(self) -> int:
        return len(self.marks)

    @property
    def room(self) -> float:
        """How many marks more the journal takes, as far as this process knows."""
        return self._limit - self.seq

    @property
    def counts(self) -> Counts:
        return Counts(self.present, len(self.latest) - self.present)

    @property
    def statuses(self) -> dict[str, Status]:
        """Each marked student's status."""
        return {student_id: mark.status for student_id, mark in self.latest.items() if mark.status is not None}

    def belong_to(self, teacher_id: str, roster: frozenset[str], co_teachers: frozenset[str] = frozenset()) -> None:
        """The session's class has these teachers and this roster from now on."""
        self.teacher_id, self.roster, self.co_teachers = teacher_id, roster, co_teachers
        self.people = roster | {teacher_id}
        self._limit = journal_limit(len(roster))

    def concerns(self, actor: Actor) -> bool:
        """Whether this is a session of a class that `actor` teaches or is enrolled in."""
        if actor.role == Role.TEACHER:
            return actor.id == self.teacher_id
        return actor.id in self.roster

    def is_taught_by(self, actor: Actor) -> bool:
        """Whether `actor` is the class's owner, a co-teacher, or the office."""
        is_one = actor.id == self.teacher_id or actor.id in self.co_teachers or actor.is_superuser
        return is_one and actor.role == Role.TEACHER

    def may_be_followed_by(self, actor: Actor) -> bool:
        """Whether `actor` may hear of this session, or of their own part in it."""
        return self.is_taught_by(actor) or (actor.role == Role.STUDENT and actor.id in self.roster)

    def admit(self, marks: Iterable[Marked]) -> list[Marked] | None:
        """The gate: takes the marks that are next in order, once each, and returns them.

        Marks that the session has already are passed over. Returns None, and takes nothing, if a mark is missing before
        the first new one: then the journal must be read.
        """
        new = [mark for mark in marks if mark.seq > self.seq]
        if any(mark.seq != self.seq + at for at, mark in enumerate(new, start=1)):
            return None
        for mark in new:
            self.marks.append(mark)
            before = self.latest.get(mark.student_id)
            self.present += basic_of(mark.status) is Status.PRESENT
            self.present -= before is not None and basic_of(before.status) is Status.PRESENT
            if mark.status is not None:
                self.latest[mark.student_id] = mark
            else:
                self.latest.pop(mark.student_id, None)
        return new

    def marks_since(self, seq: int) -> list[Marked]:
        """The marks after `seq`, in order."""
        return self.marks[seq:]

    def name_of(self, user_id: str) -> str:
        """The name of somebody in this session, `""` for anybody else."""
        return self.teacher_name if user_id == self.teacher_id else self.names.get(user_id, "")

    def people_shown(self) -> list[tuple[str, str]]:
        """Id and name of the roster's students, in its order, then of others who are marked."""
        listed = [*(key for key in self.names if key in self.roster), *(self.roster - self.names.keys())]
        others = [key for key in self.latest if key not in self.roster]
        return [(key, self.names.get(key, "")) for key in (*listed, *others)]

    def sheet(self) -> Sheet:
        """The session as it stands."""
        return Sheet(
            session_id=self.id,
            class_id=self.class_id,
            class_name=self.class_name,
            teacher_id=self.teacher_id,
            teacher_name=self.teacher_name,
            state=SessionState.OPEN,
            started_at=self.started_at,
            ended_at=None,
            entries=tuple(self.entry(student_id) for student_id, _ in self.people_shown()),
        )

    def entry(self, student_id: str) -> Entry:
        """A student's line as it stands."""
        mark = self.latest.get(student_id)
        name = self.names.get(student_id, "")
        if mark is None:
            return Entry(student_id, name, None, None, None)
        return Entry(student_id, name, mark.status, mark.at, mark.by_id)
