"""Classes: the list, a new one, and what a teacher does with one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from accounts.selectors import account_by_login
from attendance import services as attendance
from attendance.reports import sessions_held
from attendance.selectors import open_sessions
from classes import selectors, services
from core import errors
from core.rest.permissions import Audience
from web.forms.classes import ClassForm, RemovalForm, StudentForm
from web.views.home import taught_classes
from web.views.page import Page


class Classes(Page):
    """`/app/classes/`: the teacher's classes."""

    audience = Audience.TEACHER
    section = "classes"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("classes.html", {"classes": taught_classes(self.actor.id)})


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
            except errors.ClassNameTaken as refusal:
                self.refuse(form, refusal, "name")
            else:
                said = _("The class is there. Now put your students on its list.")
                return self.done(said, "class-students", class_id=made.id)
        return self.show("class_new.html", {"form": form})


class ClassPage(Page):
    """A page of one class, for its teacher."""

    audience = Audience.TEACHER
    section = "classes"
    tab = ""

    @cached_property
    def found(self) -> Any:
        """The class."""
        return selectors.class_get_for_owner(actor=self.actor, class_id=self.kwargs["class_id"])

    def show(self, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
        return super().show(template, {"class": self.found, "tab": self.tab, **(context or {})}, status)


class ClassSessions(ClassPage):
    """`/app/classes/ID/`: the class's lessons, the last one first."""

    tab = "sessions"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        held = sessions_held(class_id=self.found.id)
        content = {
            "live": open_sessions([self.found.id]).get(self.found.id),
            "sessions": held[::-1],
            "size": selectors.roster_sizes([self.found.id])[self.found.id],
        }
        return self.show("class_sessions.html", content)


class ClassStart(ClassPage):
    """`/app/classes/ID/start`: begins the class's session, or goes on with the one that is open."""

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        session = attendance.session_start(actor=self.actor, class_id=self.found.id)
        return redirect("web:session", session_id=session.id)


class ClassStudents(ClassPage):
    """`/app/classes/ID/students`: the list, and who is put on it."""

    tab = "students"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self._list(StudentForm())

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = StudentForm(request.POST)
        if form.is_valid():
            student = account_by_login(form.cleaned_data["login"].strip())
            try:
                services.class_add_student(
                    actor=self.actor,
                    class_id=self.found.id,
                    student_id="" if student is None else student.id,
                    only_new=True,
                )
            except errors.ApiError as refusal:
                self.refuse(form, refusal, "login")
            else:
                name = "" if student is None else student.name
                return self.done(_("%s is on the list.") % name, "class-students", class_id=self.found.id)
        return self._list(form)

    def _list(self, form: StudentForm) -> HttpResponse:
        students = sorted(selectors.students_of(self.found.id), key=lambda student: student.name.casefold())
        return self.show("class_students.html", {"form": form, "students": students})


class ClassSettings(ClassPage):
    """`/app/classes/ID/settings`."""

    tab = "settings"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self.show("class_settings.html", {"removal": RemovalForm()})


class ClassRemove(ClassPage):
    """`/app/classes/ID/remove`: nobody finds the class any more; its records stay."""

    tab = "settings"

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = RemovalForm(request.POST)
        if form.is_valid() and form.cleaned_data["name"] == self.found.name.strip():
            attendance.class_remove(actor=self.actor, class_id=self.found.id)
            return self.done(_("The class is removed."), "classes")
        if form.is_valid():
            form.add_error("name", _("That is not the name of this class."))
        return self.show("class_settings.html", {"removal": form})
