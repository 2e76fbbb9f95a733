"""Absences that students announce: they ask and withdraw, their teachers approve or refuse."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from attendance import excuses
from attendance.enums import ExcuseState
from attendance.excuses import Shown
from classes.selectors import classes_of_student
from core import errors
from core.identity import Role
from core.rest.permissions import Audience
from core.times import now
from core.words import sentence_of
from web.forms.excuses import ExcuseForm
from web.pages import Slice
from web.views.page import Page

#: What pages call a state, and whose colour it has.
STATES: Mapping[str, tuple[Any, str]] = {
    ExcuseState.ASKED: (pgettext_lazy("of an excuse", "Waits"), "unmarked"),
    ExcuseState.APPROVED: (pgettext_lazy("of an excuse", "Approved"), "present"),
    ExcuseState.REFUSED: (pgettext_lazy("of an excuse", "Refused"), "absent"),
    ExcuseState.WITHDRAWN: (pgettext_lazy("of an excuse", "Withdrawn"), "unmarked"),
}
_DONE = {
    ExcuseState.APPROVED: gettext_lazy("Approved. The student is excused when a lesson starts in that time."),
    ExcuseState.REFUSED: gettext_lazy("Refused."),
    ExcuseState.WITHDRAWN: gettext_lazy("Withdrawn."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An excuse in a list.

    `choices`: the states that the reader may give it now. `seen`: the version on which the reader decides.
    """

    shown: Shown
    classes: list[tuple[str, tuple[Any, str]]]
    choices: list[str]
    seen: str

    @property
    def state(self) -> tuple[Any, str]:
        return STATES[self.shown.state]


class Excuses(Page):
    """`/app/excuses/`: a student's own, and a form for a new one; for teachers those that wait, or `?all=1` all."""

    audience = Audience.SIGNED_IN
    section = "excuses"
    shows_people = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(self._form() if self._is_student else None)

    def post(self, request: HttpRequest) -> HttpResponse:
        if not self._is_student:
            raise errors.StudentOnly
        form = self._form(request.POST)
        if form.is_valid():
            try:
                class_id = form.cleaned_data["class_id"] or None
                note = form.cleaned_data["note"]
                excuses.excuse_add(actor=self.actor, span=form.span(), note=note, class_id=class_id)
            except errors.NotEnrolled:
                form.add_error(None, _("You are in no class in these days."))
            except errors.ApiError as refusal:
                self.refuse(form, refusal)
            else:
                return self.done(_("Your teachers are asked."), "excuses")
        return self._page(form)

    @property
    def _is_student(self) -> bool:
        return self.actor.role == Role.STUDENT

    def _form(self, data: Any = None) -> ExcuseForm:
        return ExcuseForm(
            data, classes=[(one.id, one.name) for one in classes_of_student(self.actor.id, archived=False)]
        )

    def _page(self, form: ExcuseForm | None) -> HttpResponse:
        query = self.request.GET
        shows_all = self._is_student or "all" in query
        rows = excuses.excuses_listed(self.actor) if shows_all else excuses.excuses_waiting(self.actor)
        page = Slice.of(rows, query.get("page"))
        lines = [self._line(one) for one in excuses.excuses_shown(self.actor, page.rows)]
        # A student who is in no class can ask nobody; what was sent all the same comes back with what was typed.
        can_ask = form is not None and (form.is_bound or form.has_classes)
        content = {"form": form, "can_ask": can_ask, "slice": page, "lines": lines, "shows_all": shows_all}
        return self.show("excuses.html", content)

    def _line(self, one: Shown) -> Line:
        classes = [(row.class_ref.name, STATES[row.state]) for row in one.classes]
        return Line(one, classes, self._choices(one), excuses.version(one))

    def _choices(self, one: Shown) -> list[str]:
        if one.excuse.withdrawn_at is not None or one.excuse.until <= now():
            return []
        if self._is_student:
            return [ExcuseState.WITHDRAWN.value]
        states = {row.state for row in one.classes}
        return [state.value for state in (ExcuseState.APPROVED, ExcuseState.REFUSED) if states != {state}]


class Excuse(Page):
    """`/app/excuses/ID`: approves, refuses or withdraws what the list showed; not what was changed since."""

    audience = Audience.SIGNED_IN
    section = "excuses"

    def post(self, request: HttpRequest, excuse_id: str) -> HttpResponse:
        excuses.excuse_get(actor=self.actor, excuse_id=excuse_id)
        said = request.POST.get("state", "")
        if said not in {state.value for state in _DONE}:
            raise errors.InvalidSchema
        state = ExcuseState(said)
        seen = request.POST.get("seen")
        try:
            excuses.excuse_decide(actor=self.actor, excuse_id=excuse_id, state=state, seen=seen)
        except (errors.Changed, errors.ExcuseWithdrawn) as refusal:
            messages.error(request, sentence_of(refusal, reader=self.actor))
            return redirect("web:excuses")
        return self.done(str(_DONE[state]), "excuses")
