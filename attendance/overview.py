"""A session as its teachers see it: the roster with statuses, and the counts of all four statuses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from accounts.selectors import names_of, roll_numbers_of
from attendance.check_in import CheckInRules
from attendance.check_in_rules import check_in_of, check_in_rules
from attendance.enums import SessionState, Status
from attendance.folding import LastMark, last_marks, last_marks_by_session
from attendance.models import Attendance, Session
from classes.selectors import roster, student_ids, student_names_by_class
from core.database.prepared import Prepared
from core.names import by_name


@dataclass(frozen=True, slots=True)
class Counts:
    """Students by status. `unmarked` are those of the roster without a mark, while the session is open."""

    present: int = 0
    late: int = 0
    absent: int = 0
    excused: int = 0
    unmarked: int = 0

    @classmethod
    def of(cls, statuses: Iterable[Status | None]) -> "Counts":
        """The counts of these students' statuses; None is unmarked."""
        number = Counter(statuses)
        return cls(*(number[status] for status in (Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED, None)))


@dataclass(frozen=True, slots=True)
class Line:
    """A student of a session. `status` is None until they are marked; `record_id` is there once the session ended."""

    id: str
    name: str
    roll_number: str | None
    status: Status | None
    record_id: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A session. `lines` has the roster and others who were marked, after the end who has a record, by name."""

    id: str
    class_id: str
    class_name: str
    state: SessionState
    started_at: datetime
    ended_at: datetime | None
    seq: int
    counts: Counts
    lines: Sequence[Line] = ()
    rules: CheckInRules | None = None

    def for_student(self, student_id: str) -> "Overview":
        """What a student may see: themself, and the counts."""
        return Overview(
            self.id,
            self.class_id,
            self.class_name,
            self.state,
            self.started_at,
            self.ended_at,
            self.seq,
            self.counts,
            [line for line in self.lines if line.id == student_id],
            self.rules,
        )


def session_overview(session: Session) -> Overview:
    """The session with everybody in it."""
    lines = _lines(session)
    counts = Counts.of(line.status for line in lines)
    return _overview(session, counts, lines, check_in_of(session.id))


def sessions_listed(class_id: str, *, student_id: str | None = None) -> "QuerySet[Session]":
    """The class's sessions; for a student those in which they have a record, and the open one while they are in it."""
    rows = Session.objects.filter(class_ref_id=class_id).select_related("class_ref")
    if student_id is None:
        return rows
    records = Attendance.objects.filter(class_ref_id=class_id, student_id=student_id)
    is_in_it = Q(pk__in=list(records.values_list("session_id", flat=True)))
    if student_id in student_ids(class_id):
        is_in_it |= Q(state=SessionState.OPEN)
    return rows.filter(is_in_it)


def overviews(sessions: Sequence[Session], *, student_id: str | None = None) -> list[Overview]:
    """Sessions with their counts, and of their students at most one. As many queries for many sessions as for one."""
    ids = [session.id for session in sessions]
    counted: dict[str, Counter[Status | None]] = {session_id: Counter() for session_id in ids}
    recorded = Attendance.objects.filter(session_id__in=ids).order_by().values("session_id", "status")
    for row in recorded.annotate(number=Count("id")):
        counted[row["session_id"]][Status(row["status"])] = row["number"]
    is_open = [session for session in sessions if session.state == SessionState.OPEN]
    marks = last_marks_by_session([session.id for session in is_open])
    rosters = student_names_by_class([session.class_ref_id for session in is_open])
    for session in is_open:
        statuses = counted[session.id]
        statuses.update(mark.status for mark in marks[session.id].values())
        statuses[None] += len(rosters[session.class_ref_id].keys() - marks[session.id].keys())
    lines = _lines_of(student_id, sessions, marks) if student_id is not None else {}
    rules = check_in_rules([session.id for session in is_open])
    return [
        _overview(session, Counts.of(counted[session.id].elements()), lines.get(session.id, ()), rules.get(session.id))
        for session in sessions
    ]


def _lines_of(
    student_id: str, sessions: Sequence[Session], marks: Mapping[str, Mapping[str, LastMark]]
) -> dict[str, Sequence[Line]]:
    name = names_of([student_id]).get(student_id, "")
    roll_number = roll_numbers_of([student_id]).get(student_id)
    recorded = Attendance.objects.filter(student_id=student_id, session_id__in=[session.id for session in sessions])
    records = {
        session_id: (Status(status), key)
        for session_id, status, key in recorded.values_list("session_id", "status", "id")
    }
    lines: dict[str, Sequence[Line]] = {}
    for session in sessions:
        mark = marks.get(session.id, {}).get(student_id)
        status, record_id = records.get(session.id, (None if mark is None else mark.status, None))
        lines[session.id] = [Line(student_id, name, roll_number, status, record_id)]
    return lines


#: With what `Line` says.
_records = Prepared(
    lambda session_id: (
        Attendance.objects.filter(session_id=session_id)
        .order_by()
        .values_list("student_id", "student__name", "student__roll_number", "status", "id")
    )
)


def _lines(session: Session) -> list[Line]:
    if session.state == SessionState.OPEN:
        marks = last_marks(session.id)
        lines = [
            Line(key, name, number or None, marks[key].status if key in marks else None, None)
            for key, name, number in roster(session.class_ref_id)
        ]
        others = marks.keys() - {line.id for line in lines}
        if others:
            names, numbers = names_of(others), roll_numbers_of(others)
            lines += [Line(key, name, numbers.get(key), marks[key].status, None) for key, name in names.items()]
    else:
        lines = [
            Line(key, name, number or None, Status(status), record_id)
            for key, name, number, status, record_id in _records.rows(session.id)
        ]
    return sorted(lines, key=lambda line: by_name(line.name, line.id))


def _overview(
    session: Session, counts: Counts, lines: Sequence[Line] = (), rules: CheckInRules | None = None
) -> Overview:
    return Overview(
        session.id,
        session.class_ref_id,
        session.class_ref.name,
        SessionState(session.state),
        session.started_at,
        session.ended_at,
        session.last_seq,
        counts,
        lines,
        rules if session.state == SessionState.OPEN else None,
    )
