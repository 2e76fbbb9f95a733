"""Classes: the list, a new one, its lessons and its students."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from attendance import services as attendance
from attendance.overview import overviews, sessions_listed
from attendance.samples import sample_school
from classes import services, students
from classes.access import Part, class_for_teacher
from classes.selectors import classes_taught, roster_sizes
from core import errors
from core.names import by_name
from core.rest.permissions import Audience
from core.times import today
from web.forms.classes import ClassForm, StudentForm
from web.pages import Slice
from web.views.home import classes_shown, taught_classes
from web.views.page import Page


class Classes(Page):
    """`/app/classes/`: the teacher's classes; `?archived=1`: those in the archive."""

    audience = Audience.TEACHER
    section = "classes"

    def get(self, request: HttpRequest) -> HttpResponse:
        archive = classes_taught(actor=self.actor, archived=True)
        if "archived" in request.GET:
            # Each year adds to the archive, and takes nothing away.
            rows = archive.select_related("teacher").order_by("name_folded", "id")
            page = Slice.of(rows, request.GET.get("page"))
            content = {"classes": classes_shown(self.actor, page.rows), "slice": page, "archived": True}
        else:
            content = {"classes": taught_classes(self.actor), "has_archive": archive.exists()}
        return self.show("classes.html", content)


class ClassNew(Page):
    """`/app/classes/new`."""

    audience = Audience.TEACHER
    section = "classes"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("class_new.html", {"form": ClassForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ClassForm(request.POST)
        if form.is_valid():
            try:
                made = services.class_create(teacher=self.actor, name=form.cleaned_data["name"], unique_name=True)
            except (errors.ClassNameTaken, errors.TooManyRequests) as refusal:
                self.refuse(form, refusal, "name")
            else:
                said = _("The class is there. Now put your students on its list.")
                return self.done(said, "class-students", class_id=made.id)
        return self.show("class_new.html", {"form": form})


class ClassSample(Page):
    """`/app/classes/sample`: a class of invented students with a few lessons, for a teacher who has no class."""

    audience = Audience.TEACHER
    section = "classes"

    def post(self, request: HttpRequest) -> HttpResponse:
        if taught_classes(self.actor):
            return redirect("web:classes")
        class_id = sample_school(self.actor, name=_("Sample class"))
        said = _("Here is a class of invented students. Press Start, and try everything.")
        return self.done(said, "class", class_id=class_id)


class ClassPage(Page):
    """A page of one class, for its teachers and the office."""

    audience = Audience.TEACHER
    section = "classes"
    tab = ""

    @cached_property
    def access(self) -> tuple[Any, Part]:
        """The class, and what the person is to it."""
        return class_for_teacher(actor=self.actor, class_id=self.kwargs["class_id"])

    def check_access(self) -> None:
        _ = self.access

    @property
    def found(self) -> Any:
        """The class."""
        return self.access[0]

    def show(self, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
        found, part = self.access
        is_owner = part is not Part.CO_TEACHER
        content = {"class": found, "tab": self.tab, "is_owner": is_owner, **(context or {})}
        return super().show(template, content, status)


class ClassSessions(ClassPage):
    """`/app/classes/ID/`: the class's lessons, the last one first."""

    tab = "sessions"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        rows = sessions_listed(self.found.id).exclude(state="voided").order_by("-started_at", "-id")
        page = Slice.of(rows, request.GET.get("page"))
        shown = overviews(page.rows)
        content = {
            "live": next((one for one in shown if one.state == "open"), None),
            "sessions": [one for one in shown if one.state != "open"],
            "slice": page,
            "size": roster_sizes([self.found.id])[self.found.id],
        }
        return self.show("class_sessions.html", content)


class ClassStart(ClassPage):
    """`/app/classes/ID/start`: begins the class's session, or goes on with the one that is open."""

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        session, _is_new = attendance.session_open(actor=self.actor, found=self.found, move_focus=True)
        return redirect("web:session", session_id=session.id)


class ClassStudents(ClassPage):
    """`/app/classes/ID/students`: the list, and who is put on it."""

    tab = "students"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self._list(StudentForm())

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = StudentForm(request.POST)
        if form.is_valid():
            login = form.cleaned_data["login"].strip()
            try:
                student = (
                    students.student_find(email=login) if "@" in login else students.student_find(roll_number=login)
                )
                students.enrolment_add(class_id=self.found.id, student=student, by_id=self.actor.id)
            except errors.ApiError as refusal:
                self.refuse(form, refusal, "login")
            else:
                return self.done(_("%s is on the list.") % student.name, "class-students", class_id=self.found.id)
        return self._list(form)

    def _list(self, form: StudentForm) -> HttpResponse:
        content = {"form": form, "enrolments": self._enrolments(ended=False), "former": self._enrolments(ended=True)}
        return self.show("class_students.html", content)

    def _enrolments(self, *, ended: bool) -> list[Any]:
        rows = students.enrolments_listed(self.found.id, ended=ended)
        return sorted(rows, key=lambda row: by_name(row.student.name, row.student_id))


class StudentRemove(ClassPage):
    """`/app/classes/ID/students/ID/remove`: takes a student off the list from today on; what is recorded stays."""

    tab = "students"

    def post(self, request: HttpRequest, class_id: str, student_id: str) -> HttpResponse:
        enrolment = students.enrolment_get(class_id=self.found.id, student_id=student_id)
        if enrolment.until is not None and enrolment.until < today():
            messages.info(request, _("%s was off the list already.") % enrolment.student.name)
            return redirect("web:class-students", class_id=self.found.id)
        attendance.enrolment_end(enrolment=enrolment)
        said = _("%s is off the list from today on.") % enrolment.student.name
        return self.done(said, "class-students", class_id=self.found.id)
