"""The quick way of routes that a whole class asks at once: as little of Django and DRF as their answers need.

A view says that it is `quick`. Then a request is answered by the same view, with the same authentication, permissions,
serializers and renderer, past Django's handler and DRF's dispatch. The quick way answers successes alone, and changes
nothing: whatever else comes of a request, the plain way answers it, from its beginning. So failures have one truth.

What the middleware says in headers of a success depends on a few of the request's headers, and not on the answer. The
middleware itself is asked, once for each combination of them (`_Frames`).
"""

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpResponse, QueryDict
from django.urls import Resolver404, ResolverMatch, re_path, set_urlconf
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.database.failures import is_unavailable
from core.database.unit_of_work import only_reading
from core.rest.parsers import StrictJsonParser
from core.rest.routes import callback_for, resolved
from core.rest.views import FAILURE, ApiView

#: An ASGI answer's start and its body.
Answer = tuple[dict[str, Any], bytes]

#: The headers of a request that the middleware reads where it lets a request pass, as WSGI names them.
_READ_BY_MIDDLEWARE = (
    *("wsgi.url_scheme", "SERVER_NAME", "SERVER_PORT"),
    *("HTTP_HOST", "HTTP_ORIGIN", "HTTP_ACCEPT_LANGUAGE"),
)
#: Requests with one of these take the plain way: the middleware or a base of views does more for them.
_PLAIN = ("HTTP_COOKIE", "HTTP_IDEMPOTENCY_KEY", errors.REFUSAL)
#: The longest headers that a frame is remembered for, characters altogether.
_LONGEST = 300
_NO_QUERY = QueryDict()
#: Made from the body, not from the request.
_OWN_HEADERS = (b"content-length", b"content-type")


