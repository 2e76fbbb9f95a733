"""Absences that students announce."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance.enums import ExcuseState
from attendance.excuses import Shown
from core.rest.serializers import (
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    Said,
    StrictDay,
    StrictString,
    StrictTime,
)
from core.times import to_iso
from dialects.v2.serializers.sessions import NOTE


@extend_schema_field({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]})
class DayOrTime(StrictString):
    """A day, `2025-03-11`, or a moment with its offset, `2025-03-11T10:00:00.000Z`."""

    def to_internal_value(self, data: Any) -> Any:
        field = StrictTime() if isinstance(data, str) and "T" in data else StrictDay()
        return field.run_validation(data)

    def to_representation(self, value: Any) -> str:
        return to_iso(value) if isinstance(value, datetime) else str(value)


class ExcuseInput(InputSerializer):
    """Days, both included, or two times; without `classId` it is for all classes of the student."""

    classId = StrictString(source="class_id", required=False, allow_null=True, max_length=64)
    until = DayOrTime()
    note = Said(max_length=NOTE, trim_whitespace=True, help_text="The reason, in a few words.")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so no attribute can have this name.
        return {**super().get_fields(), "from": DayOrTime(source="since")}


class ExcuseChangeInput(InputSerializer):
    state = serializers.ChoiceField(
        [ExcuseState.APPROVED.value, ExcuseState.REFUSED.value, ExcuseState.WITHDRAWN.value],
        help_text="Teachers approve and refuse, the student withdraws.",
    )


class ExcusedClassOutput(OutputSerializer):
    """`{classId, className, state, decidedAt}`."""

    classId = Id(source="class_ref_id")
    className = serializers.CharField(source="class_ref.name")
    state = serializers.ChoiceField([state.value for state in ExcuseState if state is not ExcuseState.WITHDRAWN])
    decidedAt = IsoTime(source="decided_at", allow_null=True)


class ExcuseOutput(OutputSerializer):
    """`{_id, studentId, name, from, until, note, state, classes, createdAt}`; a teacher's has their own classes."""

    _id = Id(source="excuse.id")
    studentId = Id(source="excuse.student_id")
    name = serializers.CharField(source="excuse.student.name")
    until = DayOrTime(source="span.until")
    note = serializers.CharField(source="excuse.note")
    state = serializers.ChoiceField(ExcuseState.choices)
    classes = ExcusedClassOutput(many=True)
    createdAt = IsoTime(source="excuse.created_at")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": DayOrTime(source="span.since")}


def shown(excuse: Shown) -> dict[str, Any]:
    """An excuse as its answer."""
    return ExcuseOutput.show(excuse)
