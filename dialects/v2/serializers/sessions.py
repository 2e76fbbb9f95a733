"""Sessions, marks and records."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance.enums import Method, SessionState, Status
from attendance.live.limits import MARKS_A_MESSAGE
from attendance.overview import Overview
from core.rest.serializers import (
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    Said,
    StrictFlag,
    StrictId,
    StrictString,
    StrictTime,
)
from dialects.v2.serializers.check_in import CheckInOutput, check_in_shown

NOTE = 255


class StartInput(InputSerializer):
    #: Whether `/ws` and AttenTrack mean this session from now on.
    focus = StrictFlag(default=False)


class CountsOutput(OutputSerializer):
    """`{present, late, absent, excused, unmarked}`."""

    present = serializers.IntegerField()
    late = serializers.IntegerField()
    absent = serializers.IntegerField()
    excused = serializers.IntegerField()
    unmarked = serializers.IntegerField()


class LineOutput(OutputSerializer):
    """`{_id, name, rollNumber, status, recordId}`: a student of the roster."""

    _id = Id(source="id")
    name = serializers.CharField()
    rollNumber = serializers.CharField(source="roll_number", allow_null=True)
    status = serializers.ChoiceField(Status.choices, allow_null=True)
    recordId = Id(source="record_id", allow_null=True)


@extend_schema_field(CheckInOutput)
class CheckInField(serializers.Field[Any, Any, Any, Any]):
    """How students mark themselves, null while they cannot."""

    def to_representation(self, value: Any) -> Any:
        return check_in_shown(value, to_teacher=True)


class SessionOutput(OutputSerializer):
    """`{_id, classId, className, state, startedAt, endedAt, seq, counts, checkIn, roster}`.

    In a list of sessions the roster is empty. A student's has nobody else in it.
    """

    _id = Id(source="id")
    classId = Id(source="class_id")
    className = serializers.CharField(source="class_name")
    state = serializers.ChoiceField(SessionState.choices)
    startedAt = IsoTime(source="started_at")
    endedAt = IsoTime(source="ended_at", allow_null=True)
    seq = serializers.IntegerField()
    counts = CountsOutput()
    checkIn = CheckInField(source="rules", allow_null=True)
    roster = LineOutput(source="lines", many=True)


def session_shown(overview: Overview, *, to_teacher: bool) -> dict[str, Any]:
    """What is shown of a session to its teachers; to a student without where they must be."""
    shown = SessionOutput.show(overview)
    if shown["checkIn"] is not None:
        shown["checkIn"] = check_in_shown(overview.rules, to_teacher=to_teacher)
    return shown


class MarkInput(InputSerializer):
    studentId = StrictId(source="student_id")
    status = serializers.ChoiceField(Status.choices)
    note = StrictString(default="", allow_blank=True, max_length=NOTE)
    at = StrictTime(required=False)
    key = StrictString(required=False, max_length=64)


class MarksInput(InputSerializer):
    marks = serializers.ListField(child=MarkInput(), min_length=1, max_length=MARKS_A_MESSAGE)


class MarkOutput(OutputSerializer):
    """`{seq, studentId, status, at, by, method, note, key}`; `status` null takes a student's mark away."""

    seq = serializers.IntegerField()
    studentId = Id(source="student_id")
    status = serializers.ChoiceField(Status.choices, allow_null=True)
    at = IsoTime()
    by = Id(source="by_id")
    method = serializers.ChoiceField(Method.choices)
    note = serializers.CharField()
    key = serializers.CharField(allow_null=True)


class MarksOutput(OutputSerializer):
    """`{marks, seq}`; `seq` is the last mark's, 0 where there is none."""

    marks = MarkOutput(many=True)
    seq = serializers.IntegerField()


class RestInput(InputSerializer):
    status = serializers.ChoiceField(Status.choices)


class UndoneOutput(OutputSerializer):
    """`{studentId, status}`: what the action had said of the student."""

    studentId = Id(source="student_id")
    status = serializers.ChoiceField(Status.choices, allow_null=True)


class UndoOutput(OutputSerializer):
    """`{undone, marks, seq}`: what the action had said, and the marks that take it back."""

    undone = UndoneOutput(many=True)
    marks = MarkOutput(many=True)
    seq = serializers.IntegerField()


class EndInput(InputSerializer):
    #: What becomes of those without a mark.
    unmarked = serializers.ChoiceField([Status.ABSENT.value], default=Status.ABSENT.value)


class ChangeInput(InputSerializer):
    studentId = StrictId(source="student_id")
    status = serializers.ChoiceField(Status.choices)
    note = Said(max_length=NOTE, help_text="The reason.")


class CorrectionsInput(InputSerializer):
    changes = serializers.ListField(child=ChangeInput(), min_length=1, max_length=MARKS_A_MESSAGE)


class RecordOutput(OutputSerializer):
    """`{recordId, studentId, status}`."""

    recordId = Id(source="id")
    studentId = Id(source="student_id")
    status = serializers.ChoiceField(Status.choices)


class ByOutput(OutputSerializer):
    """`{_id, name}`."""

    _id = Id(source="id")
    name = serializers.CharField()


class HistoryLineOutput(OutputSerializer):
    """`{seq, status, at, by, method, note}`; `seq` and `by` are null for what the end of the session did."""

    seq = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(Status.choices, allow_null=True)
    at = IsoTime(allow_null=True)
    by = ByOutput(allow_null=True)
    method = serializers.ChoiceField(Method.choices)
    note = serializers.CharField(allow_blank=True)


def history_line(line: Any) -> dict[str, Any]:
    """A line of `attendance.corrections.record_history`, for `HistoryLineOutput`."""
    by = None if line["by_id"] is None else {"id": line["by_id"], "name": line["by_name"] or ""}
    return {**line, "by": by}
