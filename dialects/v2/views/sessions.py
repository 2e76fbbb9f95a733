"""Sessions: started, read, ended and opened again."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from attendance import services
from attendance.access import session_for_member, session_for_teacher
from attendance.corrections import session_reopen
from attendance.overview import overviews, session_overview, sessions_listed
from classes.access import class_for_member, class_for_teacher
from core.errors import (
    ClassArchived,
    ClassNotFound,
    NoActiveSession,
    ReopenRefused,
    SessionNotFound,
    TeachersOnly,
    TooManyRequests,
)
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.paging import FILTERS, Order, page_of
from dialects.v2.serializers.sessions import EndInput, SessionOutput, StartInput, session_shown
from dialects.v2.views.classes import OF_A_CLASS

OF_A_SESSION = (SessionNotFound, TeachersOnly)


class SessionStart(V2View):
    """`POST /api/v2/classes/:id/sessions`: starts the class's session (201), or resumes the open one (200)."""

    audience = Audience.SIGNED_IN
    body = StartInput
    answers: ClassVar = {200: SessionOutput, 201: SessionOutput}
    raises = (*OF_A_CLASS, ClassArchived, TooManyRequests)

    def post(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        session, is_new = services.session_open(actor=self.actor, found=found, move_focus=self.read()["focus"])
        return Response(session_shown(session_overview(session), to_teacher=True), status=201 if is_new else 200)


class SessionList(V2View):
    """`GET /api/v2/classes/:id/sessions`: the class's sessions, the newest first, with their counts.

    For its students as well: the sessions since they are in the class.
    """

    audience = Audience.SIGNED_IN
    filters = FILTERS
    answers: ClassVar = {200: page_of(SessionOutput)}
    raises = (ClassNotFound,)

    def get(self, request: Request, class_id: str) -> Response:
        found, part = class_for_member(actor=self.actor, class_id=class_id)
        student_id = None if part.teaches else self.actor.id

        def show(sessions: list[Any]) -> list[dict[str, Any]]:
            found = overviews(sessions, student_id=student_id)
            return [session_shown(overview, to_teacher=part.teaches) for overview in found]

        return self.page(sessions_listed(found.id, student_id=student_id), show, Order("started_at", newest_first=True))


class SessionDetail(V2View):
    """`GET /api/v2/sessions/:id`: the session with its roster; a student sees themself alone in it."""

    quick = True
    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: SessionOutput}
    raises = (SessionNotFound,)

    def get(self, request: Request, session_id: str) -> Response:
        session, part = session_for_member(actor=self.actor, session_id=session_id)
        overview = session_overview(session)
        shown = overview if part.teaches else overview.for_student(self.actor.id)
        return Response(session_shown(shown, to_teacher=part.teaches))


class SessionEnd(V2View):
    """`POST /api/v2/sessions/:id/end`: writes the records; who has no mark is absent."""

    audience = Audience.SIGNED_IN
    body = EndInput
    answers: ClassVar = {200: SessionOutput}
    raises = (*OF_A_SESSION, NoActiveSession)

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        self.read()
        return Response(session_shown(session_overview(services.session_end(session_id=found.id)), to_teacher=True))


class SessionReopen(V2View):
    """`POST /api/v2/sessions/:id/reopen`: opens it again within a day, while it is the last of its class."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: SessionOutput}
    raises = (*OF_A_SESSION, ReopenRefused, TooManyRequests)

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        opened = session_reopen(actor=self.actor, session_id=found.id)
        return Response(session_shown(session_overview(opened), to_teacher=True))
