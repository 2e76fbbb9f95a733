"""Reports: of a class, of a student, of the school, as JSON and as files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import class_report, school_report, student_report
from attendance.report_files import MEDIA_TYPES, file_of
from attendance.report_tables import Legend, Table
from classes.access import class_for_teacher
from core.errors import ApiError, InvalidSchema, StudentNotFound
from core.rest.files import attachment
from core.rest.permissions import Audience
from core.spreadsheets import Cell
from dialects.v2.base import V2View
from dialects.v2.query import day_asked
from dialects.v2.serializers.reports import (
    ClassReportOutput,
    SchoolReportOutput,
    StudentReportOutput,
    class_report_shown,
    school_report_shown,
    student_report_shown,
)
from dialects.v2.views.classes import OF_A_CLASS

DAYS: Mapping[str, tuple[type, str]] = {
    "from": (str, "Only lessons from this day on, such as 2025-03-11, in the school's time."),
    "until": (str, "Only lessons up to this day, included."),
}


class ReportView(V2View):
    """A route with a report: `?from=`, `?until=`, `?format=`."""

    heavy = True
    filters: ClassVar = {**DAYS, "format": (str, "json (if it is left out), csv or xlsx.")}
    media_types = tuple(MEDIA_TYPES.values())

    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day that the query names. Raises `InvalidSchema`."""
        since, until = (day_asked(self.request.query_params, name) for name in DAYS)
        if since and until and since > until:
            raise InvalidSchema({"until": [gettext("A day before `from`.")]})
        return since, until

    def answer(
        self,
        about: Legend,
        shown: Callable[[], Any],
        lines: Callable[[], Iterable[Sequence[Cell]]],
        tables: Callable[[], Iterable[Table]],
    ) -> HttpResponseBase:
        """The report in the format that the query names. Raises `InvalidSchema`."""
        kind = self.request.query_params.get("format", "json")
        if kind == "json":
            return Response(shown())
        if kind not in MEDIA_TYPES:
            raise InvalidSchema({"format": [gettext("json, csv or xlsx.")]})
        return attachment(file_of(kind, lines(), tables), about.name, kind, MEDIA_TYPES[kind])


class ClassReport(ReportView):
    """`GET /api/v2/classes/:id/report`: the class's students with what they attended, and the weeks."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: ClassReportOutput}
    raises = OF_A_CLASS

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        since, until = self.days()
        report = class_report.class_report(class_id=found.id, since=since, until=until)
        about = Legend(found.name, since, until, found.threshold)
        return self.answer(
            about,
            lambda: class_report_shown(report, found.id, about),
            lambda: class_report.table_of(report),
            lambda: class_report.tables_of(report, about),
        )


class StudentReport(ReportView):
    """`GET /api/v2/students/:id/report`: a student's records by class: for a teacher, of the classes they teach."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: StudentReportOutput}
    raises: ClassVar[tuple[type[ApiError], ...]] = (StudentNotFound,)

    def get(self, request: Request, user_id: str) -> HttpResponseBase:
        since, until = self.days()
        report = student_report.student_report_for(actor=self.actor, student_id=user_id, since=since, until=until)
        about = Legend(report.name, since, until)
        return self.answer(
            about,
            lambda: student_report_shown(report, about),
            lambda: student_report.table_of(report),
            lambda: student_report.tables_of(report, about),
        )


class MyAttendance(StudentReport):
    """`GET /api/v2/me/attendance`: the student's own report."""

    audience = Audience.STUDENT
    raises: ClassVar = ()

    def get(self, request: Request) -> HttpResponseBase:  # type: ignore[override]
        return super().get(request, self.actor.id)


class SchoolReport(ReportView):
    """`GET /api/v2/reports/school`: what each class of the school attended, for the office."""

    audience = Audience.SUPERUSER
    shows_people = True
    answers: ClassVar = {200: SchoolReportOutput}

    def get(self, request: Request) -> HttpResponseBase:
        since, until = self.days()
        report = school_report.school_report(since=since, until=until)
        about = Legend("school", since, until)
        return self.answer(
            about,
            lambda: school_report_shown(report, about),
            lambda: school_report.table_of(report),
            lambda: school_report.tables_of(report, about),
        )
