"""Reports: what a class's records come to, for its teachers and for each student."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from attendance.class_report import ClassReport, class_report, table_of, tables_of
from attendance.counting import IN_A_ROW, Tally
from attendance.report_files import MEDIA_TYPES, file_of
from attendance.report_tables import Legend
from attendance.selectors import open_sessions, status_so_far
from classes.selectors import class_get_for_student
from core import errors
from core.ids import parse_id
from core.rest.files import attachment
from core.rest.permissions import Audience
from web.charts import percent_chart
from web.forms.classes import DaysForm
from web.pages import Slice
from web.views.classes import ClassPage
from web.views.page import Page

#: The heat map shows so many lessons, the last ones.
COLUMNS = 30


class Days(Page):
    """A page about the lessons between two days, which its address may name."""

    heavy = True

    def days(self, first: date | None = None) -> tuple[DaysForm, date | None, date | None]:
        """The form of the days, and the first and the last of them; None for a day that is not named.

        `first` is where a report begins whose address says nothing of days.
        """
        form = DaysForm(self.request.GET or {"since": first})
        named = form.cleaned_data if form.is_valid() else {}
        return form, named.get("since"), named.get("until")


def chart_of(report: ClassReport, tallies: list[Tally], limit: int) -> SafeString:
    """The percentages of the report's lessons as a chart."""
    days = [formats.date_format(timezone.localtime(one.held_at), "SHORT_DATE_FORMAT") for one in report.lessons]
    return percent_chart(
        [tally.percent for tally in tallies],
        label=_("Percent there, lesson by lesson. The table below has the numbers."),
        first=days[0],
        last=days[-1],
        limit=limit,
    )


class Reports(ClassPage, Days):
    """`/app/classes/ID/reports`."""

    tab = "reports"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form, since, until = self.days()
        report = class_report(class_id=self.found.id, since=since, until=until)
        content: dict[str, Any] = {
            "days": form,
            "query": request.GET.urlencode(),
            "report": report,
            "below": report.below(self.found.threshold),
            "away": report.away(IN_A_ROW),
            "limit": self.found.threshold,
            "in_a_row": IN_A_ROW,
            "lessons": report.lessons[-COLUMNS:],
            "lines": [(line, line.statuses[-COLUMNS:]) for line in report.students],
            "is_cut": len(report.lessons) > COLUMNS,
        }
        if report.lessons:
            content["chart"] = chart_of(report, [lesson.tally for lesson in report.lessons], self.found.threshold)
        return self.show("class_reports.html", content)


class ReportFile(ClassPage, Days):
    """`/app/classes/ID/reports.csv` and `.xlsx`."""

    tab = "reports"

    def get(self, request: HttpRequest, class_id: str, kind: str) -> Any:
        if kind not in MEDIA_TYPES:
            raise errors.NotFound
        form, since, until = self.days()
        if not form.is_valid():
            raise errors.InvalidSchema
        report = class_report(class_id=self.found.id, since=since, until=until)
        about = Legend(self.found.name, since, until, self.found.threshold)
        content = file_of(kind, table_of(report), lambda: tables_of(report, about))
        return attachment(content, self.found.name, kind, MEDIA_TYPES[kind])


class ClassStudent(ClassPage, Days):
    """`/app/classes/ID/students/ID`: a student's records in the class."""

    tab = "students"

    def get(self, request: HttpRequest, class_id: str, student_id: str) -> HttpResponse:
        key = parse_id(student_id)
        if key is None:
            raise errors.StudentNotFound
        report = class_report(class_id=self.found.id, student_id=key)
        line = report.of_student(key)
        if line is None:
            raise errors.StudentNotFound
        return self.show("class_student.html", student_content(request, self.found, report, line))


class MyClass(Page):
    """`/app/me/classes/ID`: a student's own records in a class."""

    audience = Audience.STUDENT
    section = "home"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        found = class_get_for_student(actor=self.actor, class_id=class_id)
        report = class_report(class_id=found.id, student_id=self.actor.id)
        line = report.of_student(self.actor.id)
        live = open_sessions([found.id]).get(found.id)
        content = {
            "class": found,
            "live": live,
            "status": status_so_far(actor=self.actor, class_id=found.id)[1] if live else None,
            **(student_content(request, found, report, line) if line else {}),
        }
        return self.show("my_class.html", content)


def student_content(request: HttpRequest, found: Any, report: ClassReport, line: Any) -> dict[str, Any]:
    """What a page shows of one student's line: the last records, and a page further the ones before."""
    records = [(lesson, status) for lesson, status in zip(report.lessons, line.statuses, strict=True) if status]
    page = Slice.of(records[::-1], request.GET.get("page"))
    return {"line": line, "tally": line.tally, "slice": page, "limit": found.threshold}
