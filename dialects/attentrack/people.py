"""The routes that `/api/student/*` and `/api/teacher/*` share: registration, login, password, profile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import registration, services, tokens
from accounts.codes import Issued
from accounts.devices import KnowsDevice
from accounts.selectors import account_find, account_get
from core import errors
from core.identity import Role
from core.rest.permissions import Audience
from core.rest.serializers import InputSerializer
from dialects.attentrack import serializers, shapes
from dialects.attentrack.base import AttenTrackView


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What differs between the routes of students and those of teachers."""

    role: Role
    #: Who may use the routes that need the person's own token.
    audience: Audience
    #: The argument by which services and selectors find a person of this kind.
    key: str
    #: The status of an answer that lets a person in.
    welcome: int
    key_input: type[InputSerializer]
    login_input: type[InputSerializer]
    recover_input: type[InputSerializer]
    change_input: type[InputSerializer]
    update_input: type[InputSerializer]
    #: Makes the answer that shows a person, of the person's account.
    shape: Callable[[Any], Any]
    #: Makes the answer that shows a person's classes, of the person's account.
    classes: Callable[[Any], Any]
    #: The shape of the answer to a person who has just registered.
    registered: type
    #: The shape of the answer to a person whose token was good.
    known: type
    #: The shape of the answer to a person who has just logged in.
    signed_in: type
    #: The shape of the answer that shows a person's classes.
    own_classes: type
    #: Raised where no account has the e-mail or the roll number that was sent.
    unknown: type[errors.ApiError]


STUDENT = Kind(
    role=Role.STUDENT,
    audience=Audience.STUDENT,
    key="roll_number",
    welcome=201,
    key_input=serializers.RollNumberInput,
    login_input=serializers.StudentLoginInput,
    recover_input=serializers.StudentRecoverInput,
    change_input=serializers.StudentChangeInput,
    update_input=serializers.StudentUpdateInput,
    shape=shapes.student,
    classes=shapes.student_classes,
    registered=shapes.StudentRegistered,
    known=shapes.StudentKnown,
    signed_in=shapes.StudentSignedIn,
    own_classes=shapes.StudentClasses,
    unknown=errors.StudentNotFound,
)
TEACHER = Kind(
    role=Role.TEACHER,
    audience=Audience.TEACHER,
    key="email",
    welcome=200,
    key_input=serializers.EmailInput,
    login_input=serializers.TeacherLoginInput,
    recover_input=serializers.TeacherRecoverInput,
    change_input=serializers.TeacherChangeInput,
    update_input=serializers.TeacherUpdateInput,
    shape=shapes.teacher,
    classes=shapes.teacher_classes,
    registered=shapes.TeacherSignedIn,
    known=shapes.TeacherKnown,
    signed_in=shapes.TeacherSignedIn,
    own_classes=shapes.TeacherClasses,
    unknown=errors.TeacherNotFound,
)


class PersonView(KnowsDevice, AttenTrackView):
    """A route that students and teachers both have; `routes_of` gives it its `kind`."""

    kind: Kind = STUDENT

    def card(self, user_id: str) -> tuple[dict[str, Any], bool]:
        """The answer that shows a person, and whether the person has confirmed their mailbox."""
        user = account_get(role=self.kind.role, user_id=user_id)
        return self.kind.shape(user), not user.awaits_proof

    def named(self, body: dict[str, Any]) -> Any:
        """The account that the body names. Raises `kind.unknown`, and `Forbidden` if the account is somebody else's."""
        user = account_find(role=self.kind.role, **{self.kind.key: body[self.kind.key]})
        if user is None:
            raise self.kind.unknown
        self.only(user.id)
        return user


class OwnView(PersonView):
    """A route that needs the person's own token; `routes_of` gives it the audience of its kind."""

    audience = Audience.STUDENT


def otp_token(request: Request) -> str:
    """The token that came with the code. Raises `Unauthorized` if the request has none."""
    raw: str | None = request.META.get("HTTP_AUTHORIZATION")
    if not raw:
        raise errors.Unauthorized
    return raw


def _issued(issued: Issued) -> Response:
    answer: shapes.OtpToken = {"otpToken": issued.token}
    if settings.ATTENTRACK_OPEN and settings.DEBUG:
        answer["tempOtp"] = issued.code
    return Response(answer)


class Register(PersonView):
    """`POST …/register`: mails a code to a person whom a class sheet or a superuser has named."""

    audience = Audience.ANYONE
    slow = True
    failures: ClassVar = {"already_registered": 406}

    def post(self, request: Request) -> Response:
        return _issued(registration.registration_begin(role=self.kind.role, address=self.address, **self.read()))


class TeacherRegister(Register):
    failures: ClassVar = {"already_registered": 403}


