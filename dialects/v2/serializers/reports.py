"""Reports: of a class, of a student, of the school."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from attendance.class_report import ClassReport
from attendance.counting import IN_A_ROW, RULE_IN_FULL, Tally, Week
from attendance.enums import Status
from attendance.report_tables import Legend
from attendance.school_report import SchoolReport
from attendance.student_report import StudentReport
from core.rest.serializers import Id, IsoTime, OutputSerializer, StrictDay
from dialects.v2.serializers.sessions import CountsOutput


class TallyOutput(OutputSerializer):
    """`{attended, total, percent, counts}`; `percent` is null where there is no lesson."""

    attended = serializers.IntegerField()
    total = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)
    counts = CountsOutput()


class ReportRowOutput(TallyOutput):
    """`{_id, name, rollNumber, attended, total, percent, counts}`: a student of a class."""

    _id = Id(source="id")
    name = serializers.CharField()
    rollNumber = serializers.CharField(source="roll_number", allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return _first(super().get_fields(), "_id", "name", "rollNumber")


class WeekOutput(TallyOutput):
    """`{monday, attended, total, percent, counts}`: a week with lessons."""

    monday = StrictDay()

    def get_fields(self) -> dict[str, Any]:
        return _first(super().get_fields(), "monday")


class AbsentOutput(OutputSerializer):
    """`{_id, lessons}`: a student and how many lessons in a row, up to the last one, they were absent from."""

    _id = Id(source="id")
    lessons = serializers.IntegerField()


class ReportOutput(OutputSerializer):
    """What every report has: `{from, until, rule, total, weeks}`. A day is null where the report asked for none."""

    until = StrictDay(allow_null=True)
    rule = serializers.CharField(help_text="How attendance is counted, in words.")
    total = TallyOutput()
    weeks = WeekOutput(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": StrictDay(source="since", allow_null=True)}


class ClassReportOutput(ReportOutput):
    """A class's report.

    `below` has the enrolled students who attended less than `threshold` percent, and `absentInARow` those who were
    absent from at least the last three lessons.
    """

    classId = Id(source="class_id")
    className = serializers.CharField(source="class_name")
    threshold = serializers.IntegerField()
    lessons = serializers.IntegerField()
    rows = ReportRowOutput(many=True)
    below = serializers.ListField(child=Id())
    absentInARow = AbsentOutput(source="away", many=True)


class RecordLineOutput(OutputSerializer):
    """`{recordId, sessionId, at, status}`: one lesson."""

    recordId = Id(source="id")
    sessionId = Id(source="session_id")
    at = IsoTime(source="held_at")
    status = serializers.ChoiceField(Status.choices)


class AttendedClassOutput(TallyOutput):
    """A student's part of a class: the tally, and the records in the order of time."""

    classId = Id(source="class_id")
    className = serializers.CharField(source="class_name")
    threshold = serializers.IntegerField()
    below = serializers.BooleanField()
    absentInARow = serializers.IntegerField(source="absent_in_a_row")
    records = RecordLineOutput(many=True)


class StudentReportOutput(ReportOutput):
    """A student's report, by class."""

    _id = Id(source="id")
    name = serializers.CharField()
    rollNumber = serializers.CharField(source="roll_number", allow_null=True)
    classes = AttendedClassOutput(many=True)


class ClassLineOutput(TallyOutput):
    """A class in the school's report: with how many lessons, and how many students who have a record that counts."""

    classId = Id(source="class_id")
    className = serializers.CharField(source="class_name")
    teacher = serializers.CharField()
    lessons = serializers.IntegerField()
    students = serializers.IntegerField()


class SchoolReportOutput(ReportOutput):
    """The school's report, by class."""

    classes = ClassLineOutput(many=True)


def class_report_shown(report: ClassReport, class_id: str, about: Legend) -> dict[str, Any]:
    """A class's report as its answer."""
    return ClassReportOutput.show(
        {
            **_common(about, report.tally, report.weeks),
            "class_id": class_id,
            "class_name": about.name,
            "threshold": about.threshold,
            "lessons": len(report.lessons),
            "rows": [
                {"id": line.id, "name": line.name, "roll_number": line.roll_number, **_tally(line.tally)}
                for line in report.students
            ],
            "below": [line.id for line in report.below(about.threshold or 0)],
            "away": [{"id": line.id, "lessons": line.absent_in_a_row} for line in report.away(IN_A_ROW)],
        }
    )


def student_report_shown(report: StudentReport, about: Legend) -> dict[str, Any]:
    """A student's report as its answer."""
    return StudentReportOutput.show(
        {
            **_common(about, report.tally, report.weeks),
            "id": report.id,
            "name": report.name,
            "roll_number": report.roll_number,
            "classes": [
                {
                    "class_id": one.id,
                    "class_name": one.name,
                    "threshold": one.threshold,
                    "below": one.is_below,
                    "absent_in_a_row": one.absent_in_a_row,
                    "records": one.records,
                    **_tally(one.tally),
                }
                for one in report.classes
            ],
        }
    )


def school_report_shown(report: SchoolReport, about: Legend) -> dict[str, Any]:
    """The school's report as its answer."""
    return SchoolReportOutput.show(
        {
            **_common(about, report.tally, report.weeks),
            "classes": [
                {
                    "class_id": line.id,
                    "class_name": line.name,
                    "teacher": line.teacher,
                    "lessons": line.lessons,
                    "students": line.students,
                    **_tally(line.tally),
                }
                for line in report.classes
            ],
        }
    )


def _common(about: Legend, total: Tally, weeks: Iterable[Week]) -> dict[str, Any]:
    return {
        "since": about.since,
        "until": about.until,
        "rule": RULE_IN_FULL,
        "total": _tally(total),
        "weeks": [{"monday": week.monday, **_tally(week.tally)} for week in weeks],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    counts = {name: getattr(tally, name) for name in ("present", "late", "absent", "excused")}
    return {
        "attended": tally.attended,
        "total": tally.total,
        "percent": tally.percent,
        "counts": {**counts, "unmarked": 0},
    }


def _first(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**{name: fields[name] for name in names}, **fields}
