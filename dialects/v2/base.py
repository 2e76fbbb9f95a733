"""The base of the routes of `/api/v2`: its failures, pages, `If-Match` and `Idempotency-Key`."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.identity import Actor
from core.rest.permissions import Audience
from core.rest.views import ApiView
from dialects.v2 import paging, services
from dialects.v2.failures import worded
from dialects.v2.paging import Asked, Order

KEY = "Idempotency-Key"
_LONGEST_KEY = 64
#: Failures of these kinds may be successes the next time: they are not kept.
_PASSING = (401, 408, 429)


class _Answered(Exception):
    """Raised where the answer to a request is known: another request of the same key was answered before."""

    def __init__(self, row: Any) -> None:
        super().__init__()
        self.row = row


class V2View(ApiView):
    """A route of `/api/v2`. Each has one method; a path with several methods has several views."""

    protocol = "v2"
    #: Whether the answer may be kept for a second request of its key: not where the answer has a token.
    keeps_answer: ClassVar[bool] = True

    _row: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Adds what every route that writes takes and raises, for the OpenAPI document."""
        super().__init_subclass__(**kwargs)
        methods = {method for method in ("post", "put", "patch", "delete") if method in cls.__dict__}
        headers: dict[str, str] = {}
        raised: tuple[type[errors.ApiError], ...] = ()
        if methods and cls._keeps():
            headers[KEY] = "The same request of the same key within 24 hours gets the first answer again."
            raised += (
                errors.InvalidSchema,
                errors.KeyReused,
                errors.InProgress,
                errors.OutcomeUnknown,
                errors.TooManyRequests,
            )
        if "patch" in methods:
            headers["If-Match"] = "The `ETag` of what was read: 412 if that has changed."
            raised += (errors.Changed,)
        cls.takes_headers = {**cls.takes_headers, **headers}
        cls.raises = tuple(dict.fromkeys((*cls.raises, *raised)))

    @classmethod
    def _keeps(cls) -> bool:
        return cls.keeps_answer and cls.audience is not Audience.ANYONE

    def worded(self, error: errors.ApiError) -> tuple[int, Any]:
        # Who asks, once that is known: a failure may be that it is not.
        user = getattr(getattr(self, "request", None), "_user", None)
        return worded(error, user if isinstance(user, Actor) else None)

    # Pages

    def page(
        self, rows: "QuerySet[Any]", show: Callable[[list[Any]], Iterable[Any]], order: Order | None = None
    ) -> Response:
        """The page of `rows` that the query asks for. Raises `InvalidSchema`."""
        asked = Asked.of(self.request.query_params)
        return Response(paging.page(rows, asked, order or Order(), show))

    # What was read

    def refuse_if_changed(self, tag: str) -> bool:
        """Whether the client says what it has read (`If-Match`). Raises `Changed` if that is not `tag`."""
        told = self.request.headers.get("If-Match")
        if told is None:
            return False
        known = parse_etags(told)
        if known != ["*"] and tag not in known:
            raise errors.Changed
        return True

    # Keys of requests

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        key = request.headers.get(KEY)
        if key is None or request.method in ("GET", "HEAD", "OPTIONS") or not self._keeps():
            return
        if not 1 <= len(key) <= _LONGEST_KEY:
            raise errors.InvalidSchema({KEY: [_("1 to %d characters.") % _LONGEST_KEY]})
        asked = "\n".join((str(request.method), request.get_full_path(), "")).encode() + request._request.body
        row = services.answer_begin(person_id=self.actor.id, key=key, digest=hashlib.sha256(asked).hexdigest())
        if row.status is not None:
            raise _Answered(row)
        self._row = row

    def handle_exception(self, failure: Exception) -> Any:
        if isinstance(failure, _Answered):
            row = failure.row
            headers = {"ETag": row.etag} if row.etag else {}
            return HttpResponse(
                row.body, status=row.status, content_type="application/json; charset=utf-8", headers=headers
            )
        try:
            return super().handle_exception(failure)
        except BaseException:
            self._forget()  # a crash: DRF raises it on
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super().finalize_response(request, response, *args, **kwargs)
        row, status = self._row, answer.status_code
        if row is None:
            return answer
        if status >= 500 or status in _PASSING or not isinstance(answer, Response):
            self._forget()
            return answer

        def keep(rendered: Any) -> None:
            services.answer_keep(row=row, status=status, body=rendered.content.decode(), etag=rendered.get("ETag", ""))

        answer.add_post_render_callback(keep)
        return answer

    def _forget(self) -> None:
        if self._row is not None:
            services.answer_forget(row=self._row)
