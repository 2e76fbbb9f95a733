"""A class's report: its students and finished sessions, each record where the two meet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from accounts.models import User
from attendance.counting import RULE, Tally
from attendance.enums import Status
from attendance.models import Attendance
from attendance.reports import session_headings, sessions_held
from classes.models import Enrolment, covers
from core.database.batches import batches
from core.times import day_of


@dataclass(frozen=True, slots=True)
class Lesson:
    """A finished session: when it was held (aware), and the records of it that count."""

    id: str
    held_at: datetime
    tally: Tally


@dataclass(frozen=True, slots=True)
class StudentLine:
    """A student: a status for each lesson of the report, None where none counts."""

    id: str
    name: str
    email: str
    roll_number: str | None
    #: Whether the student is enrolled today.
    is_enrolled: bool
    statuses: tuple[Status | None, ...]

    @property
    def tally(self) -> Tally:
        return Tally.of(self.statuses)

    @property
    def absent_in_a_row(self) -> int:
        """How many lessons up to the last one the student was absent from, without a break; excused ones apart."""
        number = 0
        for status in reversed(self.statuses):
            if status is Status.ABSENT:
                number += 1
            elif status in (Status.PRESENT, Status.LATE):
                break
        return number


@dataclass(frozen=True, slots=True)
class ClassReport:
    """Lessons in the order of time, and students in the order of their names."""

    lessons: Sequence[Lesson]
    students: Sequence[StudentLine]

    @property
    def tally(self) -> Tally:
        return Tally.of(status for line in self.students for status in line.statuses)

    def of_student(self, student_id: str) -> StudentLine | None:
        """The student's line; None for somebody who is not in the report."""
        return next((line for line in self.students if line.id == student_id), None)

    def below(self, percent: float) -> list[StudentLine]:
        """The enrolled students who attended less than `percent`, those who attended least first."""
        found = [
            line
            for line in self.students
            if line.is_enrolled and line.tally.percent is not None and line.tally.percent < percent
        ]
        return sorted(found, key=lambda line: (line.tally.percent or 0, line.name.casefold()))

    def away(self, lessons: int) -> list[StudentLine]:
        """The enrolled students who were absent from at least the last `lessons` lessons, without a break."""
        return [line for line in self.students if line.is_enrolled and line.absent_in_a_row >= lessons]


#: A cell: text, a number, or nothing.
Cell = str | int | float


def table_of(report: ClassReport) -> Iterator[list[Cell]]:
    """The report as a table: headings, a line for each student, and a line for all of them. Times are the school's."""
    counted = ("Present", "Late", "Absent", "Excused", "Attended", "Lessons", "Percent")
    times = session_headings([lesson.held_at for lesson in report.lessons])
    yield ["Roll number", "Name", "Email", *times, *counted]
    for line in report.students:
        statuses = [status.value if status else "" for status in line.statuses]
        yield [line.roll_number or "", line.name, line.email, *statuses, *_cells(line.tally)]
    percents = [_percent(lesson.tally) for lesson in report.lessons]
    yield ["", "All students", "", *percents, *_cells(report.tally)]
    yield [RULE]


def _cells(tally: Tally) -> list[Cell]:
    return [tally.present, tally.late, tally.absent, tally.excused, tally.attended, tally.total, _percent(tally)]


def _percent(tally: Tally) -> Cell:
    return "" if tally.percent is None else tally.percent


def class_report(
    *, class_id: str, since: date | None = None, until: date | None = None, student_id: str | None = None
) -> ClassReport:
    """The report of the lessons on the local days `since` to `until`, both included; with `student_id` of one student.

    Its students are those of the roster, and whoever has a record that counts. Four queries, and more for many people.
    """
    held = sessions_held(class_id=class_id, since=since, until=until)
    columns = {session.id: column for column, session in enumerate(held)}
    enrolled = Enrolment.objects.filter(class_ref_id=class_id)
    records = Attendance.objects.filter(class_ref_id=class_id, session__in=list(columns))
    if student_id is not None:
        enrolled, records = enrolled.filter(student_id=student_id), records.filter(student_id=student_id)
    days = {key: (first, last) for key, first, last in enrolled.values_list("student_id", "since", "until")}
    current = set(enrolled.current().values_list("student_id", flat=True))

    statuses: dict[str, list[Status | None]] = {key: [None] * len(held) for key in current}
    for session_id, key, status in records.values_list("session_id", "student_id", "status"):
        first, last = days.get(key, (None, None))
        if covers(since=first, until=last, day=day_of(held[columns[session_id]].held_at)):
            statuses.setdefault(key, [None] * len(held))[columns[session_id]] = Status(status)

    students = []
    for some in batches(list(statuses)):
        people = User.objects.filter(pk__in=some).values_list("id", "name", "email", "roll_number")
        students += [
            StudentLine(key, name, email, roll_number, key in current, tuple(statuses[key]))
            for key, name, email, roll_number in people
        ]
    students.sort(key=lambda line: (line.name.casefold(), line.id))
    lessons = [
        Lesson(session.id, session.held_at, Tally.of(line.statuses[column] for line in students))
        for column, session in enumerate(held)
    ]
    return ClassReport(lessons, students)
