"""One lesson: who is there, while it is open; its record, corrections and history afterwards."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from attendance import services
from attendance.access import session_for_teacher
from attendance.actions import session_mark_rest, session_undo
from attendance.class_settings import check_in_defaults, tap_order
from attendance.corrections import (
    Correction,
    is_reopenable,
    record_get,
    record_history,
    session_correct,
    session_reopen,
)
from attendance.enums import Method, SessionState, Status
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from attendance.overview import Line, Overview, session_overview
from core import errors, lan
from core.rest.permissions import Audience
from core.times import now
from web.forms.class_settings import ANSWERS, MODES, USUAL
from web.forms.sessions import CorrectionForm
from web.live_words import board_data
from web.statuses import METHODS, ORDER
from web.views.page import Page


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a record's history."""

    status: Status | None
    at: Any
    by: str
    how: str
    note: str


class SessionPage(Page):
    """A page of one lesson, for the class's teachers and the office."""

    audience = Audience.TEACHER
    section = "classes"

    @cached_property
    def session(self) -> Any:
        return session_for_teacher(actor=self.actor, session_id=self.kwargs["session_id"])

    def check_access(self) -> None:
        _ = self.session

    @cached_property
    def overview(self) -> Overview:
        return session_overview(self.session)

    def back(self) -> HttpResponse:
        return redirect("web:session", session_id=self.session.id)

    def show(self, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
        content = {"lesson": self.overview, "lines": self.overview.lines, **(context or {})}
        return super().show(template, content, status)


class SessionDetail(SessionPage):
    """`/app/sessions/ID/`: the board while the lesson is open, its record afterwards."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        if self.overview.state is SessionState.OPEN:
            order = tap_order(self.session.class_ref)
            content = {
                "statuses": ORDER,
                "first": order[0].value,
                "usual": check_in_defaults(self.session.class_ref) or USUAL,
                "modes": MODES,
                "answers": ANSWERS,
                "has_networks": bool(settings.CHECK_IN_NETWORKS),
                "data": board_data(self.overview.id, order),
                "zone": settings.TIME_ZONE,
                "is_on_lan": lan.here() is not None,
            }
            return self.show("board.html", content)
        return self.show("record.html", {"is_reopenable": is_reopenable(self.session, now())})


class SessionMarks(SessionPage):
    """`/app/sessions/ID/marks`: marks a student; `mark` is `STUDENT:STATUS`."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        student_id, _colon, status = request.POST.get("mark", "").partition(":")
        if status not in Status.values:
            raise errors.InvalidSchema
        marks = [Wanted(student_id, Status(status))]
        session_mark(actor=self.actor, session=self.session, marks=marks, method=Method.TEACHER)
        return self.back()


class SessionRest(SessionPage):
    """`/app/sessions/ID/rest`: marks whoever has no mark."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        status = request.POST.get("status", "")
        if status not in Status.values:
            raise errors.InvalidSchema
        made = session_mark_rest(actor=self.actor, session_id=self.session.id, status=Status(status))
        said = ngettext("%d student is marked.", "%d students are marked.", len(made)) % len(made)
        messages.success(request, said)
        return self.back()


class SessionUndo(SessionPage):
    """`/app/sessions/ID/undo`: takes back the last thing that the person did in this lesson."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        try:
            undone = session_undo(actor=self.actor, session_id=self.session.id)
        except errors.NothingToUndo:
            messages.info(request, _("There is nothing to undo."))
        else:
            number = len(undone.before)
            messages.success(request, ngettext("%d mark is undone.", "%d marks are undone.", number) % number)
        return self.back()


class SessionEnd(SessionPage):
    """`/app/sessions/ID/end`: whoever has no mark is absent, and the records are written."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        if self.session.state == SessionState.OPEN:
            services.session_end(session_id=self.session.id)
        return self.done(_("The lesson is over, and its records are written."), "session", session_id=self.session.id)


class SessionReopen(SessionPage):
    """`/app/sessions/ID/reopen`: opens the lesson again, for a day after its end."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        session_reopen(actor=self.actor, session_id=self.session.id)
        return self.done(_("The lesson is open again."), "session", session_id=self.session.id)


class SessionStudent(SessionPage):
    """`/app/sessions/ID/students/ID`: how a student's record came about, and its correction."""

    def get(self, request: HttpRequest, session_id: str, student_id: str) -> HttpResponse:
        return self._page(student_id, None)

    def post(self, request: HttpRequest, session_id: str, student_id: str) -> HttpResponse:
        form = CorrectionForm(request.POST)
        if not form.is_valid():
            return self._page(student_id, form)
        change = Correction(student_id, Status(form.cleaned_data["status"]), form.cleaned_data["note"])
        session_correct(actor=self.actor, session_id=self.session.id, changes=[change])
        said = _("The record of %s is corrected.") % self._line(student_id).name
        return self.done(said, "session", session_id=self.session.id)

    def _line(self, student_id: str) -> Line:
        line = next((line for line in self.overview.lines if line.id == student_id), None)
        if line is None:
            raise errors.StudentNotFound
        return line

    def _page(self, student_id: str, form: CorrectionForm | None) -> HttpResponse:
        line = self._line(student_id)
        if line.record_id is None:
            raise errors.SessionNotEnded
        history = [
            Event(row["status"], row["at"], row["by_name"] or "", str(METHODS[Method(row["method"])]), row["note"])
            for row in record_history(record_get(line.record_id))
        ]
        shown = form or CorrectionForm(initial={"status": line.status})
        return self.show("record_student.html", {"line": line, "history": history[::-1], "form": shown})


class SessionPrint(SessionPage):
    """`/app/sessions/ID/print`: the list on paper, with a column for signatures."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        return self.show("print_session.html")
