"""The shapes of the account routes."""

from rest_framework import serializers

from core.identity import Role
from core.rest.serializers import InputSerializer, OutputSerializer, StrictChoice, StrictEmail, StrictString


class SignupInput(InputSerializer):
    name = StrictString(max_length=255)
    email = StrictEmail()
    password = StrictString(min_length=6)
    role = StrictChoice(Role.values)
    invitation = StrictString(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=255,
        help_text="The secret of an invitation, whose role then counts.",
    )


class ProofInput(InputSerializer):
    """The code of a mail."""

    code = StrictString(max_length=16)


class LoginInput(InputSerializer):
    email = StrictEmail()
    password = StrictString(allow_blank=True)


class UserOutput(OutputSerializer):
    """`{_id, name, email, role}`."""

    _id = serializers.CharField(source="id")
    name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.CharField()


class TokenOutput(OutputSerializer):
    """`{token}`."""

    token = serializers.CharField()


class MailedOutput(OutputSerializer):
    """`{email}`: where a mail has gone."""

    email = serializers.CharField()


class StudentOutput(OutputSerializer):
    """`{_id, name, email}`."""

    _id = serializers.CharField(source="id")
    name = serializers.CharField()
    email = serializers.CharField()
