"""The shapes of the account routes."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.passwords import weaknesses
from core.identity import Role
from core.rest.serializers import (
    Id,
    InputSerializer,
    OutputSerializer,
    ShownEmail,
    StrictChoice,
    StrictEmail,
    StrictFlag,
    StrictString,
)


class NewPassword(StrictString):
    """A new password of a published protocol, whose clients send 6 characters; stricter with PASSWORD_STRICT."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=6, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        password = super().to_internal_value(data)
        if settings.PASSWORD_STRICT and weaknesses(password):
            self.fail("invalid")
        return password


@extend_schema_field({"type": "string", "minLength": 8, "maxLength": settings.DATA_UPLOAD_MAX_MEMORY_SIZE})
class StrongPassword(StrictString):
    """A new password of the project's own routes. What else it must be, `accounts.passwords.weaknesses` says."""


class SignupInput(InputSerializer):
    name = StrictString(max_length=255)  # a name of blanks is one, by the contract
    email = StrictEmail()
    password = NewPassword()
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


class PasswordInput(InputSerializer):
    old = StrictString(allow_blank=True)
    new = StrongPassword()


class ForgotInput(InputSerializer):
    #: An e-mail or a roll number.
    login = StrictString(max_length=254)


class ResetInput(InputSerializer):
    login = StrictString(max_length=254)
    code = StrictString(max_length=16)
    password = StrongPassword()


class LogoutInput(InputSerializer):
    #: Whether every device is signed out.
    everywhere = StrictFlag(default=False)


class MessageOutput(OutputSerializer):
    """`{message}`."""

    message = serializers.CharField()


class UserOutput(OutputSerializer):
    """`{_id, name, email, role}`."""

    _id = Id(source="id")
    name = serializers.CharField()
    email = ShownEmail()
    role = serializers.ChoiceField(Role.choices)


class TokenOutput(OutputSerializer):
    """`{token}`."""

    token = serializers.CharField()


class MailedOutput(OutputSerializer):
    """`{email}`: where a mail has gone."""

    email = serializers.EmailField()


class StudentOutput(OutputSerializer):
    """`{_id, name, email}`."""

    _id = Id(source="id")
    name = serializers.CharField()
    email = ShownEmail()
