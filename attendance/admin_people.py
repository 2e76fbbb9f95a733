"""The admin's page of people, with what it can do about their records: archive who leaves the school."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import UserAdmin
from accounts.admin_passwords import may_touch
from accounts.models import User
from attendance.services import person_archive


@admin.register(User)
class PeopleAdmin(UserAdmin):
    """People."""

    actions: Any = (*UserAdmin.actions, "archive")

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
