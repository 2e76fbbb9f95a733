"""A class's report: its students and finished sessions, each record where the two meet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.utils import timezone

from accounts.models import User
from attendance.counting import RULE_IN_FULL, Tally, Week, absent_in_a_row, by_week
from attendance.enums import Status
from attendance.models import Attendance
from attendance.report_tables import COUNTED, Legend, Table, cells_of, legend, percent_cell, weeks_table
from attendance.reports import counted_records, session_headings, sessions_held
from classes.models import Enrolment
from core.database.batches import batches
from core.names import by_name
from core.spreadsheets import Cell
from core.times import day_of


@dataclass(frozen=True, slots=True)
class Lesson:
    """A finished session: when it was held (aware), and the records of it that count."""

    id: str
    held_at: datetime
    tally: Tally


@dataclass(frozen=True)
class StudentLine:
    """A student: a status for each lesson of the report, None where none counts."""

    id: str
    name: str
    email: str
    roll_number: str | None
    #: Whether the student is enrolled today.
    is_enrolled: bool
    statuses: tuple[Status | None, ...]

    @cached_property
    def tally(self) -> Tally:
        return Tally.of(self.statuses)

    @property
    def absent_in_a_row(self) -> int:
        """How many lessons up to the last one the student was absent from, without a break; excused ones apart."""
        return absent_in_a_row(self.statuses)


@dataclass(frozen=True)
class ClassReport:
    """Lessons in the order of time, and students in the order of their names."""

    lessons: Sequence[Lesson]
    students: Sequence[StudentLine]

    @cached_property
    def tally(self) -> Tally:
        return sum((lesson.tally for lesson in self.lessons), Tally())

    @property
    def weeks(self) -> list[Week]:
        return by_week((day_of(lesson.held_at), lesson.tally) for lesson in self.lessons)

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
        return sorted(found, key=lambda line: (line.tally.percent or 0, by_name(line.name, line.id)))

    def away(self, lessons: int) -> list[StudentLine]:
        """The enrolled students who were absent from at least the last `lessons` lessons, without a break."""
        return [line for line in self.students if line.is_enrolled and line.absent_in_a_row >= lessons]


_LEADING = ("Roll number", "Name", "Email")


def table_of(report: ClassReport) -> Iterator[list[Cell]]:
    """The report as a table: headings, a line for each student, and a line for all of them. Times are the school's."""
    times = session_headings([lesson.held_at for lesson in report.lessons])
    yield [*_LEADING, *times, *COUNTED]
    yield from _lines(report)
    yield [RULE_IN_FULL]


def tables_of(report: ClassReport, about: Legend) -> list[Table]:
    """The report as the sheets of a workbook: the matrix with real dates, the totals, the weeks, and a legend."""
    return [
        Table("Attendance", lambda: _matrix(report), fixed=len(_LEADING)),
        Table("Totals", lambda: _totals(report), fixed=len(_LEADING)),
        weeks_table(report.weeks),
        legend(about),
    ]


def _matrix(report: ClassReport) -> Iterator[list[Cell]]:
    times = [lesson.held_at for lesson in report.lessons]
    yield [*_LEADING, *map(_date, times, session_headings(times)), *COUNTED]
    yield from _lines(report)


def _lines(report: ClassReport) -> Iterator[list[Cell]]:
    for line in report.students:
        yield [*_who(line), *(status or "" for status in line.statuses), *cells_of(line.tally)]
    percents = [percent_cell(lesson.tally) for lesson in report.lessons]
    yield ["", "All students", "", *percents, *cells_of(report.tally)]


def _totals(report: ClassReport) -> Iterator[list[Cell]]:
    yield [*_LEADING, *COUNTED, "Absent in a row"]
    for line in report.students:
        yield [*_who(line), *cells_of(line.tally), line.absent_in_a_row]
    yield ["", "All students", "", *cells_of(report.tally)]


def _who(line: StudentLine) -> list[Cell]:
    return [line.roll_number or "", line.name, line.email]


def _date(at: datetime, heading: str) -> Cell:
    """A real date; the heading where a date to the minute would not tell the lesson from another one."""
    local = timezone.localtime(at)
    return local.replace(tzinfo=None, second=0, microsecond=0) if heading == f"{local:%Y-%m-%d %H:%M}" else heading


def class_report(
    *,
    class_id: str,
    since: date | None = None,
    until: date | None = None,
    student_id: str | None = None,
    enrolled_only: bool = True,
) -> ClassReport:
    """The report of the lessons on the local days `since` to `until`, both included; with `student_id` of one student.

    Without `enrolled_only` records of days outside the student's enrolment count as well: for protocols that know no
    such days.

    Its students are those of the roster, and whoever has a record that counts. Five queries, and more for many people.
    """
    held = sessions_held(class_id, since=since, until=until)
    columns = {session.id: column for column, session in enumerate(held)}
    enrolled = Enrolment.objects.filter(class_ref_id=class_id)
    records = Attendance.objects.filter(session__in=list(columns))  # by the class, older ones would be read as well
    if student_id is not None:
        enrolled, records = enrolled.filter(student_id=student_id), records.filter(student_id=student_id)
    current = set(enrolled.current().values_list("student_id", flat=True))

    statuses: dict[str, list[Status | None]] = {key: [None] * len(held) for key in current}
    for record in counted_records(held, records, enrolled if enrolled_only else Enrolment.objects.none()):
        row = statuses.get(record.student_id)
        if row is None:
            row = statuses[record.student_id] = [None] * len(held)
        row[columns[record.session.id]] = record.status

    students = []
    for some in batches(list(statuses)):
        people = User.objects.filter(pk__in=some).values_list("id", "name", "email", "roll_number")
        students += [
            StudentLine(key, name, email, roll_number, key in current, tuple(statuses[key]))
            for key, name, email, roll_number in people
        ]
    students.sort(key=lambda line: by_name(line.name, line.id))
    by_lesson = zip(*(line.statuses for line in students), strict=True) if students else ((),) * len(held)
    lessons = [
        Lesson(session.id, session.held_at, Tally.of(found)) for session, found in zip(held, by_lesson, strict=True)
    ]
    return ClassReport(lessons, students)
