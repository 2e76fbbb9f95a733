"""A list of students, or a lesson's marks, from a file: what would become of every row, and then that is done."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from attendance import marks_import as marks
from attendance.marks_file import LONGEST_NOTE
from classes import imports
from classes.previews import PreviewKind, SentFile, preview_get, refused_keep
from classes.rosters.errors import RosterError
from classes.rosters.plan import Outcome
from classes.rosters.tables import Table
from core import errors
from web.forms.imports import COLUMNS, ENCODINGS, MARK_COLUMNS, FileForm
from web.views.classes import ClassPage
from web.views.page import Page
from web.views.sessions import SessionPage

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


def taken_for(table: Table) -> str:
    """What a file was taken for, in the reader's language; how it is written in brackets, as every program says it."""
    name = _(table.format.name)
    return f"{name} ({table.kind})" if table.kind else name


class FileSteps(Page):
    """A file is looked at first, and done then. Nothing is written before the teacher has seen the plan and says so."""

    heavy = True
    #: The template of the page that asks for the file.
    asks: ClassVar[str]
    #: Column → its name.
    columns: ClassVar[Mapping[str, Any]]
    #: What the file is for.
    kind: ClassVar[PreviewKind]

    def get(self, request: HttpRequest, **ids: str) -> HttpResponse:
        return self.show(self.asks, {"form": FileForm()})

    def post(self, request: HttpRequest, **ids: str) -> HttpResponse:
        form = FileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(self.asks, {"form": form})
        try:
            if "do" in request.POST:
                return self.do(form.cleaned_data["token"])
            return self.preview(self._sent(form))
        except RosterError as refusal:
            form.add_error("file", refusal.plain)
            return self.show(self.asks, {"form": form, **self._reading(self._keep(form))})
        except errors.PreviewNotFound:
            form.add_error("file", _("Choose the file once more."))
        except errors.TooManyRequests as refusal:
            self.refuse(form, refusal)
        return self.show(self.asks, {"form": form})

    def _sent(self, form: FileForm) -> SentFile:
        """The file, with the columns that the teacher chose by their headings, and the encoding."""
        chosen = {column: self._chosen(column) for column in self.columns}
        sent: SentFile = form.cleaned_data.get("sent") or self.kept(form.cleaned_data["token"])
        named = {column: heading for column, heading in chosen.items() if heading}
        return replace(sent, named=named, encoding=self._encoding() or sent.encoding)

    def _keep(self, form: FileForm) -> SentFile:
        """The file that is refused, which the form that comes back means: no browser fills in a file once more."""
        file: SentFile | None = form.cleaned_data.get("sent")
        if file is None:
            return self.kept(form.cleaned_data["token"])
        token = refused_keep(actor=self.actor, kind=self.kind, about_id=self.about_id, file=file)
        form.keep(token)
        return file

    def _chosen(self, column: str) -> str:
        return self.request.POST.get(f"column_{column}", "")

    def _encoding(self) -> str:
        """The encoding that the teacher chose; "" for none."""
        chosen = self.request.POST.get("encoding", "")
        return chosen if chosen in ENCODINGS else ""

    def _reading(self, file: SentFile) -> dict[str, Any]:
        """What the teacher may say of a file that is not understood by itself."""
        return {
            "file_name": file.name,
            "columns": [(column, label, self._chosen(column)) for column, label in self.columns.items()],
            "encodings": list(ENCODINGS.items()),
            "encoding": self._encoding(),
        }

    def headings(self, table: Table) -> list[tuple[str, Any, str]]:
        """Each column, its name, and the heading that it has in the file."""
        found = {column: table.headings[at] for column, at in table.columns.items()}
        return [(column, label, found.get(column, "")) for column, label in self.columns.items()]

    @property
    def about_id(self) -> str:
        """The id of the class or session that the file is for."""
        raise NotImplementedError

    def kept(self, token: str) -> SentFile:
        """The file of a preview, or one that was refused. Raises `PreviewNotFound`."""
        return preview_get(actor=self.actor, kind=self.kind, about_id=self.about_id, token=token).file

    def preview(self, file: SentFile, refusal: errors.ApiError | None = None) -> HttpResponse:
        """What would be done. `refusal`: why what was shown before is not done."""
        raise NotImplementedError

    def do(self, token: str) -> HttpResponse:
        """Does what the preview of this token said."""
        raise NotImplementedError


