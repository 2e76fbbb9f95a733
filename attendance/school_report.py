"""The school's report: what the records of each class come to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from attendance.counting import RULE_IN_FULL, Tally, Week, by_week
from attendance.enums import Status
from attendance.models import Attendance
from attendance.report_tables import COUNTED, Legend, Table, cells_of, legend, weeks_table
from attendance.reports import counted_records, sessions_held
from classes.models import Class, Enrolment
from core.names import by_name
from core.spreadsheets import Cell
from core.times import day_of


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

    The records of one class after the other are read, and none is kept: memory does not grow with their number.
    """
    lines, days = [], dict[date, Tally]()
    for one in Class.objects.filter(removed_at=None).select_related("teacher"):
        line, by_day = _line(one, since, until)
        lines.append(line)
        for day, tally in by_day.items():
            days[day] = days.get(day, Tally()) + tally
    lines.sort(key=lambda line: by_name(line.name, line.id))
    return SchoolReport(lines, by_week(days.items()))


def _line(one: Class, since: date | None, until: date | None) -> tuple[ClassLine, dict[date, Tally]]:
    held = sessions_held(one.id, since=since, until=until)
    records = Attendance.objects.filter(class_ref_id=one.id)
    statuses: dict[str, list[Status]] = {session.id: [] for session in held}
    students = set()
    if held:
        for record in counted_records(held, records, Enrolment.objects.filter(class_ref_id=one.id)):
            statuses[record.session.id].append(record.status)
            students.add(record.student_id)
    by_day: dict[date, Tally] = {}
    for session in held:
        day = day_of(session.held_at)
        by_day[day] = by_day.get(day, Tally()) + Tally.of(statuses[session.id])
    tally = sum(by_day.values(), Tally())
    return ClassLine(one.id, one.name, one.teacher.name, one.threshold, len(held), len(students), tally), by_day


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
