"""Files that are looked at first and done then."""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, NoReturn

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance import marks_import as marks
from attendance.enums import Status
from attendance.marks_file import LABELS as MARK_LABELS
from attendance.marks_file import LONGEST_NOTE
from classes.imports import RosterImport
from classes.rosters.headings import LABELS, column_named, column_word
from classes.rosters.plan import Outcome, Row
from classes.rosters.tables import Table
from core import strict_json
from core.rest.serializers import FlagText, Id, InputSerializer, IsoTime, OutputSerializer, StrictFlag, StrictString


@extend_schema_field({"type": "string", "contentMediaType": "application/json", "example": '{"email":"SIS Login ID"}'})
class Columns(StrictString):
    """JSON as a text of a form: which heading is which column. The value has columns as the code names them."""

    default_error_messages: ClassVar = {
        "invalid_columns": _('Not as {{"email":"SIS Login ID"}}, with some of the columns {columns}.'),
    }

    def __init__(self, columns: Collection[str], **kwargs: Any) -> None:
        super().__init__(required=False, default=dict, **kwargs)
        self.columns = columns

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        super().fail(key, columns=", ".join(map(column_word, self.columns)), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            found = strict_json.loads(text)
        except ValueError:
            self.fail("invalid_columns")
        if not isinstance(found, dict) or not all(isinstance(heading, str) for heading in found.values()):
            self.fail("invalid_columns")
        named = {column_named(word, self.columns): heading for word, heading in found.items()}
        if None in named or not all(heading.strip() for heading in named.values()):
            self.fail("invalid_columns")
        return named


_WHICH = "Which heading is which column, where the guess is wrong."


class FileInput(InputSerializer):
    """A file and how it is read."""

    file = serializers.FileField(allow_empty_file=True, max_length=255)
    encoding = StrictString(
        required=False, max_length=64, default=None, help_text="Of a text file that is neither UTF-8 nor UTF-16."
    )


class ImportFileInput(FileInput):
    dryRun = FlagText(
        source="dry_run",
        default=True,
        help_text="true, or left out: shows what would become of the rows. false: does it at once, or nothing where a"
        " row is refused.",
    )
    columns = Columns(LABELS, help_text=_WHICH)


class MarksFileInput(FileInput):
    columns = Columns(MARK_LABELS, help_text=_WHICH)


class DoInput(InputSerializer):
    """What a preview said is done."""

    token = StrictString(max_length=64)


class ImportDoInput(DoInput):
    namesDiffer = StrictFlag(
        source="names_differ",
        default=False,
        help_text="true: the names are right, though many students have another one here.",
    )


class MarksDoInput(InputSerializer):
    """What a preview said is done."""

    token = StrictString(max_length=64)
    reason = StrictString(
        default="", allow_blank=True, max_length=LONGEST_NOTE, help_text="Of corrections whose line has no note."
    )


class ImportRowOutput(OutputSerializer):
    """`{line, outcome, reason, name, email, rollNumber, knownAs}`: a row of the file and what becomes of it."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField([outcome.name.lower() for outcome in Outcome])
    reason = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    rollNumber = serializers.CharField(source="roll_number", allow_null=True)
    knownAs = serializers.CharField(source="known_as", allow_null=True)


class ImportCountsOutput(OutputSerializer):
    """How many rows have which outcome."""

    def get_fields(self) -> dict[str, Any]:
        return {outcome.name.lower(): serializers.IntegerField() for outcome in Outcome}


def _columns_field() -> Any:
    return serializers.DictField(child=serializers.CharField(), help_text="Column → its heading in the file.")


def _unused_field() -> Any:
    return serializers.ListField(child=serializers.CharField(), help_text="The headings that are not used.")


class ImportOutput(OutputSerializer):
    """`{takenFor, columns, unused, rows, counts, namesDiffer, token}`."""

    takenFor = serializers.CharField()
    columns = _columns_field()
    unused = _unused_field()
    rows = ImportRowOutput(many=True)
    counts = ImportCountsOutput()
    namesDiffer = serializers.BooleanField(
        help_text="So many names differ that the file may have been sorted in one column alone: to be done only with"
        " `namesDiffer`."
    )
    token = serializers.CharField(allow_null=True, help_text="Does it, within an hour. null where it is done.")


def columns_shown(table: Table, labels: Mapping[str, str]) -> dict[str, str]:
    """Column → its heading in the file."""
    return {column_word(column): table.headings[at].strip() for column, at in table.columns.items() if column in labels}


def import_shown(done: RosterImport) -> dict[str, Any]:
    """What an answer shows of an import."""
    counts = {outcome.name.lower(): len(done.plan.of(outcome)) for outcome in Outcome}
    return ImportOutput.show(
        {
            "takenFor": done.table.taken_for,
            "columns": columns_shown(done.table, LABELS),
            "unused": done.table.unused,
            "rows": [_row(row) for row in done.plan.rows],
            "counts": counts,
            "namesDiffer": done.wanted.names_are_shifted,
            "token": done.token,
        }
    )


class MarkRowOutput(OutputSerializer):
    """`{line, outcome, reason, studentId, name, status, before, at, note}`: a line and what becomes of it."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField([outcome.name.lower() for outcome in marks.Outcome])
    reason = serializers.CharField()
    studentId = Id(source="student_id", allow_null=True)
    name = serializers.CharField(help_text="The student's, or for somebody unknown what the file says.")
    status = serializers.ChoiceField(Status.choices, allow_null=True)
    before = serializers.ChoiceField(Status.choices, allow_null=True, help_text="The status now.")
    at = IsoTime(allow_null=True)
    note = serializers.CharField()


class MarkCountsOutput(OutputSerializer):
    """How many lines have which outcome."""

    def get_fields(self) -> dict[str, Any]:
        return {outcome.name.lower(): serializers.IntegerField() for outcome in marks.Outcome}


class MarksImportOutput(OutputSerializer):
    """`{takenFor, columns, unused, rows, counts, corrects, token}`."""

    takenFor = serializers.CharField()
    columns = _columns_field()
    unused = _unused_field()
    rows = MarkRowOutput(many=True)
    counts = MarkCountsOutput()
    corrects = serializers.BooleanField(help_text="The session is over: records are corrected, and a reason is needed.")
    token = serializers.CharField(allow_null=True, help_text="Does it, within an hour. null where it is done.")


def marks_shown(done: marks.MarksImport) -> dict[str, Any]:
    """What an answer shows of marks from a file."""
    return MarksImportOutput.show(
        {
            "takenFor": done.table.taken_for,
            "columns": columns_shown(done.table, MARK_LABELS),
            "unused": done.table.unused,
            "rows": [_mark_row(row) for row in done.plan.rows],
            "counts": {outcome.name.lower(): len(done.plan.of(outcome)) for outcome in marks.Outcome},
            "corrects": done.plan.corrects,
            "token": done.token,
        }
    )


def _mark_row(row: marks.MarkRow) -> dict[str, Any]:
    line = row.line
    return {
        "line": line.line,
        "outcome": row.outcome.name.lower(),
        "reason": row.reason,
        "student_id": row.student and row.student.id,
        "name": row.student.name if row.student else line.name or line.email or line.roll_number,
        "status": line.status,
        "before": row.before,
        "at": row.at,
        "note": line.note,
    }


def _row(row: Row) -> dict[str, Any]:
    entry = row.entry
    return {
        "line": entry.line,
        "outcome": row.outcome.name.lower(),
        "reason": row.reason,
        "name": entry.name,
        "email": entry.email,
        "roll_number": entry.roll_number,
        "known_as": row.known_as,
    }
