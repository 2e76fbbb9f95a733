"""Routes: no trailing slash, and the slashed form is the same route."""

from typing import Any

from django.urls import URLPattern, re_path

from core.views import ApiView


def route(pattern: str, view: type[ApiView], name: str, **options: Any) -> URLPattern:
    """`pattern` with `<name>` for one path segment: `route("class/<class_id>", …)`.

    A segment may be anything but a slash: whether it is an id is for the view to say, with a 404.
    `options` are attributes of the view that this route has otherwise.
    """
    expression = pattern.replace("<", "(?P<").replace(">", r">[^/]+)")
    return re_path(rf"^{expression}/?\Z", view.as_view(**options), name=name)
