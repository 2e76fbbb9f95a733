"""The admin's page of classes."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from accounts.admin import WritablePage, address_standing
from accounts.models import User
from accounts.standing import is_set_aside
from classes.models import Class, Enrolment, SetAside, announce_roster
from core.identity import Role

if TYPE_CHECKING:
    _ClassAdmin = admin.ModelAdmin[Class]
    _Inline = admin.TabularInline[Enrolment, Class]
    _EnrolmentForm = forms.ModelForm[Enrolment]
    _SetAsideAdmin = admin.ModelAdmin[SetAside]
else:
    _ClassAdmin = admin.ModelAdmin
    _Inline = admin.TabularInline
    _EnrolmentForm = forms.ModelForm
    _SetAsideAdmin = admin.ModelAdmin


#: A longer roster does not stand on its class's page: `import_roster` is for those.
LONGEST_ROSTER = 2000


def roster_size(class_id: str) -> Coalesce:
    """An expression for queries: how many students the class has whose id the expression `class_id` gives."""
    enrolled = Enrolment.objects.current().filter(class_ref_id=OuterRef(class_id)).order_by().values("class_ref_id")
    return Coalesce(Subquery(enrolled.annotate(number=Count("id")).values("number")), 0)


class EnrolmentForm(_EnrolmentForm):
    """A student on a roster: nobody who only says that the address is theirs."""

    def clean_student(self) -> User:
        student: User = self.cleaned_data["student"]
        if is_set_aside(student):
            raise ValidationError(
                "Nobody has shown that this e-mail address is theirs. Let the student confirm it, or, if you know that"
                " it is them, vouch for them by the action of the list of users."
            )
        return student


class EnrolmentInline(_Inline):
    """The roster. Students are added and taken off. An enrolment is never changed, so showing one costs no query."""

    model = Enrolment
    form = EnrolmentForm
    fields = ("student", "address", "since", "until", "created_at")
    readonly_fields = ("address", "created_at")
    autocomplete_fields = ("student",)
    extra = 0
    verbose_name_plural = "roster"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        return super().get_queryset(request).select_related("student", "class_ref")

    @admin.display(description="address")
    def address(self, enrolment: Enrolment) -> str:
        return address_standing(enrolment.student) if enrolment.student_id else ""

    def has_change_permission(self, request: HttpRequest, obj: Class | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Class | None = None) -> bool:
        return request.user.has_perm("classes.view_class") or request.user.has_perm("classes.change_class")

    def has_add_permission(  # type: ignore[override]  # the stubs lack an inline's `obj`
        self, request: HttpRequest, obj: Class | None
    ) -> bool:
        return request.user.has_perm("classes.change_class") or request.user.has_perm("classes.add_class")

    def has_delete_permission(self, request: HttpRequest, obj: Class | None = None) -> bool:
        return request.user.has_perm("classes.change_class")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "student":
            kwargs["limit_choices_to"] = {"role": Role.STUDENT}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Class)
class ClassAdmin(WritablePage, _ClassAdmin):
    """Classes with their rosters."""

    list_display = ("name", "teacher", "roster_size", "created_at", "removed_at")
    list_select_related = ("teacher",)
    list_filter = (("removed_at", admin.EmptyFieldListFilter),)
    search_fields = ("name_folded__contains", "teacher__name_folded__contains", "teacher__email")
    search_help_text = "Class or teacher"
    ordering = ("name", "id")
    autocomplete_fields = ("teacher",)
    readonly_fields = ("id", "roster_size", "created_at", "updated_at", "removed_at")
    fields = ("name", "teacher", "department", "batch", "semester", "open_roster", *readonly_fields)
    inlines = (EnrolmentInline,)

    def get_inlines(self, request: HttpRequest, obj: Class | None) -> Any:
        """The roster, unless it is so long that a form for each student would fill the process's memory."""
        if obj is None or self.roster_size(obj) <= LONGEST_ROSTER:
            return super().get_inlines(request, obj)
        return ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Class]:
        return super().get_queryset(request).annotate(roster_size=roster_size("pk"))

    @admin.display(description="students", ordering="roster_size")
    def roster_size(self, found: Any) -> int:
        return getattr(found, "roster_size", 0)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "teacher":
            kwargs["limit_choices_to"] = {"role": Role.TEACHER}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Class, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        # Only the fields that the form changed are saved. The others may have changed since the page was opened:
        # above all the roster's version.
        changed = [*form.changed_data, "updated_at"]
        if "name" in changed:
            obj.reserved_name = None  # it reserved the old name
            changed.append("reserved_name")
        obj.save(update_fields=changed)
        if "teacher" in form.changed_data:
            announce_roster(obj.pk)


@admin.register(SetAside)
class SetAsideAdmin(WritablePage, _SetAsideAdmin):
    """Students who wait for a proof of their address; looked at here, and deleted where a sheet was wrong."""

    list_display = ("student", "class_ref", "roll_number", "created_at")
    list_select_related = ("student", "class_ref")
    search_fields = ("student__email", "student__name_folded__contains", "class_ref__name_folded__contains")
    search_help_text = "Student or class"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SetAside | None = None) -> bool:
        return False
