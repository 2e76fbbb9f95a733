"""`/api/student/*` and `/api/teacher/*` as far as they are alike: registration, login, password, profile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import registration, services, tokens
from accounts.codes import Issued
from accounts.selectors import account_find, account_get
from core import errors
from core.access import Audience
from core.fields import InputSerializer
from core.identity import Role
from dialects.attentrack import inputs, shapes
from dialects.attentrack.base import AttenTrackView


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between students and teachers."""

    role: Role
    audience: Audience
    #: What names one of them, as the services call it.
    key: str
    #: The status of answers that bring somebody in.
    welcome: int
    key_input: type[InputSerializer]
    login_input: type[InputSerializer]
    recover_input: type[InputSerializer]
    change_input: type[InputSerializer]
    update_input: type[InputSerializer]
    shape: Callable[[Any], dict[str, Any]]
    classes: Callable[[Any], dict[str, Any]]


STUDENT = Kind(
    Role.STUDENT,
    Audience.STUDENT,
    "roll_number",
    201,
    inputs.RollNumberInput,
    inputs.StudentLoginInput,
    inputs.StudentRecoverInput,
    inputs.StudentChangeInput,
    inputs.StudentUpdateInput,
    shapes.student,
    shapes.student_classes,
)
TEACHER = Kind(
    Role.TEACHER,
    Audience.TEACHER,
    "email",
    200,
    inputs.EmailInput,
    inputs.TeacherLoginInput,
    inputs.TeacherRecoverInput,
    inputs.TeacherChangeInput,
    inputs.TeacherUpdateInput,
    shapes.teacher,
    shapes.teacher_classes,
)


class PersonView(AttenTrackView):
    """A route that students and teachers both have; `kind` is the mount's."""

    kind: Kind = STUDENT

    def card(self, user_id: str) -> tuple[dict[str, Any], bool]:
        """The person as the app shows them, and whether their mailbox is known to be theirs."""
        user = account_get(role=self.kind.role, user_id=user_id)
        return self.kind.shape(user), user.email_verified_at is not None

    def named(self, body: dict[str, Any]) -> Any:
        """The account that the body names, if the one who asks may speak for it."""
        user = account_find(role=self.kind.role, **{self.kind.key: body[self.kind.key]})
        if user is None:
            raise errors.StudentNotFound if self.kind is STUDENT else errors.TeacherNotFound
        self.only(user.id)
        return user


class OwnView(PersonView):
    """One that needs the person's own token."""

    @property
    def audience(self) -> Audience:  # type: ignore[override]  # of the kind
        return self.kind.audience


def otp_token(request: Request) -> str:
    raw: str | None = request.META.get("HTTP_AUTHORIZATION")
    if not raw:
        raise errors.Unauthorized
    return raw


def _issued(issued: Issued) -> Response:
    answer: dict[str, Any] = {"otpToken": issued.token}
    if settings.ATTENTRACK_OPEN and settings.DEBUG:
        answer["tempOtp"] = issued.code
    return Response(answer)


class Register(PersonView):
    """`POST …/register`: mails a code to somebody whom a class sheet or a superuser has named."""

    audience = Audience.ANYONE
    statuses: ClassVar = {"already_registered": 406}

    def post(self, request: Request) -> Response:
        body = inputs.EmailInput.read(request.data)
        return _issued(registration.registration_begin(role=self.kind.role, address=self.address, **body))


class TeacherRegister(Register):
    statuses: ClassVar = {"already_registered": 403}


class VerifyOtp(PersonView):
    """`POST …/verify-otp`: the account's password, for who has the code."""

    audience = Audience.ANYONE
    statuses: ClassVar = {"already_registered": 400}

    def post(self, request: Request) -> Response:
        token = otp_token(request)
        body = inputs.VerifyInput.read(request.data)
        user = registration.registration_finish(
            role=self.kind.role,
            otp_token=token,
            allow_unverified=settings.ATTENTRACK_OPEN,
            address=self.address,
            **body,
        )
        card, verified = self.card(user.id)
        auth = {} if self.kind is STUDENT else {"auth": verified}
        return Response({**card, "token": tokens.issue(user), **auth}, status=self.kind.welcome)


class Login(PersonView):
    """`POST …/login`."""

    audience = Audience.ANYONE

    def post(self, request: Request) -> Response:
        body = self.kind.login_input.read(request.data)
        user, token = registration.sign_in(role=self.kind.role, address=self.address, **body)
        card, verified = self.card(user.id)
        return Response({**card, "token": token, "auth": verified}, status=self.kind.welcome)


class OtpGenerate(PersonView):
    """`POST …/otp-generate`: mails a code for `forgot`."""

    audience = Audience.ANYONE

    def post(self, request: Request) -> Response:
        body = self.kind.key_input.read(request.data)
        return _issued(registration.code_send(role=self.kind.role, address=self.address, **body))


class TokenLogin(OwnView):
    """`GET …/token-login`: who the token stands for."""

    opens = False

    def get(self, request: Request) -> Response:
        card, verified = self.card(self.actor.id)
        return Response({**card, "auth": verified}, status=self.kind.welcome)


class ClassesInfo(OwnView):
    """`GET …/classes-info/:id`: the person's classes."""

    def get(self, request: Request, user_id: str) -> Response:
        user = account_get(role=self.kind.role, user_id=user_id)
        self.only(user.id)
        return Response(self.kind.classes(user))


class Forgot(PersonView):
    """`POST …/forgot`: the code confirms the mailbox (`verify` true) or gives up the password."""

    audience = Audience.ANYONE

    def post(self, request: Request) -> Response:
        token = otp_token(request)
        body = self.kind.recover_input.read(request.data)
        if body["code"] is None:
            raise errors.InvalidCode
        registration.account_recover(role=self.kind.role, otp_token=token, address=self.address, **body)
        done = "Email verified" if body["keep_password"] else "Password reset, please register again"
        return Response({"message": done})


class Change(OwnView):
    """`POST …/change`: another password."""

    def post(self, request: Request) -> Response:
        body = self.kind.change_input.read(request.data)
        self.named(body)
        registration.password_change(role=self.kind.role, address=self.address, **body)
        return Response({"message": "Password changed"})


class Update(OwnView):
    """`PUT …/update`: the profile of somebody whose mailbox is known to be theirs."""

    def put(self, request: Request) -> Response:
        body = self.kind.update_input.read(request.data)
        user = self.named(body)
        if user.email_verified_at is None:
            raise errors.NotVerified
        body.pop(self.kind.key)
        services.profile_update(user=user, **body)
        return Response({"message": "Profile updated"})
