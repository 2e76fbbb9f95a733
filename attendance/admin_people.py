"""The admin's pages of people and of merges: archive who leaves, erase a person, merge two accounts of a student."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin import KnownRows, UserAdmin
from accounts.admin_passwords import may_touch
from accounts.models import User
from attendance.erasure import erasure_plan, person_erase
from attendance.merging import merge_undo, merges_listed, students_merge
from attendance.models import Merge
from attendance.services import person_archive
from audit.models import Action
from audit.trail import trail
from core import errors
from core.identity import Role

if TYPE_CHECKING:
    _MergeAdmin = admin.ModelAdmin[Merge]
else:
    _MergeAdmin = admin.ModelAdmin


@admin.register(User)
class PeopleAdmin(UserAdmin):
    """People."""

    actions: Any = (*UserAdmin.actions, "archive", "merge", "erase")

    @admin.action(
        description="Archive selected users: no sign-in, on no roster; their records stay", permissions=["change"]
    )
    def archive(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        done = left = 0
        for user in queryset.filter(is_active=True):
            if user.pk == request.user.pk or not may_touch(request, user):
                left += 1
                continue
            person_archive(user=user)
            self.log_change(request, user, "Archived.")
            done += 1
        if left:
            self.message_user(request, f"Not archived, for you may not: {left}.", messages.WARNING)
        self.message_user(
            request,
            f"Archived: {done}. To take somebody back, tick “active” on their page, and enrol them.",
            messages.SUCCESS,
        )

    @admin.action(description="Merge the two selected accounts of one student", permissions=["superuser"])
    def merge(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Asks which of the two stays; from that page the same action does it."""
        pair = list(queryset.filter(role=Role.STUDENT).order_by("created_at", "id")[:3])
        if len(pair) != 2 or queryset.count() != 2:
            self.message_user(request, "Select the two accounts of one student.", messages.ERROR)
            return None
        keep_id = request.POST.get("keep")
        if keep_id not in {user.pk for user in pair}:
            rows = [(user, user.enrolments.count(), user.records.count(), user.marks.count()) for user in pair]
            context = {**self.admin_site.each_context(request), "title": "Merge two accounts", "rows": rows}
            return TemplateResponse(request, "admin/merge_accounts.html", context)
        keep, other = sorted(pair, key=lambda user: user.pk != keep_id)
        asker: Any = request.user
        try:
            students_merge(by_id=asker.pk, keep_id=keep.pk, other_id=other.pk)
        except (errors.AlreadyMerged, errors.StudentInSession) as refusal:
            self.message_user(request, f"{refusal.message}.", messages.ERROR)
            return None
        self.log_change(request, keep, f"Merged the account {other.pk} into this one.")
        self.message_user(request, f"{other} is merged into {keep}. “Merges” undoes it, for 30 days.", messages.SUCCESS)
        return None

    @admin.action(description="Erase selected user: who it is goes from everywhere", permissions=["superuser"])
    def erase(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Shows what would go; from that page the same action does it."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "Select one person to erase.", messages.ERROR)
            return None
        plan = erasure_plan(user_id=chosen[0].pk)
        if "confirmed" not in request.POST:
            context = {**self.admin_site.each_context(request), "title": "Erase a person", "plan": plan}
            return TemplateResponse(request, "admin/erase_person.html", context)
        try:
            person_erase(user_id=plan.user.pk)
        except errors.ErasureRefused as refusal:
            self.message_user(request, " ".join(refusal.reasons), messages.ERROR)
            return None
        trail.note(Action.CHANGE, "erase_person", actor=request.user.pk, kind="user", thing=plan.user.pk)
        self.log_change(request, User.objects.get(pk=plan.user.pk), "Erased.")
        self.message_user(request, "The person is erased. Backups keep them until they are deleted.", messages.SUCCESS)
        return None


@admin.register(Merge)
class MergeAdmin(KnownRows, _MergeAdmin):
    """Merges that can be undone. They are made in the list of users."""

    list_display = ("at", "keep", "other", "by")
    actions = ("undo",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merge]:
        return merges_listed()

    @admin.action(description="Undo selected merges: both accounts have again what they had")
    def undo(self, request: HttpRequest, queryset: QuerySet[Merge]) -> None:
        asker: Any = request.user
        done = 0
        for merge in queryset.order_by("-at", "-id"):  # a later one of the same student goes first
            try:
                merge_undo(by_id=asker.pk, merge_id=merge.pk)
            except (errors.MergeNotFound, errors.MergedAgain, errors.StudentInSession) as refusal:
                self.message_user(request, f"{merge}: {refusal.message}.", messages.ERROR)
                continue
            self.log_change(request, merge, "Undone.")
            done += 1
        self.message_user(request, f"Undone: {done}.", messages.SUCCESS if done else messages.WARNING)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Merge | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Merge | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Merge | None = None) -> bool:
        return False
