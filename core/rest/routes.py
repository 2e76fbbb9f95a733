"""Routes. A route has no slash at its end; the same path with a slash is the same route."""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver, get_resolver, re_path, resolve

from core import errors
from core.rest.permissions import Audience
from core.rest.views import ApiView

#: What a longer path leads to is not remembered, characters.
_LONGEST = 200


def route(pattern: str, view: type[ApiView], name: str, **options: Any) -> URLPattern:
    """A route. `<name>` in `pattern` stands for one segment of the path: `route("class/<class_id>", …)`.

    A segment is any text without a slash. The view checks whether it is an id, and answers 404 if it is not.
    `options` are attributes of the view that have another value on this route.
    """
    return _path(pattern, view.as_view(**options), name)


def route_by_method(pattern: str, name: str, **views: type[ApiView]) -> URLPattern:
    """A route with a view for each method: `route_by_method("classes", "classes", GET=ClassList, POST=ClassCreate)`."""
    return _path(pattern, _by_method(views), name)


def callback_for(callback: Any, method: str) -> Any:
    """What Django calls for `method` on the route of `callback`."""
    return getattr(callback, "by_method", {}).get(method, callback)


def view_for(callback: Any, method: str) -> Any:
    """The view class that answers `method` on the route of `callback`; the callback itself if it is no class's."""
    callback = callback_for(callback, method)
    return getattr(callback, "view_class", callback)


def resolved(path: str) -> ResolverMatch:
    """Where a path leads. Raises `Resolver404`. To ask Django takes 40 µs, so the paths asked for last are known."""
    return _resolved(path) if len(path) <= _LONGEST else resolve(path)


@functools.lru_cache(maxsize=4096)
def _resolved(path: str) -> ResolverMatch:
    return resolve(path)


def _path(pattern: str, callback: Any, name: str) -> URLPattern:
    expression = pattern.replace("<", "(?P<").replace(">", r">[^/]+)")
    made: URLPattern = re_path(rf"^{expression}/?\Z", callback, name=name)
    return made


def _by_method(views: dict[str, type[ApiView]]) -> Callable[..., HttpResponseBase]:
    by_method = {method: view.as_view() for method, view in views.items()}

    class AnyMethod(ApiView):
        """What the route answers to OPTIONS, and to methods that it does not have."""

        __module__ = next(iter(views.values())).__module__
        audience = Audience.ANYONE
        protocol = next(iter(views.values())).protocol
        needs_database = False
        worded = next(iter(views.values())).worded

        @property
        def allowed_methods(self) -> list[str]:
            return [*views, "OPTIONS"]

        def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
            if request.method != "OPTIONS":
                raise errors.MethodNotAllowed

    fallback = AnyMethod.as_view()
    if "GET" in by_method:
        by_method["HEAD"] = by_method["GET"]

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return by_method.get(request.method or "", fallback)(request, *args, **kwargs)

    made: Any = answer
    made.by_method, made.cls, made.view_class, made.initkwargs = by_method, AnyMethod, AnyMethod, {}
    made.csrf_exempt, made.__module__ = True, AnyMethod.__module__
    return answer


def is_heavy(path: str) -> bool:
    """Whether what answers at this path says that it reads or makes as much as a class has: `heavy`, of a view's class.

    It is asked for every request, so the heavy routes are one expression: to resolve a path takes a hundred times as
    long.
    """
    return _heavy_routes().match(path.lstrip("/")) is not None


@functools.cache
def _heavy_routes() -> re.Pattern[str]:
    found = _expressions(get_resolver().url_patterns, "")
    return re.compile("|".join(re.sub(r"\?P<\w+>", "?:", expression) for expression in found) or r"(?!)")


def _expressions(patterns: Iterable[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        whole = prefix + pattern.pattern.regex.pattern.removeprefix("^")
        if isinstance(pattern, URLResolver):
            yield from _expressions(pattern.url_patterns, whole)
        elif any(getattr(view, "heavy", False) for view in _views(pattern.callback)):
            yield f"(?:{whole})"


def _views(callback: Any) -> Iterator[Any]:
    """The view classes behind a route, one for each of its methods."""
    methods = getattr(callback, "by_method", {"": callback})
    return (view_for(callback, method) for method in methods)


def is_slow(method: str, path: str) -> bool:
    """Whether the request's view says that it takes long: `slow`, of the view's class or of the function."""
    if method in ("GET", "HEAD", "OPTIONS"):
        return False
    try:
        callback = resolved(path).func
    except Resolver404:
        return False
    return bool(getattr(view_for(callback, method), "slow", False))
