"""The settings of a class: what its teachers choose, who they are, its archive and its end."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from attendance import services as attendance
from attendance.overview import sessions_listed
from classes import services, teachers
from classes.access import class_for_owner, class_for_teacher
from core import errors
from core.ids import parse_id
from web.forms.class_settings import BoardForm, CheckInForm, ReportsForm, SettingsForm
from web.forms.classes import ClassForm, TeacherForm
from web.views.classes import ClassPage

#: The forms of what teachers choose, by their names on the page; in addresses with `-` for `_`.
CHOICES: dict[str, type[SettingsForm]] = {"board": BoardForm, "check_in": CheckInForm, "reports": ReportsForm}


class SettingsPage(ClassPage):
    tab = "settings"

    def page(self, **forms: Any) -> HttpResponse:
        content = {
            "form": ClassForm(initial={"name": self.found.name}),
            **{name: made.of(self.found) for name, made in CHOICES.items()},
            "teacher_form": TeacherForm(),
            "teachers": teachers.teachers_of(self.found),
            "is_removable": not sessions_listed(self.found.id).exists(),
            **forms,
        }
        return self.show("class_settings.html", content)


class ClassSettings(SettingsPage):
    """`/app/classes/ID/settings`: all of them; a new name."""

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self.page()

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = ClassForm(request.POST)
        if not form.is_valid():
            return self.page(form=form)
        try:
            services.class_update(class_id=self.found.id, name=form.cleaned_data["name"], unique_name=True)
        except errors.ClassNameTaken as refusal:
            if self.found.teacher_id == self.actor.id:
                self.refuse(form, refusal, "name")
            else:
                form.add_error("name", _("The teacher whose class it is has a class of this name already."))
            return self.page(form=form)
        return self.done(_("The class has its new name."), "class-settings", class_id=self.found.id)


class ClassChoices(SettingsPage):
    """`/app/classes/ID/settings/PART`: what the class's teachers choose for its board, its check-in or its reports."""

    def get(self, request: HttpRequest, class_id: str, part: str) -> HttpResponse:
        return redirect("web:class-settings", class_id=self.found.id)

    def post(self, request: HttpRequest, class_id: str, part: str) -> HttpResponse:
        name = part.replace("-", "_")
        made = CHOICES.get(name)
        if made is None:
            raise errors.NotFound
        form = made.of(self.found, request.POST)
        if form.is_valid():
            try:
                self._save(form)
            except errors.Changed as refusal:
                found, _part = class_for_teacher(actor=self.actor, class_id=class_id)
                form = made.of(found, request.POST)
                form.tell_stored()
                self.refuse(form, refusal)
            else:
                return self.done(_("The settings are saved."), "class-settings", class_id=self.found.id)
        return self.page(**{name: form})

    def _save(self, form: SettingsForm) -> None:
        if self.request.POST.get("seen") != form.seen:
            raise errors.Changed
        services.class_settings_update(class_id=self.found.id, seen=self.found, **form.changes)


class ClassTeachers(SettingsPage):
    """`/app/classes/ID/teachers`: somebody who teaches the class as well, for its owner."""

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return redirect("web:class-settings", class_id=self.found.id)

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        found = class_for_owner(actor=self.actor, class_id=class_id)
        form = TeacherForm(request.POST)
        if form.is_valid():
            try:
                teacher = teachers.co_teacher_add(found=found, email=form.cleaned_data["email"])
            except errors.TeacherNotFound as refusal:
                self.refuse(form, refusal, "email")
                return self.page(teacher_form=form)
            if teacher.id == found.teacher_id:
                form.add_error("email", _("The class is this teacher's already."))
            else:
                said = _("%s teaches this class, too.") % teacher.name
                return self.done(said, "class-settings", class_id=found.id)
        return self.page(teacher_form=form)


class TeacherRemove(ClassPage):
    """`/app/classes/ID/teachers/ID/remove`."""

    def post(self, request: HttpRequest, class_id: str, teacher_id: str) -> HttpResponse:
        found = class_for_owner(actor=self.actor, class_id=class_id)
        teachers.co_teacher_remove(class_id=found.id, teacher_id=parse_id(teacher_id))
        return self.done(_("They do not teach this class any more."), "class-settings", class_id=found.id)


class ClassArchive(ClassPage):
    """`/app/classes/ID/archive`: into the archive, and with `back` out of it."""

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        back = "back" in request.POST
        services.class_update(class_id=self.found.id, is_archived=not back)
        said = _("The class is back from the archive.") if back else _("The class is in the archive.")
        return self.done(said, "class", class_id=self.found.id)


class ClassRemove(ClassPage):
    """`/app/classes/ID/remove`: removes a class that never had a lesson, for its owner."""

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        attendance.class_delete(class_id=class_for_owner(actor=self.actor, class_id=class_id).id)
        return self.done(_("The class is removed."), "classes")
