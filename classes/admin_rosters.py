"""Rosters in the admin: a list of enrolments with pages and a search, and the form that enrols a student."""

from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin import WritablePage, address_standing
from accounts.models import User
from accounts.standing import is_set_aside
from classes.enrolment import enrol
from classes.models import Class, Enrolment
from classes.students import enrolment_add, enrolment_check, enrolment_update
from core import errors
from core.identity import Role
from core.ids import parse_id
from core.plurals import counted
from core.times import today

if TYPE_CHECKING:
    _Inline = admin.TabularInline[Enrolment, Class]
    _EnrolmentForm = forms.ModelForm[Enrolment]
    _EnrolmentAdmin = admin.ModelAdmin[Enrolment]
else:
    _Inline = admin.TabularInline
    _EnrolmentForm = forms.ModelForm
    _EnrolmentAdmin = admin.ModelAdmin

#: The filter of the list, in its address, by which it is one class's roster.
OF_CLASS = "class_ref__id__exact"


def roster_link(found: Class, size: int) -> SafeString:
    """A link to the class's roster, with the number of its students."""
    url = f"{reverse('admin:classes_enrolment_changelist')}?{OF_CLASS}={found.pk}&enrolled=today"
    return format_html('<a href="{}">{} – search, days, taking off</a>', url, counted(size, "student"))


class DaysForm(_EnrolmentForm):
    """The days of an enrolment."""

    class Meta:
        model = Enrolment
        fields = ("since", "until")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since is not None and until is not None and until < since:
            self.add_error("until", "The last day is before the first.")
        return cleaned


class EnrolmentForm(_EnrolmentForm):
    """A student for a roster: nobody who only says that the address is theirs."""

    class Meta:
        model = Enrolment
        fields = ("class_ref", "student", "since", "until")

    def clean_student(self) -> User:
        student: User = self.cleaned_data["student"]
        if is_set_aside(student):
            raise ValidationError(
                "Nobody has shown that this e-mail address is theirs. Let the student confirm it, or, if you know that"
                " it is them, vouch for them by the action of the list of users."
            )
        return student

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        student, found = self.cleaned_data.get("student"), self.cleaned_data.get("class_ref")
        class_id = found.pk if found is not None else self.instance.class_ref_id
        if student is None or class_id is None or self.errors:
            return cleaned
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        try:
            enrolment_check(class_id=class_id, student=student, since=since, until=until)
        except errors.AlreadyEnrolled:
            self.add_error("student", "This student is on the roster already.")
        except errors.InvalidSchema as refusal:
            for name, texts in refusal.fields.items():
                self.add_error("since" if name == "from" else name, list(texts))
        return cleaned


class EnrolmentOfAnyClassForm(EnrolmentForm):
    """A student for the roster of a class that is chosen, too."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        # Somebody who was on the roster before goes on with the row that there is; Django would refuse a second one.
        known = {name: self.cleaned_data.get(name) for name in ("class_ref", "student")}
        before = Enrolment.objects.filter(**known).first() if all(known.values()) else None
        if before is not None:
            self.instance = before
        return cleaned


class StudentPicker:
    """Mixin: whoever is picked as a student is one."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "student":
            kwargs["queryset"] = User.objects.filter(role=Role.STUDENT)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


def may_change_rosters(request: HttpRequest) -> bool:
    """Whether whoever asks may enrol students and take them off: who may change classes may."""
    return request.user.has_perm("classes.change_class")


class EnrolmentInline(StudentPicker, _Inline):
    """The part of a class's page where students are added. Those who are on the roster have a list of their own."""

    model = Enrolment
    form = EnrolmentForm
    fields = ("student", "since", "until")
    autocomplete_fields = ("student",)
    extra = 0
    classes = ("collapse",)
    verbose_name = "student"
    verbose_name_plural = "add students"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrolment]:
        return super().get_queryset(request).none()

    def has_view_permission(self, request: HttpRequest, obj: Class | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Class | None = None) -> bool:
        return False

    def has_add_permission(  # type: ignore[override]  # the stubs lack an inline's `obj`
        self, request: HttpRequest, obj: Class | None
    ) -> bool:
        return may_change_rosters(request) or request.user.has_perm("classes.add_class")

    def has_delete_permission(self, request: HttpRequest, obj: Class | None = None) -> bool:
        return False


