"""The admin's page of people, with what it can do about their records: archive who leaves, erase a person."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin import UserAdmin
from accounts.admin_passwords import may_touch
from accounts.models import User
from attendance.erasure import erasure_plan, person_erase
from attendance.services import person_archive
from audit.models import Action
from audit.trail import trail
from core import errors


@admin.register(User)
class PeopleAdmin(UserAdmin):
    """People."""

    actions: Any = (*UserAdmin.actions, "archive", "erase")

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
