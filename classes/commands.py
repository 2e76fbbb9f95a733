"""What commands that work on one class have in common."""

from django.core.management.base import CommandError

from classes.models import Class
from core.ids import parse_id

#: A message lists no more classes than this.
_LISTED = 20


def class_find(text: str) -> Class:
    """The class that an argument names: by its id, or by a name that no other class has. `CommandError` otherwise."""
    classes = Class.objects.filter(removed_at=None)
    key = parse_id(text)
    found = classes.filter(pk=key).first() if key else None
    if found is not None:
        return found
    # No database stores a NUL, and PostgreSQL refuses a query with one.
    named = list(classes.filter(name=text).select_related("teacher")[: _LISTED + 1]) if "\0" not in text else []
    if len(named) == 1:
        return named[0]
    if not named:
        raise CommandError(f"No class has the id or the name {text!r}. The admin's page of classes shows both.")
    lines = [f"  {one.id}  teacher {one.teacher}" for one in named[:_LISTED]]
    if len(named) > _LISTED:
        lines.append("  … and more")
    raise CommandError("\n".join([f"Several classes have the name {text!r}. Give the id of one of them:", *lines]))