def enrol_added(class_id: str, added: list[Enrolment]) -> None:
    """Enrols the students of filled-in forms."""
    by_days: dict[tuple[date | None, date | None], list[str]] = {}
    for enrolment in added:
        by_days.setdefault((enrolment.since, enrolment.until), []).append(enrolment.student_id)
    for (since, until), student_ids in by_days.items():
        enrol(class_id, student_ids, since=since, until=until)


class EnrolledFilter(admin.SimpleListFilter):
    """Who is on the roster today, who was, and who will be."""

    title = "enrolled"
    parameter_name = "enrolled"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("today", "today"), ("left", "no longer"), ("to_come", "not yet")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "today":
                return queryset.current()
            case "left":
                return queryset.filter(until__lt=today())
            case "to_come":
                return queryset.filter(since__gt=today())
        return queryset


class EnrolmentAdmin(StudentPicker, WritablePage, _EnrolmentAdmin):
    """Rosters, a page at a time. Nobody is deleted from one: who is taken off keeps the days until then."""

    form = DaysForm
    list_display = ("name", "roll_number", "since", "until", "class_ref", "email", "address")
    list_select_related = ("student", "class_ref")
    list_filter = (EnrolledFilter,)
    search_fields = (
        "student__name_folded__contains",
        "student__email",
        "student__roll_number",
        "class_ref__name_folded__contains",
    )
    search_help_text = "Student (name, e-mail, roll number) or class"
    autocomplete_fields = ("student", "class_ref")
    show_full_result_count = False

    @admin.display(description="student", ordering="student__name_folded")
    def name(self, enrolment: Enrolment) -> str:
        return enrolment.student.name

    @admin.display(description="roll number", ordering="student__roll_number")
    def roll_number(self, enrolment: Enrolment) -> str:
        return enrolment.student.roll_number or ""

    @admin.display(description="e-mail", ordering="student__email")
    def email(self, enrolment: Enrolment) -> str:
        return enrolment.student.email

    @admin.display(description="address")
    def address(self, enrolment: Enrolment) -> str:
        return address_standing(enrolment.student)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """A roster by names. All enrolments of a school are too many to be sorted for each page."""
        return ("student__name_folded", "id") if OF_CLASS in request.GET else ("created_at", "id")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """A roster's title names its class; what says the same in every line is left out."""
        shown = super().get_list_display(request)
        return [column for column in shown if column != "class_ref" or OF_CLASS not in request.GET]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = EnrolmentOfAnyClassForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Enrolment | None = None) -> tuple[str, ...]:
        return ("class_ref", "student", "since", "until", *(() if obj is None else ("address", "created_at")))

    def get_readonly_fields(self, request: HttpRequest, obj: Enrolment | None = None) -> tuple[str, ...]:
        return () if obj is None else ("class_ref", "student", "address", "created_at")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A student who is added from a class's roster is added to that class."""
        filters = parse_qs(request.GET.get("_changelist_filters", ""))
        class_id = parse_id(filters.get(OF_CLASS, [""])[0])
        return {**super().get_changeform_initial_data(request), **({"class_ref": class_id} if class_id else {})}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        class_id = parse_id(request.GET.get(OF_CLASS, ""))
        found = Class.objects.filter(pk=class_id).first() if class_id else None
        title = {"title": f"Roster of {found}"} if found is not None else {}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **options)
        except errors.AlreadyEnrolled as refusal:  # by somebody else, since the form was checked
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Enrolment, form: Any, change: bool) -> None:
        if change:
            enrolment_update(seen=obj, since=obj.since, until=obj.until)
            return
        made = enrolment_add(
            class_id=obj.class_ref_id,
            student=obj.student,
            by_id=str(request.user.pk),
            since=obj.since,
            until=obj.until,
        )
        obj.pk = made.pk

    def get_actions(self, request: HttpRequest) -> Any:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        raise PermissionDenied

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().render_change_form(request, {**context, "show_delete": False}, *args, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Enrolment | None = None) -> bool:
        return may_change_rosters(request) or request.user.has_perm("classes.view_class")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_change_rosters(request)

    def has_change_permission(self, request: HttpRequest, obj: Enrolment | None = None) -> bool:
        return may_change_rosters(request)

    def has_delete_permission(self, request: HttpRequest, obj: Enrolment | None = None) -> bool:
        """With a class or a student without history their enrolments go; Django asks here. Alone none is deleted."""
        return any(map(request.user.has_perm, ("classes.change_class", "classes.delete_class", "accounts.delete_user")))
