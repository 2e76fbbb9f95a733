"""Classes, their teachers and their students."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from classes.access import Part
from core.rest.serializers import (
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    Said,
    ShownEmail,
    StrictDay,
    StrictEmail,
    StrictFlag,
    StrictString,
)


class ClassInput(InputSerializer):
    className = Said(source="name", max_length=255, trim_whitespace=True)


class ClassChangeInput(InputSerializer):
    className = Said(source="name", max_length=255, trim_whitespace=True, required=False)
    archived = StrictFlag(required=False)


class ClassOutput(OutputSerializer):
    """`{_id, className, archived, teacherId, students, part, createdAt}`; `students` is how many are enrolled today."""

    _id = Id(source="id")
    className = serializers.CharField(source="name")
    archived = serializers.BooleanField()
    teacherId = Id(source="teacher_id")
    students = serializers.IntegerField()
    part = serializers.ChoiceField([part.value for part in Part if part.teaches])
    createdAt = IsoTime(source="created_at")


class TeacherInput(InputSerializer):
    email = StrictEmail()


class TeacherOutput(OutputSerializer):
    """`{_id, name, email, owner}`."""

    _id = Id(source="id")
    name = serializers.CharField()
    email = ShownEmail()
    owner = serializers.BooleanField(source="is_owner")


class DaysInput(InputSerializer):
    """The days of an enrolment, both included; what is left out stays, null is without end."""

    until = StrictDay(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's, so no attribute can have this name.
        first = StrictDay(source="since", required=False, allow_null=True)
        return {**super().get_fields(), "from": first}


class StudentInput(DaysInput):
    """Exactly one of `studentId`, `email` and `rollNumber`, and the days."""

    studentId = StrictString(source="student_id", required=False, max_length=64)
    email = StrictString(required=False, max_length=254)
    rollNumber = StrictString(source="roll_number", required=False, max_length=64)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.keys() & {"student_id", "email", "roll_number"}) != 1:
            raise serializers.ValidationError({"studentId": [_("Exactly one of studentId, email and rollNumber.")]})
        return attrs


class FoundOutput(OutputSerializer):
    """`{_id, name, email, rollNumber}`: a student of the school."""

    _id = Id(source="id")
    name = serializers.CharField()
    email = ShownEmail()
    rollNumber = serializers.CharField(source="roll_number", allow_null=True)


class StudentOutput(OutputSerializer):
    """`{_id, name, email, rollNumber, from, until}`: a student with the days of the enrolment."""

    _id = Id(source="student_id")
    name = serializers.CharField(source="student.name")
    email = ShownEmail(source="student.email")
    rollNumber = serializers.CharField(source="student.roll_number", allow_null=True)
    until = StrictDay(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": StrictDay(source="since", allow_null=True)}
