"""A list of students from a file: what it was taken for, what would become of every row, and then that is done."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy, ngettext

from classes import services
from classes.rosters.entries import Entry, entries_of
from classes.rosters.errors import RosterError
from classes.rosters.plan import Outcome, Plan
from classes.rosters.sources import read_file
from classes.rosters.tables import Table
from core import errors
from web.forms.imports import COLUMNS, FileForm, packed
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
#: What the command's messages say besides, for its own options.
_FOR_COMMANDS = re.compile(r",? or (?:name|say) [^:]*: --column.*", re.DOTALL)


class ClassImport(ClassPage):
    """`/app/classes/ID/import`. Nothing is written before the teacher has seen the plan and says so."""

    tab = "students"

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self.show("class_import.html", {"form": FileForm()})

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show("class_import.html", {"form": form})
        data, name = form.cleaned_data["data"], form.cleaned_data["file_name"]
        try:
            table = read_file(data, name=name, named=self._named())
            entries = entries_of(table)
            if "do" in request.POST:
                return self._do(entries, table, data, name)
            plan = services.class_import_plan(actor=self.actor, class_id=self.found.id, entries=entries)
            return self._preview(plan, table, data, name)
        except RosterError as refusal:
            form.add_error("file", _FOR_COMMANDS.sub(".", str(refusal)))
        except errors.TooManyRequests as refusal:
            self.refuse(form, refusal)
        return self.show("class_import.html", {"form": form})

    def _named(self) -> dict[str, str]:
        """The columns that the teacher chose, by the headings."""
        chosen = {column: self.request.POST.get(f"column_{column}", "") for column in COLUMNS}
        return {column: heading for column, heading in chosen.items() if heading}

    def _do(self, entries: list[Entry], table: Table, data: bytes, name: str) -> HttpResponse:
        post = self.request.POST
        wanted = _taken(entries, post.get("without", ""))
        try:
            plan = services.class_import(
                actor=self.actor,
                class_id=self.found.id,
                entries=wanted,
                shown=post.get("shown", ""),
                names_differ="names_differ" in post,
            )
        except (errors.Changed, errors.RosterConflict) as refusal:
            plan = services.class_import_plan(actor=self.actor, class_id=self.found.id, entries=entries)
            return self._preview(plan, table, data, name, refusal)
        number = len(plan.created) + len(plan.of(Outcome.ENROLLED))
        said = ngettext("%d student is new on the list.", "%d students are new on the list.", number) % number
        return self.done(said, "class-students", class_id=self.found.id)

    def _preview(
        self, plan: Plan, table: Table, data: bytes, name: str, refusal: errors.ApiError | None = None
    ) -> HttpResponse:
        refused = {row.entry.line for row in plan.refused}
        without = ",".join(str(line) for line in sorted(refused))
        rows = [row for row in plan.rows if row.entry.line not in refused]
        content: dict[str, Any] = {
            "file_name": name,
            "content": packed(data),
            "shown": Plan(rows).digest,
            "without": without,
            "taken_for": table.taken_for,
            "unused": table.unused,
            "columns": self._columns(table),
            "rows": [(row, OUTCOMES[row.outcome], _KINDS.get(row.outcome, "unmarked")) for row in plan.rows],
            "counts": [
                (OUTCOMES[one], len(plan.of(one)), _KINDS.get(one, "unmarked")) for one in Outcome if plan.of(one)
            ],
            "number": sum(row.outcome in (Outcome.CREATED, Outcome.ENROLLED) for row in rows),
            "refused": len(refused),
            "is_shifted": plan.names_are_shifted,
            "refusal": refusal,
        }
        return self.show("class_import_preview.html", content, status=refusal.status if refusal else 200)

    def _columns(self, table: Table) -> list[tuple[str, Any, str]]:
        """Each column, its name, and the heading that it has in the file."""
        headings = {column: table.headings[at] for column, at in table.columns.items()}
        return [(column, label, headings.get(column, "")) for column, label in COLUMNS.items()]


def _taken(entries: list[Entry], without: str) -> list[Entry]:
    """The entries but for those of the lines that the preview said are left out."""
    lines = {int(line) for line in without.split(",") if line.isascii() and line.isdigit()}
    return [entry for entry in entries if entry.line not in lines]
