"""A list of students from a file: what it was taken for, what would become of every row, and then that is done."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from classes import imports
from classes.previews import SentFile
from classes.rosters.errors import RosterError
from classes.rosters.plan import Outcome
from classes.rosters.tables import Table
from core import errors
from web.forms.imports import COLUMNS, FileForm
from web.views.classes import ClassPage

OUTCOMES = {
    Outcome.CREATED: gettext_lazy("new, and on the list"),
    Outcome.ENROLLED: gettext_lazy("on the list"),
    Outcome.UNCHANGED: gettext_lazy("on the list already"),
    Outcome.REMOVED: gettext_lazy("off the list"),
    Outcome.SET_ASIDE: gettext_lazy("waits: the address is not confirmed"),
    Outcome.LEFT_OUT: gettext_lazy("left out"),
    Outcome.REFUSED: gettext_lazy("cannot be taken"),
}
#: The colour of an outcome, by the statuses' colours.
_KINDS = {
    Outcome.CREATED: "present",
    Outcome.ENROLLED: "present",
    Outcome.SET_ASIDE: "late",
    Outcome.REMOVED: "late",
    Outcome.REFUSED: "absent",
}


class ClassImport(ClassPage):
    """`/app/classes/ID/import`. Nothing is written before the teacher has seen the plan and says so."""

    heavy = True
    tab = "students"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self.show("class_import.html", {"form": FileForm()})

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show("class_import.html", {"form": form})
        try:
            if "do" in request.POST:
                return self._do(form.cleaned_data["token"])
            return self._preview(self._sent(form))
        except RosterError as refusal:
            form.add_error("file", refusal.plain)
        except errors.PreviewNotFound:
            form.add_error("file", _("Choose the file once more."))
        except errors.TooManyRequests as refusal:
            self.refuse(form, refusal)
        return self.show("class_import.html", {"form": form})

    def _sent(self, form: FileForm) -> SentFile:
        """The file, with the columns that the teacher chose by their headings."""
        chosen = {column: self.request.POST.get(f"column_{column}", "") for column in COLUMNS}
        sent: SentFile = form.cleaned_data.get("sent") or self._kept(form.cleaned_data["token"])
        return replace(sent, named={column: heading for column, heading in chosen.items() if heading})

    def _kept(self, token: str) -> SentFile:
        return imports.class_import_file(actor=self.actor, class_id=self.found.id, token=token)

    def _do(self, token: str) -> HttpResponse:
        is_right = "names_differ" in self.request.POST
        try:
            done = imports.class_import(actor=self.actor, class_id=self.found.id, token=token, names_differ=is_right)
        except (errors.Changed, errors.RosterConflict) as refusal:
            return self._preview(self._kept(token), refusal)
        number = len(done.plan.created) + len(done.plan.of(Outcome.ENROLLED))
        said = ngettext("%d student is new on the list.", "%d students are new on the list.", number) % number
        return self.done(said, "class-students", class_id=self.found.id)

    def _preview(self, file: SentFile, refusal: errors.ApiError | None = None) -> HttpResponse:
        shown = imports.class_import_preview(actor=self.actor, class_id=self.found.id, file=file)
        plan = shown.plan
        content: dict[str, Any] = {
            "file_name": file.name,
            "token": shown.token,
            "taken_for": shown.table.taken_for,
            "unused": shown.table.unused,
            "columns": self._columns(shown.table),
            "rows": [(row, OUTCOMES[row.outcome], _KINDS.get(row.outcome, "unmarked")) for row in plan.rows],
            "counts": [
                (OUTCOMES[one], len(plan.of(one)), _KINDS.get(one, "unmarked")) for one in Outcome if plan.of(one)
            ],
            "number": len(plan.created) + len(plan.of(Outcome.ENROLLED)),
            "refused": len(plan.refused),
            "is_shifted": shown.wanted.names_are_shifted,
            "refusal": refusal,
        }
        return self.show("class_import_preview.html", content, status=refusal.status if refusal else 200)

    def _columns(self, table: Table) -> list[tuple[str, Any, str]]:
        """Each column, its name, and the heading that it has in the file."""
        headings = {column: table.headings[at] for column, at in table.columns.items()}
        return [(column, label, headings.get(column, "")) for column, label in COLUMNS.items()]