class ClassImport(FileSteps, ClassPage):
    """`/app/classes/ID/import`."""

    tab = "students"
    asks = "class_import.html"
    columns = COLUMNS
    kind = PreviewKind.ROSTER

    @property
    def about_id(self) -> str:
        return str(self.found.id)

    def do(self, token: str) -> HttpResponse:
        is_right = "names_differ" in self.request.POST
        try:
            done = imports.class_import(actor=self.actor, class_id=self.found.id, token=token, names_differ=is_right)
        except (errors.Changed, errors.RosterConflict) as refusal:
            return self.preview(self.kept(token), refusal)
        number = len(done.plan.created) + len(done.plan.of(Outcome.ENROLLED))
        said = ngettext("%d student is new on the list.", "%d students are new on the list.", number) % number
        return self.done(said, "class-students", class_id=self.found.id)

    def preview(self, file: SentFile, refusal: errors.ApiError | None = None) -> HttpResponse:
        shown = imports.class_import_preview(actor=self.actor, class_id=self.found.id, file=file)
        plan = shown.plan
        content: dict[str, Any] = {
            "file_name": file.name,
            "token": shown.token,
            "taken_for": taken_for(shown.table),
            "unused": shown.table.unused,
            "columns": self.headings(shown.table),
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


MARK_OUTCOMES = {
    marks.Outcome.MARKED: (gettext_lazy("taken over"), "present"),
    marks.Outcome.UNCHANGED: (gettext_lazy("is so already"), "unmarked"),
    marks.Outcome.LEFT_OUT: (gettext_lazy("left out"), "unmarked"),
    marks.Outcome.REFUSED: (gettext_lazy("cannot be taken"), "absent"),
}


class MarksImport(FileSteps, SessionPage):
    """`/app/sessions/ID/import`: marks, or corrections once the lesson is over."""

    asks = "session_import.html"
    columns = MARK_COLUMNS
    kind = PreviewKind.MARKS

    @property
    def about_id(self) -> str:
        return str(self.session.id)

    def do(self, token: str) -> HttpResponse:
        reason = self.request.POST.get("reason", "")[:LONGEST_NOTE]
        try:
            done = marks.marks_import(actor=self.actor, session=self.session, token=token, reason=reason)
        except (errors.Changed, errors.InvalidSchema) as refusal:
            return self.preview(self.kept(token), refusal)
        number = len(done.plan.of(marks.Outcome.MARKED))
        said = ngettext("%d student is marked.", "%d students are marked.", number) % number
        return self.done(said, "session", session_id=self.session.id)

    def preview(self, file: SentFile, refusal: errors.ApiError | None = None) -> HttpResponse:
        shown = marks.marks_import_preview(actor=self.actor, session=self.session, file=file)
        plan, table = shown.plan, shown.table
        counts = [(*MARK_OUTCOMES[one], len(plan.of(one))) for one in marks.Outcome if plan.of(one)]
        content: dict[str, Any] = {
            "file_name": file.name,
            "token": shown.token,
            "taken_for": taken_for(table),
            "unused": table.unused,
            "columns": self.headings(table),
            "rows": [(row, *MARK_OUTCOMES[row.outcome]) for row in plan.rows],
            "counts": counts,
            "number": len(plan.of(marks.Outcome.MARKED)),
            "refused": len(plan.of(marks.Outcome.REFUSED)),
            "corrects": plan.corrects,
            "changed": isinstance(refusal, errors.Changed),
            "lacks_reason": isinstance(refusal, errors.InvalidSchema),
            "reason": self.request.POST.get("reason", ""),
        }
        return self.show("session_import_preview.html", content, status=refusal.status if refusal else 200)
