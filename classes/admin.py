"""The admin's page of classes."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from accounts.admin import Archivable, NamedRows, WritablePage
from accounts.models import User
from classes.admin_rosters import EnrolmentInline, enrol_added, roster_link
from classes.models import Class, Enrolment, Holiday, SetAside, announce_roster
from classes.selectors import roster_sizes
from classes.services import class_update
from core import errors
from core.identity import Role
from core.times import day_of

if TYPE_CHECKING:
    _ClassAdmin = admin.ModelAdmin[Class]
    _HolidayAdmin = admin.ModelAdmin[Holiday]
    _SetAsideAdmin = admin.ModelAdmin[SetAside]
else:
    _ClassAdmin = admin.ModelAdmin
    _HolidayAdmin = admin.ModelAdmin
    _SetAsideAdmin = admin.ModelAdmin


def roster_size(class_id: str) -> Coalesce:
    """An expression for queries: how many students the class has whose id the expression `class_id` gives."""
    enrolled = Enrolment.objects.current().filter(class_ref_id=OuterRef(class_id)).order_by().values("class_ref_id")
    return Coalesce(Subquery(enrolled.annotate(number=Count("id")).values("number")), 0)


class StandingFilter(admin.SimpleListFilter):
    """Classes in use, in the archive, or removed."""

    title = parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in_use", "in use"), ("archived", "archived"), ("removed", "removed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Class]) -> QuerySet[Class]:
        match self.value():
            case "in_use":
                return queryset.filter(archived_at=None, removed_at=None)
            case "archived":
                return queryset.filter(removed_at=None).exclude(archived_at=None)
            case "removed":
                return queryset.exclude(removed_at=None)
        return queryset


class SizedList(ChangeList):
    """A list with a column of how many students a class has. Unless it is sorted by them, those of its page count."""

    column = "roster_size"
    #: The attribute of a row that has the class's id.
    class_id = "pk"

    def get_ordering_field(self, field_name: Any) -> Any:
        return roster_size(self.class_id) if field_name == self.column else super().get_ordering_field(field_name)

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: list[Any] = list(self.result_list)
        sizes = roster_sizes([getattr(row, self.class_id) for row in shown])
        for row in shown:
            setattr(row, self.column, sizes[getattr(row, self.class_id)])
        self.result_list = shown


class ClassAdmin(NamedRows, Archivable, WritablePage, _ClassAdmin):
    """Classes. Each links to its roster, which is a list of its own."""

    list_display = ("shown_name", "roster_size", "standing", "teacher", "created_at")
    list_select_related = ("teacher",)
    list_filter = (StandingFilter,)
    search_fields = ("name_folded__contains", "teacher__name_folded__contains", "teacher__email")
    search_help_text = "Class or teacher"
    autocomplete_fields = ("teacher",)
    readonly_fields = ("roster", "standing", "id", "created_at", "updated_at")
    fields = ("name", "teacher", "roster", "standing", "department", "batch", "semester", "open_roster")
    inlines = (EnrolmentInline,)
    actions: Any = ("archive", "take_back")

    def get_fieldsets(self, request: HttpRequest, obj: Class | None = None) -> Any:
        (first, *others) = super().get_fieldsets(request, obj)
        return [first, *others, ("Record", {"classes": ("collapse",), "fields": ("id", "created_at", "updated_at")})]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SizedList

    @admin.display(description="students", ordering="roster_size")
    def roster_size(self, found: Any) -> int:
        if not hasattr(found, "roster_size"):  # the page of one class
            found.roster_size = roster_sizes([found.pk])[found.pk]
        return int(found.roster_size)

    @admin.display(description="roster")
    def roster(self, found: Any) -> SafeString | str:
        return roster_link(found, self.roster_size(found)) if found.name else "–"

    @admin.display(description="standing", ordering="archived_at")
    def standing(self, found: Class) -> str:
        for word, moment in (("removed", found.removed_at), ("archived", found.archived_at)):
            if moment is not None:
                return f"{word} {date_format(day_of(moment), 'j M Y')}"
        return "in use"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "teacher":
            kwargs["queryset"] = User.objects.filter(role=Role.TEACHER)
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

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        enrol_added(form.instance.pk, formset.save(commit=False))

    @admin.action(description="Archive selected classes: no more sessions, all can be read", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Class]) -> None:
        self._put(request, queryset, is_archived=True)

    @admin.action(description="Take selected classes back from the archive", permissions=["change"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Class]) -> None:
        self._put(request, queryset, is_archived=False)

    def _put(self, request: HttpRequest, queryset: QuerySet[Class], *, is_archived: bool) -> None:
        done = 0
        for found in queryset.filter(archived_at__isnull=is_archived):
            try:
                class_update(class_id=found.pk, is_archived=is_archived)
            except errors.Changed:
                self.message_user(request, f"{found} was removed and stays so.", messages.WARNING)
                continue
            done += 1
            self.log_change(request, found, "Archived." if is_archived else "Taken back from the archive.")
        self.message_user(request, f"{'Archived' if is_archived else 'Taken back'}: {done}.", messages.SUCCESS)


@admin.register(Holiday)
class HolidayAdmin(WritablePage, _HolidayAdmin):
    """Days without lessons."""

    list_display = ("name", "since", "until")
    fields = ("name", "since", "until")
    search_fields = ("name__contains",)
    search_help_text = "Name"


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
