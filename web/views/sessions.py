"""One lesson: its sheet, while it is open and afterwards."""

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from attendance import services
from attendance.enums import SessionState
from attendance.selectors import session_sheet_for_owner
from attendance.sheets import Sheet
from core import errors
from core.rest.permissions import Audience
from web.views.page import Page


class SessionPage(Page):
    """A page of one lesson, for the class's teacher."""

    audience = Audience.TEACHER
    section = "classes"

    @cached_property
    def sheet(self) -> Sheet:
        try:
            return session_sheet_for_owner(actor=self.actor, reference=self.kwargs["session_id"])
        except errors.NoActiveSession:
            raise errors.RecordNotFound from None


class SessionDetail(SessionPage):
    """`/app/sessions/ID/`."""

    def get(self, request: HttpRequest, session_id: str) -> HttpResponse:
        entries = sorted(self.sheet.entries, key=lambda entry: entry.name.casefold())
        is_open = self.sheet.state is SessionState.OPEN
        return self.show("session.html", {"sheet": self.sheet, "entries": entries, "is_open": is_open})


class SessionEnd(SessionPage):
    """`/app/sessions/ID/end`: whoever has no mark is absent, and the records are written."""

    def post(self, request: HttpRequest, session_id: str) -> HttpResponse:
        if self.sheet.state is SessionState.OPEN:
            services.session_end(session_id=self.sheet.session_id)
        return self.done(_("The lesson is over, and its records are written."), "session", session_id=session_id)
