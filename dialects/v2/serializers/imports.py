"""Files that are looked at first and done then."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from classes.imports import RosterImport
from classes.rosters.headings import LABELS, column_named, column_word
from classes.rosters.plan import Outcome, Row
from classes.rosters.tables import Table
from core import strict_json
from core.rest.serializers import FlagText, InputSerializer, OutputSerializer, StrictFlag, StrictString


@extend_schema_field({"type": "string", "contentMediaType": "application/json", "example": '{"email":"SIS Login ID"}'})
class Columns(StrictString):
    """JSON as a text of a form: which heading is which column. The value has columns as the code names them."""

    default_error_messages: ClassVar = {
        "invalid_columns": 'Not as {{"email":"SIS Login ID"}}, with the columns name, firstName, lastName, email and'
        " rollNumber.",
    }

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            found = strict_json.loads(text)
        except ValueError:
            self.fail("invalid_columns")
        if not isinstance(found, dict) or not all(isinstance(heading, str) for heading in found.values()):
            self.fail("invalid_columns")
        named = {column_named(word): heading for word, heading in found.items()}
        if None in named or not all(heading.strip() for heading in named.values()):
            self.fail("invalid_columns")
        return named


class ImportFileInput(InputSerializer):
    """A file and how it is read."""

    file = serializers.FileField(allow_empty_file=True, max_length=255)
    dryRun = FlagText(
        source="dry_run",
        default=True,
        help_text="true, or left out: shows what would become of the rows. false: does it at once, or nothing where a"
        " row is refused.",
    )
    columns = Columns(
        required=False, default=dict, help_text="Which heading is which column, where the guess is wrong."
    )
    encoding = StrictString(
        required=False, max_length=64, default=None, help_text="Of a text file that is neither UTF-8 nor UTF-16."
    )


class ImportDoInput(InputSerializer):
    """What a preview said is done."""

    token = StrictString(max_length=64)
    namesDiffer = StrictFlag(
        source="names_differ",
        default=False,
        help_text="true: the names are right, though many students have another one here.",
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


class ImportOutput(OutputSerializer):
    """`{takenFor, columns, unused, rows, counts, namesDiffer, token}`."""

    takenFor = serializers.CharField()
    columns = serializers.DictField(child=serializers.CharField(), help_text="Column → its heading in the file.")
    unused = serializers.ListField(child=serializers.CharField(), help_text="The headings that are not used.")
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
