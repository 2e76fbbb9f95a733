"""New passwords for many people at once, as slips to print and hand over. They are shown once and kept nowhere."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.services import passwords_renew

#: So many at once: each takes 70 ms, and a proxy waits for a minute.
MOST = 200
#: What the session keeps between the list and the page: whom the action was for.
_CHOSEN = "new passwords for"
PAGE = "accounts_user_new_passwords"


def may_touch(request: HttpRequest, user: User | None) -> bool:
    """Whether whoever asks may change or delete the account: nobody may who has fewer rights than it has."""
    asker: Any = request.user
    if user is None or asker.is_superuser:
        return True
    return not user.is_superuser and _rights_of(user) <= _rights_of(asker)


def _rights_of(user: User) -> set[Any]:
    """The ids of the user's permissions, which a disabled account gets back when it is enabled."""
    of_groups = Permission.objects.filter(group__user=user).values_list("pk", flat=True)
    return {*user.user_permissions.values_list("pk", flat=True), *of_groups}


def ask_first(request: HttpRequest, model_admin: Any, user_ids: Iterable[str]) -> HttpResponse | None:
    """Leads from a list to the page that makes new passwords for these people; None if they are too many."""
    chosen = sorted(set(user_ids))
    if len(chosen) > MOST:
        text = f"New passwords are made for {MOST} people at a time; {len(chosen)} are selected."
        model_admin.message_user(request, text, messages.ERROR)
        return None
    request.session[_CHOSEN] = chosen
    return HttpResponseRedirect(reverse(f"admin:{PAGE}"))


class NewPasswords:
    """Mixin for the page of users: an action, and the page that it leads to."""

    admin_site: Any

    @admin.action(description="New passwords for selected users, as slips to print", permissions=["change"])
    def new_passwords(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return ask_first(request, self, queryset.values_list("pk", flat=True))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.new_passwords_page)
        view.slow = True  # it hashes passwords (`core.rest.routes.is_slow`)
        return [path("new-passwords/", view, name=PAGE), *super().get_urls()]  # type: ignore[misc]

    @method_decorator(never_cache)
    def new_passwords_page(self, request: HttpRequest) -> HttpResponse:
        """Asks whether it may; then the slips, once."""
        if not self.has_change_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        asker: Any = request.user
        chosen = User.objects.filter(pk__in=request.session.get(_CHOSEN, [])).exclude(pk=asker.pk)
        people = [user for user in chosen.order_by("name_folded", "id") if may_touch(request, user)]
        if request.method != "POST" or not people:
            context = {**self.admin_site.each_context(request), "title": "New passwords", "people": people}
            return TemplateResponse(request, "admin/new_passwords.html", context)
        del request.session[_CHOSEN]
        slips = list(zip(people, passwords_renew(people), strict=True))
        for user in people:
            self.log_change(request, user, "Made a new password.")  # type: ignore[attr-defined]
        url = f"{settings.PUBLIC_URL}/app/" if settings.PUBLIC_URL else request.build_absolute_uri("/app/")
        return TemplateResponse(request, "accounts/slips.html", {"slips": slips, "url": url})
