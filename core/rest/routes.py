"""Routes. A route has no slash at its end; the same path with a slash is the same route."""

from typing import Any

from django.urls import Resolver404, URLPattern, re_path, resolve

from core.rest.views import ApiView


def route(pattern: str, view: type[ApiView], name: str, **options: Any) -> URLPattern:
    """A route. `<name>` in `pattern` stands for one segment of the path: `route("class/<class_id>", …)`.

    A segment is any text without a slash. The view checks whether it is an id, and answers 404 if it is not.
    `options` are attributes of the view that have another value on this route.
    """
    expression = pattern.replace("<", "(?P<").replace(">", r">[^/]+)")
    return re_path(rf"^{expression}/?\Z", view.as_view(**options), name=name)


def is_slow(method: str, path: str) -> bool:
    """Whether the request's view says that its POST takes long: `slow`, of the view's class or of the function."""
    if method != "POST":
        return False
    try:
        view = resolve(path).func
    except Resolver404:
        return False
    return bool(getattr(getattr(view, "view_class", view), "slow", False))
