"""The school's report: what the records of each class come to."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from attendance.counting import RULE_IN_FULL, Tally, Week, by_week
from attendance.enums import Status
from attendance.models import Attendance
from attendance.report_tables import COUNTED, Legend, Table, cells_of, legend, weeks_table
from attendance.reports import Held, counted_records, sessions_held_at_school
from classes.models import Class, Enrolment
from core.database.batches import batches
from core.names import by_name
from core.spreadsheets import Cell
from core.times import day_of

#: The records of so many lessons are asked for in one statement.
LESSONS = 500


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class with its teacher's name: how many lessons it had and how many students with records, and their tally."""

    id: str
    name: str
    teacher: str
    threshold: int
    lessons: int
    students: int
    tally: Tally


@dataclass(frozen=True)
class SchoolReport:
    """Classes in the order of their names, and the weeks of all."""

    classes: Sequence[ClassLine]
    weeks: Sequence[Week]

    @cached_property
    def tally(self) -> Tally:
        return sum((line.tally for line in self.classes), Tally())


def school_report(*, since: date | None = None, until: date | None = None) -> SchoolReport:
    """The report of the lessons on the local days `since` to `until`, both included.

    Of the records those of the lessons are read, of some lessons after the other, and none is kept: neither time nor
    memory grow with what was recorded on other days.
    """
    classes = Class.objects.filter(removed_at=None).select_related("teacher")
    sums = {one.id: _Sums() for one in classes}
    days: dict[date, Tally] = {}
    held = [session for session in sessions_held_at_school(since=since, until=until) if session.class_id in sums]
    held.sort(key=lambda session: session.class_id)
    for some in batches(held, LESSONS):
        statuses = _statuses(some, sums)
        for session in some:
            tally, day = Tally.of(statuses[session.id].elements()), day_of(session.held_at)
            sums[session.class_id].take(tally)
            days[day] = days.get(day, Tally()) + tally
    lines = [
        ClassLine(one.id, one.name, one.teacher.name, one.threshold, of.lessons, len(of.student_ids), of.tally)
        for one in classes
        for of in [sums[one.id]]
    ]
    lines.sort(key=lambda line: by_name(line.name, line.id))
    return SchoolReport(lines, by_week(days.items()))


@dataclass(slots=True)
class _Sums:
    """What the records of a class come to."""

    lessons: int = 0
    student_ids: set[str] = field(default_factory=set)
    tally: Tally = field(default_factory=Tally)

    def take(self, lesson: Tally) -> None:
        self.lessons += 1
        self.tally += lesson


def _statuses(held: Sequence[Held], sums: Mapping[str, _Sums]) -> dict[str, Counter[Status]]:
    """Session id → the statuses of its records that count; whose they are is added to `sums`."""
    found = {session.id: Counter[Status]() for session in held}
    records = Attendance.objects.filter(session_id__in=list(found))
    enrolments = Enrolment.objects.filter(class_ref_id__in={session.class_id for session in held})
    for _, session, student_id, status in counted_records(held, records, enrolments):
        found[session.id][status] += 1
        sums[session.class_id].student_ids.add(student_id)
    return found


def table_of(report: SchoolReport) -> Iterator[list[Cell]]:
    """The report as a table: a line for each class, and one for all."""
    yield from _lines(report)
    yield [RULE_IN_FULL]


def tables_of(report: SchoolReport, about: Legend) -> list[Table]:
    """The report as the sheets of a workbook: classes, weeks, and a legend."""
    return [Table("Classes", lambda: _lines(report), fixed=1), weeks_table(report.weeks), legend(about)]


def _lines(report: SchoolReport) -> Iterator[list[Cell]]:
    yield ["Class", "Teacher", "Sessions", "Students", *COUNTED]
    for line in report.classes:
        yield [line.name, line.teacher, line.lessons, line.students, *cells_of(line.tally)]
    yield ["All classes", "", sum(line.lessons for line in report.classes), "", *cells_of(report.tally)]
