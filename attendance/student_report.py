"""A student's report: the classes that they are or were in, with what is recorded of them there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from django.utils import timezone

from accounts.models import User
from attendance.counting import RULE_IN_FULL, Tally, Week, absent_in_a_row, by_week
from attendance.enums import Status
from attendance.models import Attendance
from attendance.report_tables import COUNTED, Legend, Table, cells_of, legend, weeks_table
from attendance.reports import counted_records, sessions_held
from classes.access import classes_seen_by
from classes.models import Class, Enrolment
from core import errors
from core.identity import Actor, Role
from core.ids import parse_id
from core.names import by_name
from core.spreadsheets import Cell
from core.times import day_of


@dataclass(frozen=True, slots=True)
class Record:
    """What counts of one lesson."""

    id: str
    session_id: str
    held_at: datetime
    status: Status


@dataclass(frozen=True)
class AttendedClass:
    """A class, and the student's records in it in the order of time."""

    id: str
    name: str
    threshold: int
    records: Sequence[Record]

    @cached_property
    def tally(self) -> Tally:
        return Tally.of(record.status for record in self.records)

    @property
    def absent_in_a_row(self) -> int:
        return absent_in_a_row([record.status for record in self.records])

    @property
    def is_below(self) -> bool:
        """Whether the student attended less than the class's threshold."""
        return self.tally.percent is not None and self.tally.percent < self.threshold


@dataclass(frozen=True)
class StudentReport:
    """A student, and classes in the order of their names."""

    id: str
    name: str
    email: str
    roll_number: str | None
    classes: Sequence[AttendedClass]

    @cached_property
    def tally(self) -> Tally:
        return sum((one.tally for one in self.classes), Tally())

    @property
    def weeks(self) -> list[Week]:
        return by_week(
            (day_of(record.held_at), Tally.of([record.status])) for one in self.classes for record in one.records
        )


def student_report_for(
    *, actor: Actor, student_id: str, since: date | None = None, until: date | None = None
) -> StudentReport:
    """The student's report for themself, the office, and teachers: of the classes that the teacher teaches.

    Raises `StudentNotFound`, also for whoever may not know of the student.
    """
    key = parse_id(student_id)
    student = User.objects.filter(pk=key, role=Role.STUDENT).first() if key else None
    if student is None or (actor.role == Role.STUDENT and student.id != actor.id):
        raise errors.StudentNotFound
    classes = list(classes_seen_by(actor=actor, student_id=student.id))
    if not classes and actor.id != student.id and not actor.is_superuser:
        raise errors.StudentNotFound
    return student_report(student=student, classes=classes, since=since, until=until)


def student_report(
    *, student: User, classes: Sequence[Class], since: date | None = None, until: date | None = None
) -> StudentReport:
    """The student's report of these classes, on the local days `since` to `until`, both included. Three queries."""
    ids = [one.id for one in classes]
    held = sessions_held(*ids, since=since, until=until)
    records = Attendance.objects.filter(student_id=student.id, class_ref_id__in=ids)
    enrolments = Enrolment.objects.filter(student_id=student.id, class_ref_id__in=ids)
    by_class: dict[str, list[Record]] = {class_id: [] for class_id in ids}
    for found in counted_records(held, records, enrolments):
        record = Record(found.id, found.session.id, found.session.held_at, found.status)
        by_class[found.session.class_id].append(record)
    shown = [
        AttendedClass(one.id, one.name, one.threshold, sorted(by_class[one.id], key=lambda each: each.held_at))
        for one in sorted(classes, key=lambda one: by_name(one.name, one.id))
    ]
    return StudentReport(student.id, student.name, student.email, student.roll_number, shown)


def table_of(report: StudentReport) -> Iterator[list[Cell]]:
    """The report as a table: a line for each record, then the totals of each class and of all."""
    yield from _records(report)
    yield []
    yield from _totals(report)
    yield [RULE_IN_FULL]


def tables_of(report: StudentReport, about: Legend) -> list[Table]:
    """The report as the sheets of a workbook: records, totals, weeks, and a legend."""
    return [
        Table("Lessons", lambda: _records(report), fixed=1),
        Table("Totals", lambda: _totals(report), fixed=1),
        weeks_table(report.weeks),
        legend(about),
    ]


def _records(report: StudentReport) -> Iterator[list[Cell]]:
    yield ["Class", "Lesson", "Status"]
    for one in report.classes:
        for record in one.records:
            local = timezone.localtime(record.held_at).replace(tzinfo=None, second=0, microsecond=0)
            yield [one.name, local, record.status]


def _totals(report: StudentReport) -> Iterator[list[Cell]]:
    yield ["Class", *COUNTED, "Absent in a row"]
    for one in report.classes:
        yield [one.name, *cells_of(one.tally), one.absent_in_a_row]
    yield ["All classes", *cells_of(report.tally)]
