"""Marks of an open session, and corrections and history of records."""

from collections.abc import Iterable
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from attendance.access import record_for_teacher, session_for_teacher
from attendance.actions import session_mark_rest, session_undo
from attendance.corrections import Correction, record_history, session_correct
from attendance.enums import Method, Status
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from core.errors import (
    JournalFull,
    KeyReused,
    NoActiveSession,
    NothingToUndo,
    RecordNotFound,
    SessionNotEnded,
    StudentNotEnrolled,
    TeachersOnly,
    TimeOutsideLesson,
    TooManyRequests,
)
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.paging import page_of
from dialects.v2.serializers.sessions import (
    CorrectionsInput,
    HistoryLineOutput,
    MarkOutput,
    MarksInput,
    MarksOutput,
    RecordOutput,
    RestInput,
    UndoOutput,
    history_line,
)
from dialects.v2.views.sessions import OF_A_SESSION


def wanted(mark: dict[str, Any]) -> Wanted:
    """A mark of a body."""
    return Wanted(**{**mark, "status": Status(mark["status"])})


def method_of(marks: list[Wanted]) -> Method:
    """How marks of one message came about."""
    return Method.TEACHER if len(marks) == 1 else Method.BULK


def numbered(marks: Iterable[tuple[int, Any]]) -> dict[str, Any]:
    """Marks with their seqs, as `MarksOutput` shows them."""
    shown = [{**MarkOutput.show(_Numbered(seq, mark))} for seq, mark in marks]
    return {"marks": shown, "seq": shown[-1]["seq"] if shown else 0}


class _Numbered:
    def __init__(self, seq: int, mark: Any) -> None:
        self.seq, self._mark = seq, mark

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mark, name)


class Marks(V2View):
    """`POST /api/v2/sessions/:id/marks`: marks students, in order, all or none."""

    audience = Audience.SIGNED_IN
    body = MarksInput
    answers: ClassVar = {200: MarksOutput}
    raises = (
        *OF_A_SESSION,
        TooManyRequests,
        NoActiveSession,
        StudentNotEnrolled,
        TimeOutsideLesson,
        KeyReused,
        JournalFull,
    )

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        marks = [wanted(mark) for mark in self.read()["marks"]]
        made = session_mark(actor=self.actor, session=found, marks=marks, method=method_of(marks))
        return Response(numbered((mark.seq, mark) for mark in made))


class Rest(V2View):
    """`POST /api/v2/sessions/:id/rest`: marks everybody who has no mark."""

    audience = Audience.SIGNED_IN
    body = RestInput
    answers: ClassVar = {200: MarksOutput}
    raises = (*OF_A_SESSION, NoActiveSession, JournalFull)

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        status = Status(self.read()["status"])
        return Response(numbered(session_mark_rest(actor=self.actor, session_id=found.id, status=status)))


class Undo(V2View):
    """`POST /api/v2/sessions/:id/undo`: takes back the last action of who asks that is not undone yet."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: UndoOutput}
    raises = (*OF_A_SESSION, NoActiveSession, NothingToUndo, JournalFull)

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        undone = session_undo(actor=self.actor, session_id=found.id)
        before = [{"studentId": student_id, "status": status} for student_id, status in undone.before.items()]
        return Response({"undone": before, **numbered(undone.marks)})


class Corrections(V2View):
    """`POST /api/v2/sessions/:id/corrections`: corrects records of an ended session, each with its reason."""

    audience = Audience.SIGNED_IN
    body = CorrectionsInput
    answers: ClassVar = {200: page_of(RecordOutput)}
    raises = (*OF_A_SESSION, SessionNotEnded, StudentNotEnrolled, JournalFull)

    def post(self, request: Request, session_id: str) -> Response:
        found = session_for_teacher(actor=self.actor, session_id=session_id)
        changes = [
            Correction(change["student_id"], Status(change["status"]), change["note"])
            for change in self.read()["changes"]
        ]
        records = session_correct(actor=self.actor, session_id=found.id, changes=changes)
        return Response({"items": RecordOutput.show_all(records), "next": None})


class History(V2View):
    """`GET /api/v2/records/:id/history`: how a record came about, the oldest first."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: page_of(HistoryLineOutput)}
    raises = (RecordNotFound, TeachersOnly)

    def get(self, request: Request, record_id: str) -> Response:
        record = record_for_teacher(actor=self.actor, record_id=record_id)
        lines = [history_line(line) for line in record_history(record)]
        return Response({"items": HistoryLineOutput.show_all(lines), "next": None})
