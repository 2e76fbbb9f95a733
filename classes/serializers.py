"""The shapes of the class routes."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import StudentOutput
from core.rest.serializers import Id, InputSerializer, OutputSerializer, Said, StrictString


class ClassInput(InputSerializer):
    className = Said(source="name", max_length=255, trim_whitespace=True)


class AddStudentInput(InputSerializer):
    studentId = StrictString(source="student_id", allow_blank=True)


class ClassOutput(serializers.Serializer[Any]):
    """`{_id, className, teacherId, studentIds}`. The ids are the context's `student_ids`."""

    _id = Id(source="id")
    className = serializers.CharField(source="name")
    teacherId = Id(source="teacher_id")
    studentIds = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=Id()))
    def get_studentIds(self, found: Any) -> list[str]:
        ids: list[str] = self.context["student_ids"]
        return ids


@extend_schema_field(StudentOutput(many=True))
class RenderedStudents(serializers.Field[Any, Any, Any, Any]):
    """`[{_id, name, email}]`, which the view has rendered as JSON already."""

    def to_representation(self, value: Any) -> Any:
        return value


class ClassDetailOutput(OutputSerializer):
    """`{_id, className, teacherId, students: [{_id, name, email}]}`. The source has `students` as rendered JSON."""

    _id = Id(source="id")
    className = serializers.CharField(source="name")
    teacherId = Id(source="teacher_id")
    students = RenderedStudents()