class VerifyOtp(PersonView):
    """`POST …/verify-otp`: sets the account's password for the person who has the code."""

    audience = Audience.ANYONE
    slow = True
    credential = "otpToken"
    failures: ClassVar = {"already_registered": 400}

    def post(self, request: Request) -> Response:
        token = otp_token(request)
        body = self.read()
        user = registration.registration_finish(
            role=self.kind.role,
            otp_token=token,
            allow_unverified=settings.ATTENTRACK_OPEN,
            address=self.address,
            **body,
        )
        self.device.remember(user.id)
        card, verified = self.card(user.id)
        auth = {} if self.kind is STUDENT else {"auth": verified}
        return Response({**card, "token": tokens.issue(user), **auth}, status=self.kind.welcome)


class Login(PersonView):
    """`POST …/login`: answers the person and a token."""

    audience = Audience.ANYONE
    slow = True

    def post(self, request: Request) -> Response:
        user, token = registration.sign_in(role=self.kind.role, address=self.address, device=self.device, **self.read())
        card, verified = self.card(user.id)
        return Response({**card, "token": token, "auth": verified}, status=self.kind.welcome)


class OtpGenerate(PersonView):
    """`POST …/otp-generate`: mails the code that `forgot` takes."""

    audience = Audience.ANYONE
    slow = True

    def post(self, request: Request) -> Response:
        return _issued(registration.code_send(role=self.kind.role, address=self.address, **self.read()))


class TokenLogin(OwnView):
    """`GET …/token-login`: answers the person whom the token stands for."""

    opens = False

    def get(self, request: Request) -> Response:
        card, verified = self.card(self.actor.id)
        return Response({**card, "auth": verified}, status=self.kind.welcome)


class ClassesInfo(OwnView):
    """`GET …/classes-info/:id`: answers the person's classes."""

    def get(self, request: Request, user_id: str) -> Response:
        user = account_get(role=self.kind.role, user_id=user_id)
        self.only(user.id)
        return Response(self.kind.classes(user))


class Forgot(PersonView):
    """`POST …/forgot`: with the code, confirms the mailbox (`verify` true) or gives up the password."""

    audience = Audience.ANYONE
    credential = "otpToken"

    def post(self, request: Request) -> Response:
        token = otp_token(request)
        body = self.read()
        if body["code"] is None:
            raise errors.InvalidCode
        registration.account_recover(role=self.kind.role, otp_token=token, address=self.address, **body)
        done = "Email verified" if body["keep_password"] else "Password reset, please register again"
        return Response(shapes.Message(message=done))


class Change(OwnView):
    """`POST …/change`: changes the password."""

    slow = True

    def post(self, request: Request) -> Response:
        body = self.read()
        self.named(body)
        registration.password_change(role=self.kind.role, address=self.address, device=self.device, **body)
        return Response(shapes.Message(message="Password changed"))


class Update(OwnView):
    """`PUT …/update`: changes the profile of a person who has no mailbox left to confirm."""

    def put(self, request: Request) -> Response:
        body = self.read()
        user = self.named(body)
        if user.awaits_proof:
            raise errors.NotVerified
        body.pop(self.kind.key)
        services.profile_update(user=user, **body)
        return Response(shapes.Message(message="Profile updated"))


def routes_of(kind: Kind) -> dict[str, tuple[type[PersonView], dict[str, Any]]]:
    """By the end of the path: the view, and what it takes, answers and raises on the routes of this kind."""
    message: dict[int, Any] = {200: shapes.Message}
    otp_token: dict[int, Any] = {200: shapes.OtpToken}
    with_password = (kind.unknown, errors.NotRegistered, errors.InvalidPassword, errors.TooManyRequests)
    with_code = (errors.Unauthorized, errors.InvalidCode, errors.TooManyRequests)
    views: dict[str, tuple[type[PersonView], dict[str, Any]]] = {
        "register": (
            Register if kind is STUDENT else TeacherRegister,
            {
                "body": serializers.EmailInput,
                "answers": otp_token,
                "raises": (kind.unknown, errors.AlreadyRegistered, errors.TooManyRequests),
            },
        ),
        "verify-otp": (
            VerifyOtp,
            {
                "body": serializers.VerifyInput,
                "answers": {kind.welcome: kind.registered},
                "raises": (*with_code, errors.AlreadyRegistered),
            },
        ),
        "login": (
            Login,
            {"body": kind.login_input, "answers": {kind.welcome: kind.signed_in}, "raises": with_password},
        ),
        "otp-generate": (
            OtpGenerate,
            {
                "body": kind.key_input,
                "answers": otp_token,
                "raises": (kind.unknown, errors.NoAddress, errors.TooManyRequests),
            },
        ),
        "token-login": (TokenLogin, {"answers": {kind.welcome: kind.known}, "raises": (kind.unknown,)}),
        "classes-info/<user_id>": (ClassesInfo, {"answers": {200: kind.own_classes}, "raises": (kind.unknown,)}),
        "forgot": (Forgot, {"body": kind.recover_input, "answers": message, "raises": with_code}),
        "change": (Change, {"body": kind.change_input, "answers": message, "raises": with_password}),
        "update": (
            Update,
            {"body": kind.update_input, "answers": message, "raises": (kind.unknown, errors.NotVerified)},
        ),
    }
    return {
        tail: (view, {**options, "kind": kind, **({"audience": kind.audience} if issubclass(view, OwnView) else {})})
        for tail, (view, options) in views.items()
    }
