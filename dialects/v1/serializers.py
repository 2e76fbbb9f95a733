"""The bodies and the answers of `/api/v1`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import SignupInput
from classes.serializers import ClassInput
from core.identity import Role
from core.rest.envelope import EnvelopeRenderer
from core.rest.serializers import (
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    Said,
    ShownEmail,
    StrictId,
)


class RegisterInput(SignupInput):
    name = Said(max_length=255, trim_whitespace=True)


class CreateClassInput(ClassInput):
    className = Said(source="name", min_length=3, max_length=255, trim_whitespace=True)


class AddStudentInput(InputSerializer):
    studentId = StrictId(source="student_id")


class StartInput(ClassInput):
    """Any class can be started, even one with a name that is too short to make it here."""


class LowerCase(serializers.CharField):
    """A person's name, which this dialect shows in lower case."""

    def to_representation(self, value: Any) -> str:
        return str(value).lower()


class PersonOutput(OutputSerializer):
    """`{name, email}`."""

    name = LowerCase()
    email = ShownEmail()


class ListedOutput(OutputSerializer):
    """`{_id, name, email, role}`."""

    _id = Id(source="id")
    name = LowerCase()
    email = ShownEmail()
    role = serializers.ChoiceField(Role.choices)


class UserOutput(ListedOutput):
    """`{_id, name, email, role, createdAt, updatedAt}`."""

    createdAt = IsoTime(source="created_at")
    updatedAt = IsoTime(source="updated_at")


class ClassOutput(serializers.Serializer[Any]):
    """`{_id, className, teacherId, studentsIds, createdAt, updatedAt}`; the context has `student_ids`."""

    _id = Id(source="id")
    className = serializers.CharField(source="name")
    teacherId: Any = Id(source="teacher_id")
    studentsIds = serializers.SerializerMethodField()
    createdAt = IsoTime(source="created_at")
    updatedAt = IsoTime(source="updated_at")

    @extend_schema_field(serializers.ListField(child=Id()))
    def get_studentsIds(self, found: Any) -> Any:
        return self.context["student_ids"]


class ClassDetailOutput(ClassOutput):
    """The same shape with people, `{name, email}`, in the place of ids; the context has `students` as shown."""

    teacherId = PersonOutput(source="teacher")

    @extend_schema_field(PersonOutput(many=True))
    def get_studentsIds(self, found: Any) -> Any:
        return self.context["students"]


class ExistingClassRenderer(EnvelopeRenderer):
    """The envelope with the answer under `ExistingClass` instead of `data`."""

    def success(self, answer: Any) -> dict[str, Any]:
        return {"success": True, "ExistingClass": answer}
