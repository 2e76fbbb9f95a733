"""Routes: no trailing slash, and the slashed form is the same route."""

from typing import Any

from django.urls import Resolver404, URLPattern, re_path, resolve

from core.rest.views import ApiView


def route(pattern: str, view: type[ApiView], name: str, **options: Any) -> URLPattern:
    """`pattern` with `<name>` for one path segment: `route("class/<class_id>", …)`.

    A segment may be anything but a slash: whether it is an id is for the view to say, with a 404.
    `options` are attributes of the view that this route has otherwise.
    """
    expression = pattern.replace("<", "(?P<").replace(">", r">[^/]+)")
    return re_path(rf"^{expression}/?\Z", view.as_view(**options), name=name)


def is_slow(method: str, path: str) -> bool:
    """Whether a request waits for what takes long, by its view's own word: `slow` of its class, or of the function."""
    if method != "POST":
        return False
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return bool(getattr(getattr(view, "view_class", view), "slow", False))
