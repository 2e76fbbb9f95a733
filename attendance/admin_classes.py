"""The admin's pages of classes and rosters, with what they can do about records: exports, the grid, taking off.

`classes.admin` and `classes.admin_rosters` have the rest of these pages.
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin_passwords import ask_first
from attendance.class_report import class_report, table_of, tables_of
from attendance.counting import RULE
from attendance.report_files import MEDIA_TYPES, file_of
from attendance.report_tables import Legend
from attendance.services import enrolment_end
from audit.models import Action
from audit.trail import trail
from classes.admin import ClassAdmin
from classes.admin_rosters import EnrolmentAdmin
from classes.models import Class, Enrolment
from core.rest.files import attachment

#: So many classes at once: each is read whole.
MOST_CLASSES = 50
#: The grid shows so many sessions of a class, the last ones. Its files have all.
COLUMNS = 30


def _file(found: Class, kind: str) -> Iterator[bytes]:
    """The class's report as a file, as its page of reports gives it."""
    report = class_report(class_id=found.pk)
    return file_of(kind, table_of(report), lambda: tables_of(report, Legend(found.name, threshold=found.threshold)))


@admin.register(Class)
class ClassesAdmin(ClassAdmin):
    """Classes with their records."""

    actions: Any = ("grid", "export_csv", "export_xlsx", *ClassAdmin.actions)

    @admin.action(description="Show students × sessions of selected classes", permissions=["view"])
    def grid(self, request: HttpRequest, queryset: QuerySet[Class]) -> HttpResponse | None:
        classes = self._chosen(request, queryset, Action.READ)
        tables = []
        for found in classes:
            report = class_report(class_id=found.pk)
            lessons = [lesson.held_at for lesson in report.lessons[-COLUMNS:]]
            lines = [(line, line.statuses[-COLUMNS:]) for line in report.students]
            tables.append((found, lessons, lines, len(report.lessons) - len(lessons)))
        context = {
            **self.admin_site.each_context(request),
            "title": "Students × sessions",
            "tables": tables,
            "rule": RULE,
        }
        return TemplateResponse(request, "admin/grid.html", context) if classes else None

    @admin.action(description="Export students × sessions of selected classes: CSV", permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Class]) -> Any:
        return self._export(request, queryset, "csv")

    @admin.action(description="Export students × sessions of selected classes: XLSX", permissions=["view"])
    def export_xlsx(self, request: HttpRequest, queryset: QuerySet[Class]) -> Any:
        return self._export(request, queryset, "xlsx")

    def _export(self, request: HttpRequest, queryset: QuerySet[Class], kind: str) -> Any:
        """The file of one class, or an archive with a file for each of several."""
        classes = self._chosen(request, queryset, Action.EXPORT)
        if not classes:
            return None
        if len(classes) == 1:
            return attachment(_file(classes[0], kind), classes[0].name, kind, MEDIA_TYPES[kind])
        archive = BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
            for found in classes:
                # Two classes may have the same name.
                name = re.sub(r"[^\w-]+", "-", found.name)[:60]
                files.writestr(f"{name}-{found.pk}.{kind}", b"".join(_file(found, kind)))
        archive.seek(0)
        return FileResponse(archive, as_attachment=True, filename="attendance.zip", content_type="application/zip")

    def _chosen(self, request: HttpRequest, queryset: QuerySet[Class], action: Action) -> list[Class]:
        classes = list(queryset.order_by("name_folded", "id")[: MOST_CLASSES + 1])
        if len(classes) > MOST_CLASSES:
            self.message_user(request, f"Choose {MOST_CLASSES} classes at most.", messages.ERROR)
            return []
        for found in classes:
            trail.note(action, f"admin {action}", actor=str(request.user.pk), kind="class", thing=found.pk)
        return classes


@admin.register(Enrolment)
class RosterAdmin(EnrolmentAdmin):
    """Rosters."""

    actions: Any = ("take_off", "new_passwords")

    @admin.action(description="Take selected students off from today on; their records stay", permissions=["change"])
    def take_off(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> None:
        rows = list(queryset.select_related("student", "class_ref"))
        for enrolment in rows:
            enrolment_end(enrolment=enrolment)
            self.log_change(request, enrolment, "Taken off.")
        self.message_user(request, f"Taken off: {len(rows)}.", messages.SUCCESS)

    @admin.action(description="New passwords for selected students, as slips to print", permissions=["passwords"])
    def new_passwords(self, request: HttpRequest, queryset: QuerySet[Enrolment]) -> HttpResponse | None:
        return ask_first(request, self, queryset.values_list("student_id", flat=True))

    def has_passwords_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.change_user"))
