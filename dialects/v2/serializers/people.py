"""Signing in, and people."""

from rest_framework import serializers

from core.identity import Role
from core.rest.serializers import (
    Id,
    InputSerializer,
    IsoTime,
    OutputSerializer,
    Said,
    ShownEmail,
    StrictEmail,
    StrictString,
)


class LoginInput(InputSerializer):
    login = StrictString(max_length=254, help_text="An e-mail address or a roll number.")
    password = StrictString(allow_blank=True)


class SignupInput(InputSerializer):
    name = Said(max_length=255, trim_whitespace=True)
    email = StrictEmail()
    password = StrictString(help_text="At least 8 characters, and none of the common ones.")
    role = serializers.ChoiceField(Role.choices)
    invitation = StrictString(
        required=False, allow_blank=True, allow_null=True, max_length=255, help_text="The secret of an invitation."
    )


class MeInput(InputSerializer):
    name = Said(max_length=255, trim_whitespace=True, required=False)


class MergeInput(InputSerializer):
    keep = StrictString(max_length=24, help_text="The account that stays.")
    other = StrictString(max_length=24, help_text="The account whose records move.")


class MergeOutput(OutputSerializer):
    """`{_id}`."""

    _id = Id(source="id")


class NewStudentInput(InputSerializer):
    """At least one of `email` and `rollNumber`. Without a `password` nobody can sign in with one yet."""

    name = Said(max_length=255, trim_whitespace=True)
    email = StrictEmail(required=False, allow_blank=True)
    rollNumber = StrictString(
        source="roll_number", max_length=64, trim_whitespace=True, required=False, allow_blank=True, allow_null=True
    )
    password = StrictString(
        required=False, allow_null=True, help_text="At least 8 characters, and none of the common ones."
    )


class StudentChangeInput(InputSerializer):
    """What is left out stays. `""` takes the e-mail or the roll number away; one of the two is to be left."""

    name = Said(max_length=255, trim_whitespace=True, required=False)
    email = StrictEmail(required=False, allow_blank=True)
    rollNumber = StrictString(
        source="roll_number", max_length=64, trim_whitespace=True, required=False, allow_blank=True
    )


class CardInput(InputSerializer):
    code = StrictString(max_length=512, help_text="The card's secret, or all that its QR code says.")


class CardOutput(OutputSerializer):
    """`{code, qr, url}`: a new card, which no other answer shows. `qr` is an SVG of the `url`."""

    code = serializers.CharField()
    qr = serializers.CharField()
    url = serializers.CharField()


class UserOutput(OutputSerializer):
    """`{_id, name, email, role, rollNumber, isOffice}`; `email` is `""` for somebody without one."""

    _id = Id(source="id")
    name = serializers.CharField()
    email = ShownEmail()
    role = serializers.ChoiceField(Role.choices)
    rollNumber = serializers.CharField(source="roll_number", allow_null=True)
    isOffice = serializers.BooleanField(source="is_superuser")


class TokenOutput(OutputSerializer):
    """`{token, expiresAt, user}`."""

    token = serializers.CharField()
    expiresAt = IsoTime(source="expires_at")
    user = UserOutput()


class WithheldOutput(OutputSerializer):
    """`{table, column, why}`: what is stored and not in the file."""

    table = serializers.CharField()
    column = serializers.CharField()
    why = serializers.CharField()


class OwnDataOutput(OutputSerializer):
    """`{madeAt, parts, withheld}`: each part has its name and its rows, such as `account`, `records` and `marks`."""

    madeAt = IsoTime(source="made_at")
    parts = serializers.DictField(child=serializers.ListField(child=serializers.DictField()))
    withheld = WithheldOutput(many=True)
