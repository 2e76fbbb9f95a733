"""Files that become students or marks: looked at first, and done then."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from attendance.access import session_for_teacher
from attendance.marks_import import marks_import, marks_import_preview
from classes.access import class_for_teacher
from classes.imports import class_import, class_import_preview
from classes.previews import SentFile
from classes.rosters.errors import RosterError
from core.errors import (
    Changed,
    InvalidSchema,
    JournalFull,
    KeyReused,
    NoActiveSession,
    PreviewNotFound,
    RosterConflict,
    SessionNotEnded,
    StudentNotEnrolled,
    TimeOutsideLesson,
    TooManyRequests,
)
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.serializers.imports import (
    ImportDoInput,
    ImportFileInput,
    ImportOutput,
    MarksDoInput,
    MarksFileInput,
    MarksImportOutput,
    import_shown,
    marks_shown,
)
from dialects.v2.views.classes import OF_A_CLASS
from dialects.v2.views.sessions import OF_A_SESSION


def sent_file(body: dict[str, Any]) -> SentFile:
    """The file of a form."""
    return SentFile(body["file"].read(), body["file"].name, body["columns"], body["encoding"])


@contextmanager
def _file_judged() -> Iterator[None]:
    """Says beside the field `file` why a file cannot be read."""
    try:
        yield
    except RosterError as failure:
        raise InvalidSchema({"file": [failure.plain]}) from None


class RosterImport(V2View):
    """`POST /api/v2/classes/:id/import`: what a list of students would do, or did.

    A form with a `file` answers what would become of every row, and a `token`; JSON with that `token`, within an hour,
    does what was shown.
    """

    heavy = True
    audience = Audience.SIGNED_IN
    form = ImportFileInput
    body = ImportDoInput
    answers: ClassVar = {200: ImportOutput}
    raises = (*OF_A_CLASS, PreviewNotFound, RosterConflict, Changed, TooManyRequests)

    def post(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        body = self.read()
        with _file_judged():
            if not self.brings_file:
                return Response(import_shown(class_import(actor=self.actor, class_id=found.id, **body)))
            shown = class_import_preview(actor=self.actor, class_id=found.id, file=sent_file(body))
            if not body["dry_run"]:
                if shown.plan.refused:
                    raise RosterConflict
                shown = class_import(actor=self.actor, class_id=found.id, token=str(shown.token))
        return Response(import_shown(shown))


class MarksImport(V2View):
    """`POST /api/v2/sessions/:id/import`: what a file of marks would do, or did.

    A form with a `file` answers what would become of every line, and a `token`; JSON with that `token`, within an hour,
    does what was shown: marks in an open session, corrections with a reason in one that is over.
    """

    heavy = True
    audience = Audience.SIGNED_IN
    form = MarksFileInput
    body = MarksDoInput
    answers: ClassVar = {200: MarksImportOutput}
    raises = (
        *OF_A_SESSION,
        PreviewNotFound,
        Changed,
        NoActiveSession,
        SessionNotEnded,
        StudentNotEnrolled,
        TimeOutsideLesson,
        KeyReused,
        JournalFull,
        TooManyRequests,
    )

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        body = self.read()
        with _file_judged():
            if self.brings_file:
                shown = marks_import_preview(actor=self.actor, session=found, file=sent_file(body))
            else:
                shown = marks_import(actor=self.actor, session=found, **body)
        return Response(marks_shown(shown))
