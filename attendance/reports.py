"""Reports: a class's attendance as a matrix of students and finished sessions, and the files that hold a matrix."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import IO

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from attendance.enums import Status
from attendance.models import Attendance
from attendance.selectors import finished_sessions
from classes.models import Enrolment
from core import spreadsheets
from core.spreadsheets import Writable

#: A cell: text, a count or a rate.
Cell = str | int | float

#: The columns before the sessions' and after them.
_LEADING = ("Roll number", "Name", "Email")
_TRAILING = ("Present", "Absent", "Total", "Rate %")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many records are present and absent. Late counts as present, and excused as absent."""

    present: int
    absent: int

    @property
    def total(self) -> int:
        return self.present + self.absent

    @property
    def rate(self) -> float | None:
        """Percent present, to one decimal; None without any record."""
        return round(100 * self.present / self.total, 1) if self.total else None

    @property
    def cells(self) -> list[Cell]:
        return [self.present, self.absent, self.total, "" if self.rate is None else self.rate]


@dataclass(frozen=True, slots=True)
class StudentRow:
    """One student: a status for each session of the matrix, or None where the student has no record."""

    name: str
    email: str
    roll_number: str
    statuses: tuple[Status | None, ...]

    @property
    def tally(self) -> Tally:
        return _tally(self.statuses)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Students in the order of their names, and sessions in the order of the times (aware) at which they were held."""

    started_at: Sequence[datetime]
    students: Sequence[StudentRow]

    def header(self) -> list[Cell]:
        """The headings. The heading of a session is its start in TIME_ZONE, and no two are the same."""
        return [*_LEADING, *session_headings(self.started_at), *_TRAILING]

    def lines(self) -> Iterator[list[Cell]]:
        """A line for each student, then the totals: how many were present in each session, and in all sessions."""
        for row in self.students:
            yield [row.roll_number, row.name, row.email, *(status or "" for status in row.statuses), *row.tally.cells]
        present = [
            _tally(row.statuses[column] for row in self.students).present for column in range(len(self.started_at))
        ]
        overall = _tally(status for row in self.students for status in row.statuses)
        yield ["", "Total present", "", *present, *overall.cells]


def session_headings(started_at: Sequence[datetime]) -> list[str]:
    """The local starts of sessions to the minute, and no two the same.

    An offset tells the hour that comes twice in autumn apart, seconds two sessions of one minute, and a number those of
    one second.
    """
    local = [timezone.localtime(at) for at in started_at]
    headings = [f"{at:%Y-%m-%d %H:%M}" for at in local]
    for heading, number in Counter(headings).items():
        if number > 1:
            columns = [column for column, other in enumerate(headings) if other == heading]
            for column, apart in zip(columns, _apart([local[column] for column in columns]), strict=True):
                headings[column] = apart
    return headings


def _apart(moments: Sequence[datetime]) -> list[str]:
    """Different texts for moments of the same local minute."""
    has_offset = len({at.utcoffset() for at in moments}) > 1
    offsets = [f" {at.isoformat()[-6:]}" if has_offset else "" for at in moments]
    texts = [f"{at:%Y-%m-%d %H:%M}{offset}" for at, offset in zip(moments, offsets, strict=True)]
    if len(set(texts)) < len(texts):
        texts = [f"{at:%Y-%m-%d %H:%M:%S}{offset}" for at, offset in zip(moments, offsets, strict=True)]
    seen: Counter[str] = Counter()
    for column, text in enumerate(texts):
        seen[text] += 1
        if seen[text] > 1:
            texts[column] = f"{text} ({seen[text]})"
    return texts


def _tally(statuses: Iterable[Status | None]) -> Tally:
    basic = [status.as_basic for status in statuses if status is not None]
    present = basic.count(Status.PRESENT)
    return Tally(present, len(basic) - present)


def attendance_matrix(*, class_id: str, since: date | None = None, until: date | None = None) -> Matrix:
    """The class's finished sessions that were held on the local days `since` to `until`, both included.

    Its students are those on the roster now and those with a record in one of the sessions. Three queries.
    """
    sessions = sessions_held(class_id=class_id, since=since, until=until)
    columns = {session.id: column for column, session in enumerate(sessions)}

    statuses: dict[str, list[Status | None]] = {}
    records = Attendance.objects.filter(class_ref_id=class_id, session__in=list(columns))
    for session_id, student_id, status in records.values_list("session_id", "student_id", "status").iterator():
        row = statuses.setdefault(student_id, [None] * len(columns))
        row[columns[session_id]] = Status(status)

    people = User.objects.filter(
        Q(pk__in=Enrolment.objects.current().filter(class_ref_id=class_id).values("student_id"))
        | Q(pk__in=records.values("student_id"))
    )
    nothing = [None] * len(columns)
    students = [
        StudentRow(name, email, roll_number or "", tuple(statuses.get(student_id, nothing)))
        for student_id, name, email, roll_number in people.values_list("id", "name", "email", "roll_number")
    ]
    students.sort(key=lambda row: (row.name.casefold(), row.email.casefold()))
    return Matrix([session.held_at for session in sessions], students)


@dataclass(frozen=True, slots=True)
class Held:
    """A finished session: when it was held (aware), and how many were present and absent."""

    id: str
    held_at: datetime
    present: int
    absent: int


def sessions_held(*, class_id: str, since: date | None = None, until: date | None = None) -> list[Held]:
    """The class's finished sessions that were held on the local days `since` to `until`, the oldest first."""
    finished = finished_sessions(class_id)
    if since is not None:
        finished = finished.filter(held_at__gte=midnight(since))
    if until is not None:
        finished = finished.filter(held_at__lt=midnight(until, days_after=1))
    rows = finished.order_by("held_at", "id").values_list("id", "held_at", "present_count", "absent_count")
    return [Held(key, held_at, present or 0, absent or 0) for key, held_at, present, absent in rows]


def midnight(day: date, *, days_after: int = 0) -> datetime:
    """The instant at which the local day begins that is so many days after `day`."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=days_after), time.min))


def write_csv(matrix: Matrix, file: Writable, lines: Iterable[list[Cell]]) -> None:
    """Header and `lines` as CSV."""
    spreadsheets.write_csv(file, chain([matrix.header()], lines))


def write_xlsx(matrix: Matrix, file: IO[bytes], lines: Iterable[list[Cell]]) -> None:
    """Header and `lines` as a workbook. A text is stored as text, even if it begins like a formula."""
    from attendance import workbook  # noqa: PLC0415  its library is slow to import, and no server uses it

    workbook.write(file, chain([matrix.header()], lines))
