"""Asks the quick way whatever a test asks, and compares: it says what the plain way says, or nothing."""

import io
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.urls import Resolver404

from core.rest.quick import Quick
from core.rest.routes import callback_for, resolved
from tests.support.queries import are_watched

#: Headers of a request for which the quick way leaves it to the plain way.
_LEFT_TO_PLAIN = ("HTTP_COOKIE", "HTTP_IDEMPOTENCY_KEY")


class Compared:
    """The quick way beside `handler`."""

    def __init__(self, handler: BaseHandler) -> None:
        self._handler = handler

    def check(self, environ: dict[str, Any], body: bytes, answer: Any) -> None:
        """Asks what `answer` is the plain way's answer to, once more. Nothing is asked while queries are watched."""
        if settings.DEBUG or are_watched() or connection.queries_logged:
            return
        asked = {name: value for name, value in environ.items() if name != "HTTP_COOKIE" or value}
        # A new one each time: settings, which do not change in a process, do in tests.
        quick = Quick(self._handler, lambda request, response: None, finish=lambda: None)
        found = quick({**asked, "wsgi.input": io.BytesIO(body)})
        if found is None:
            assert not (answer.status_code == 200 and _is_for_quick(asked, answer)), (asked, answer.content)
            return
        start, content = found
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        assert len(headers) == len(start["headers"]), "a header comes twice"
        plain = {name.lower(): value for name, value in answer.items()}
        assert (start["status"], content, headers) == (answer.status_code, answer.content, plain)


def _is_for_quick(environ: dict[str, Any], answer: Any) -> bool:
    try:
        match = resolved(environ["PATH_INFO"])
    except Resolver404:
        return False
    view = getattr(callback_for(match.func, environ["REQUEST_METHOD"]), "cls", None)
    is_like_most = not answer.streaming and not any(name in environ for name in _LEFT_TO_PLAIN)
    is_read = environ["REQUEST_METHOD"] == "GET" and environ.get("CONTENT_LENGTH") in (None, "", "0")
    return bool(getattr(view, "quick", False)) and is_like_most and is_read
