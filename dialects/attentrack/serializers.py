"""The bodies of AttenTrack's routes. Fields that are not named here are ignored."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.serializers import NewPassword
from core import strict_json
from core.rest.serializers import InputSerializer, Said, StrictEmail, StrictFlag, StrictString
from dialects.attentrack.times import read_day, read_instant


@extend_schema_field({"type": ["string", "integer"]})
class Text(Said):
    """A trimmed string. A whole number is taken as its digits: the app sends some fields as either."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        whole = isinstance(data, int) and not isinstance(data, bool)
        return super().to_internal_value(str(data) if whole else data)


@extend_schema_field({"type": ["string", "number"], "maxLength": 126})
class Json(serializers.Field[str, Any, str, Any]):
    """A string or a number, as JSON, to be handed on as it came."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, (str, int, float)) or isinstance(data, bool):
            raise serializers.ValidationError("no string and no number")
        text = strict_json.dumps(data)
        if len(text) > 128:
            raise serializers.ValidationError("too long")
        return text


_DATE = {
    "anyOf": [
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[A-Z][a-z]{2} [A-Z][a-z]{2} [0-9]{1,2} [0-9]{4}$"},
    ],
    "description": "An ISO date or time, or `Sat May 17 2025`.",
}


@extend_schema_field(_DATE)
class Instant(StrictString):
    def to_internal_value(self, data: Any) -> Any:
        try:
            return read_instant(super().to_internal_value(data))
        except (ValueError, OverflowError):
            raise serializers.ValidationError("no date") from None


@extend_schema_field(_DATE)
class Day(StrictString):
    def to_internal_value(self, data: Any) -> Any:
        try:
            return read_day(super().to_internal_value(data))
        except (ValueError, OverflowError):
            raise serializers.ValidationError("no date") from None


def roll_number() -> Text:
    return Text(max_length=64, source="roll_number")


class EmailInput(InputSerializer):
    email = StrictEmail()


class RollNumberInput(InputSerializer):
    rollNumber = roll_number()


class VerifyInput(InputSerializer):
    email = StrictEmail()
    password = NewPassword()
    otp = Text(max_length=16, source="code", allow_null=True)


class _PasswordInput(InputSerializer):
    password = StrictString(allow_blank=True)


class StudentLoginInput(_PasswordInput):
    rollNumber = roll_number()


class TeacherLoginInput(_PasswordInput):
    email = StrictEmail()


class _RecoverInput(InputSerializer):
    otp = Text(max_length=16, source="code", allow_null=True)
    verify = StrictFlag(source="keep_password")


class StudentRecoverInput(_RecoverInput):
    rollNumber = roll_number()


class TeacherRecoverInput(_RecoverInput):
    email = StrictEmail()


class _ChangeInput(InputSerializer):
    oldPassword = StrictString(source="old_password", allow_blank=True)
    newPassword = NewPassword(source="new_password")


class StudentChangeInput(_ChangeInput):
    rollNumber = roll_number()


class TeacherChangeInput(_ChangeInput):
    email = StrictEmail()


class StudentUpdateInput(InputSerializer):
    """A field that is left out stays as it is."""

    rollNumber = roll_number()
    branch = Text(max_length=128, required=False, allow_blank=True)
    semester = Text(max_length=64, required=False, allow_blank=True)
    enroll = Text(max_length=64, required=False, allow_blank=True)
    phone = Text(max_length=64, required=False, allow_blank=True)


class TeacherUpdateInput(InputSerializer):
    """A field that is left out stays as it is."""

    email = StrictEmail()
    eduQualification = Text(max_length=255, source="education", required=False, allow_blank=True)
    telephone = Text(max_length=64, required=False, allow_blank=True)
    interest = Text(max_length=255, required=False, allow_blank=True)


class OwnAttendanceInput(InputSerializer):
    class_id = StrictString()
    rollNumber = roll_number()


class RangeInput(InputSerializer):
    class_id = StrictString()
    startDate = Day(source="since")
    endDate = Day(source="until")


class RecordInput(InputSerializer):
    class_id = StrictString()
    date = Instant(source="instant")
    records = serializers.DictField(child=StrictFlag())


class FlipInput(InputSerializer):
    attendance_id = StrictString()
    datas = serializers.ListField(child=Text(max_length=64))


class SheetStudent(serializers.Serializer[Any]):
    email = StrictEmail()
    fullName = Text(max_length=255, source="name")
    rollNumber = roll_number()


class ClassInput(InputSerializer):
    classname = Said(max_length=255, trim_whitespace=True, source="name")
    batch = Text(max_length=64, required=False, allow_blank=True, default="")
    semester = Text(max_length=64, required=False, allow_blank=True, default="")
    department = Text(max_length=128, required=False, allow_blank=True, default="")
    teacherid = StrictString()
    students = SheetStudent(many=True)


class TeacherInput(InputSerializer):
    email = StrictEmail()
    fullName = Text(max_length=255, source="name")
    department = Text(max_length=128, required=False, allow_blank=True, default="")


class TeachersInput(InputSerializer):
    teachers = TeacherInput(many=True)


class SetAttendanceInput(InputSerializer):
    otp = Json(source="code", allow_null=True)
    time = Json(source="countdown", allow_null=True)
    id = StrictString(source="class_id")
