"""The shapes of the class routes."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import StudentOutput
from core.fields import InputSerializer, StrictString


class ClassInput(InputSerializer):
    className = StrictString(source="name", max_length=255, trim_whitespace=True)


class AddStudentInput(InputSerializer):
    studentId = StrictString(source="student_id", allow_blank=True)


class ClassOutput(serializers.Serializer[Any]):
    """`{_id, className, teacherId, studentIds}`; the context has `student_ids`."""

    _id = serializers.CharField(source="id")
    className = serializers.CharField(source="name")
    teacherId = serializers.CharField(source="teacher_id")
    studentIds = serializers.SerializerMethodField()

    def get_studentIds(self, found: Any) -> list[str]:
        ids: list[str] = self.context["student_ids"]
        return ids


class ClassDetailOutput(serializers.Serializer[Any]):
    """`{_id, className, teacherId, students: [{_id, name, email}]}`; the context has `students`."""

    _id = serializers.CharField(source="id")
    className = serializers.CharField(source="name")
    teacherId = serializers.CharField(source="teacher_id")
    students = serializers.SerializerMethodField()

    @extend_schema_field(StudentOutput(many=True))
    def get_students(self, found: Any) -> Any:
        return StudentOutput(self.context["students"], many=True).data
