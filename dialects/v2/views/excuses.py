"""Absences that students announce, and what teachers say of them."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import excuses
from attendance.enums import ExcuseState
from attendance.excuses import Span
from core.errors import (
    ClassNotFound,
    ExcuseNotFound,
    ExcuseWithdrawn,
    NotEnrolled,
    StudentOnly,
    TeachersOnly,
    TooManyRequests,
)
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from dialects.v2.base import V2View
from dialects.v2.paging import FILTERS, Order, page_of
from dialects.v2.serializers.excuses import ExcuseChangeInput, ExcuseInput, ExcuseOutput, shown


def tag(excuse: excuses.Shown) -> str:
    """The `ETag` of what was decided of an excuse."""
    return tag_of(excuses.version(excuse))


class ExcuseList(V2View):
    """`GET /api/v2/excuses`: a student's own, or those for a teacher's classes, the newest first."""

    audience = Audience.SIGNED_IN
    filters = FILTERS
    shows_people = True
    answers: ClassVar = {200: page_of(ExcuseOutput)}

    def get(self, request: Request) -> Response:
        def show(rows: Sequence[Any]) -> list[dict[str, Any]]:
            return [shown(one) for one in excuses.excuses_shown(self.actor, rows)]

        rows = excuses.excuses_listed(self.actor)
        return self.page(rows, show, Order("created_at", newest_first=True))


class ExcuseAdd(V2View):
    """`POST /api/v2/excuses`: a student announces an absence, of days or from one time to another."""

    audience = Audience.STUDENT
    body = ExcuseInput
    answers: ClassVar = {201: ExcuseOutput}
    raises = (ClassNotFound, NotEnrolled, TooManyRequests)

    def post(self, request: Request) -> Response:
        body = self.read()
        span = Span(body["since"], body["until"])
        made = excuses.excuse_add(actor=self.actor, span=span, note=body["note"], class_id=body.get("class_id"))
        return Response(shown(made), status=201, headers={"ETag": tag(made)})


class ExcuseDetail(V2View):
    """`GET /api/v2/excuses/:id`: an excuse."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: ExcuseOutput, 304: None}
    raises = (ExcuseNotFound,)

    def get(self, request: Request, excuse_id: str) -> HttpResponseBase:
        found = excuses.excuse_get(actor=self.actor, excuse_id=excuse_id)
        return self.tagged(lambda: Response(shown(found)), tag(found))


class ExcuseChange(V2View):
    """`PATCH /api/v2/excuses/:id`: teachers approve or refuse for their classes; the student withdraws."""

    audience = Audience.SIGNED_IN
    body = ExcuseChangeInput
    answers: ClassVar = {200: ExcuseOutput}
    raises = (ExcuseNotFound, TeachersOnly, StudentOnly, ExcuseWithdrawn)

    def patch(self, request: Request, excuse_id: str) -> Response:
        found = excuses.excuse_get(actor=self.actor, excuse_id=excuse_id)
        was_read = self.refuse_if_changed(tag(found))
        state = ExcuseState(self.read()["state"])
        changed = excuses.excuse_decide(
            actor=self.actor,
            excuse_id=excuse_id,
            state=state,
            seen=excuses.version(found) if was_read else None,
        )
        return Response(shown(changed), headers={"ETag": tag(changed)})
