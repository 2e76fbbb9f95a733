"""The admin's page of the audit log, on which nobody can add, change or delete."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from audit.models import Entry
from core.ids import parse_id

if TYPE_CHECKING:
    _EntryAdmin = admin.ModelAdmin[Entry]
else:
    _EntryAdmin = admin.ModelAdmin


@admin.register(Entry)
class EntryAdmin(_EntryAdmin):
    list_display = ("at", "actor", "action", "outcome", "way", "kind", "thing", "address", "times")
    list_filter = ("action", "outcome", "at")
    search_fields = ("=actor", "=thing", "=address", "=request_id", "way")
    show_full_result_count = False

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """What is an id is looked for by the indexes."""
        key = parse_id(search_term.strip())
        if key is not None:
            return queryset.filter(Q(actor=key) | Q(thing=key)), False
        return super().get_search_results(request, queryset, search_term)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