class QuickRequest:
    """What views read of a request. What is not here is made when it is asked for: DRF's request, with Django's."""

    def __init__(self, environ: dict[str, Any], match: ResolverMatch, view: ApiView) -> None:
        self.META = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.resolver_match = match
        self.accepted_renderer: Any = view.renderer_classes[0]()
        self.content_type: str = environ.get("CONTENT_TYPE", "")
        self.user: Any = None
        self.auth: Any = None
        for authenticator in view.get_authenticators():
            found = authenticator.authenticate(self)  # type: ignore[arg-type]  # it reads META alone
            if found is not None:
                self.user, self.auth = found
                break

    @functools.cached_property
    def data(self) -> Any:
        """The body, which is JSON."""
        return StrictJsonParser().parse(self.META["wsgi.input"])

    @property
    def query_params(self) -> QueryDict:
        return QueryDict(self.META["QUERY_STRING"]) if self.META.get("QUERY_STRING") else _NO_QUERY

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    @functools.cached_property
    def _whole(self) -> Request:
        return Request(WSGIRequest({**self.META, "wsgi.input": io.BytesIO()}))


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the answers of a route: headers, as ASGI has them, and the language of the reader."""

    headers: tuple[tuple[bytes, bytes], ...]
    language: str


class _Frames:
    """What Django's middleware does around a view, learnt from a request that `handler` passes to an empty view."""

    def __init__(self, handler: BaseHandler) -> None:
        self._handler: Any = handler
        self.of = functools.lru_cache(maxsize=4096)(self._of)

    def _of(self, callback: Any, path: str, method: str, *read: str | None) -> _Frame | None:
        """The frame of a success; None if the middleware answers such requests itself."""
        environ: dict[str, Any] = {
            name: value for name, value in zip(_READ_BY_MIDDLEWARE, read, strict=True) if value is not None
        }
        environ |= {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": io.BytesIO()}
        request: Any = WSGIRequest(environ)
        request.urlconf, request.view = _NOTHING_BUT_HEADERS, callback.cls(**callback.initkwargs)
        request.view.setup(request)
        try:
            response = self._handler._middleware_chain(request)
        finally:
            set_urlconf(None)
        language = getattr(response, "language", None)
        if language is None:
            return None
        headers = ((name.lower().encode(), value.encode("latin-1")) for name, value in response.items())
        return _Frame(tuple(one for one in headers if one[0] not in _OWN_HEADERS), language)


@csrf_exempt
def _only_headers(request: Any) -> Any:
    response: Any = HttpResponse(
        headers=request.view.default_response_headers, content_type=_content_type(request.view)
    )
    response.language = translation.get_language()
    return response


#: The routes of `_Frames`: every path leads to an empty answer.
_NOTHING_BUT_HEADERS = (re_path("", _only_headers),)


def _content_type(view: ApiView) -> str:
    renderer = view.renderer_classes[0]
    return f"{renderer.media_type}; charset={renderer.charset}"


class Quick:
    """Answers a WSGI request whose view is `quick`, in the place of Django's `handler`.

    `note` is told the request and the answer, as the middleware of the audit log is told of others. `finish` is
    called after each request, as Django's `request_finished` does.
    """

    def __init__(
        self,
        handler: BaseHandler,
        note: Callable[[Any, Response], None],
        finish: Callable[[], object] = close_old_connections,
    ) -> None:
        self._note = note
        self._finish = finish
        self._frames = _Frames(handler)

    def __call__(self, environ: dict[str, Any]) -> Answer | None:
        """The answer; None for a request that is to take the plain way."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if not path.isascii() or environ["SCRIPT_NAME"]:
            return None  # Django's handler knows how to read it
        try:
            match = resolved(path)
        except Resolver404:
            return None
        callback = callback_for(match.func, method)
        cls = getattr(callback, "cls", None)
        if not getattr(cls, "quick", False) or not self._takes(environ, method, cls):
            return None
        read = [environ.get(name) for name in _READ_BY_MIDDLEWARE]
        if sum(len(value or "") for value in read) > _LONGEST:
            return None
        frame = self._frames.of(callback, path, method, *read)
        if frame is None:
            return None
        try:
            answer = self._answer(environ, match, callback, frame)
        except Exception as failure:  # the plain way meets the same, and tells it
            if is_unavailable(failure):
                environ[FAILURE] = failure  # nobody waits twice for a database that is away
            answer = None
        if answer is None:
            environ["wsgi.input"].seek(0)  # the plain way reads the body again
        return answer

    @staticmethod
    def _takes(environ: dict[str, Any], method: str, cls: Any) -> bool:
        """Whether the request is as most are."""
        if settings.DEBUG or any(name in environ for name in _PLAIN):
            return False
        length = environ.get("CONTENT_LENGTH")
        if method == "GET":
            return length in (None, "", "0") and hasattr(cls, "get")
        is_json = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == StrictJsonParser.media_type
        is_short = length is not None and 0 < int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return method == "POST" and hasattr(cls, "post") and is_json and is_short

    def _answer(self, environ: dict[str, Any], match: ResolverMatch, callback: Any, frame: _Frame) -> Answer | None:
        view: Any = callback.cls(**callback.initkwargs)
        try:
            with only_reading():
                request: Any = QuickRequest(environ, match, view)
                view.request, view.args, view.kwargs = request, match.args, match.kwargs
                view.check_permissions(request)
                response = _in_language(
                    frame.language, lambda: getattr(view, request.method.lower())(request, **match.kwargs)
                )
                if not isinstance(response, Response) or response.status_code >= 400:
                    return None
                body: bytes = request.accepted_renderer.render(response.data, renderer_context={"response": response})
        finally:
            self._finish()
        self._note(request, response)
        del response.headers["Content-Type"]  # Django's default, which DRF replaces
        own = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
        named = {name for name, _ in own}
        headers = [
            (b"content-type", _content_type(view).encode()),
            *own,
            *(one for one in frame.headers if one[0] not in named),
            (b"content-length", str(len(body)).encode()),
        ]
        return {"type": "http.response.start", "status": response.status_code, "headers": headers}, body


def _in_language(language: str, work: Callable[[], Any]) -> Any:
    if language == translation.get_language():
        return work()
    with translation.override(language):
        return work()
