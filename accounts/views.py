"""The account routes of the canonical contract."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import proofs, selectors, services
from accounts.devices import KnowsDevice
from accounts.serializers import (
    LoginInput,
    MailedOutput,
    ProofInput,
    SignupInput,
    StudentOutput,
    TokenOutput,
    UserOutput,
)
from accounts.signup_policy import SIGNUP_REFUSALS
from core import errors
from core.rest.permissions import Audience
from core.rest.views import ApiView


class Signup(ApiView):
    """`POST /auth/signup`: makes an account of a teacher or a student."""

    audience = Audience.ANYONE
    body = SignupInput
    answers: ClassVar = {201: UserOutput}
    raises = (*SIGNUP_REFUSALS, errors.EmailTaken, errors.InvalidInvitation, errors.TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        user = services.user_signup(address=self.address, **self.read())
        return Response(UserOutput.show(user), status=201)


class Login(KnowsDevice, ApiView):
    """`POST /auth/login`: a token for an e-mail and a password."""

    audience = Audience.ANYONE
    body = LoginInput
    answers: ClassVar = {200: TokenOutput}
    raises = (errors.InvalidCredentials, errors.UnknownEmail, errors.TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        token = services.user_login(address=self.address, device=self.device, **self.read())
        return Response(TokenOutput.show({"token": token}))


class Me(ApiView):
    """`GET /auth/me`: the person whom the token stands for."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: UserOutput}

    def get(self, request: Request) -> Response:
        return Response(UserOutput.show(self.actor))


class ProofBegin(ApiView):
    """`POST /auth/confirm-email/code`: mails a code to who asks, to show that the mailbox is theirs."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: MailedOutput}
    raises = (errors.AlreadyProved, errors.TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        proofs.proof_begin(user_id=self.actor.id, address=self.address)
        return Response(MailedOutput.show({"email": self.actor.email}))


class ProofFinish(ApiView):
    """`POST /auth/confirm-email`: shows by the mailed code that the mailbox is theirs."""

    audience = Audience.SIGNED_IN
    body = ProofInput
    answers: ClassVar = {200: UserOutput}
    raises = (errors.InvalidCode, errors.TooManyRequests)

    def post(self, request: Request) -> Response:
        user = proofs.proof_finish(user_id=self.actor.id, address=self.address, **self.read())
        return Response(UserOutput.show(user))


class Students(ApiView):
    """`GET /students`: every student, for teachers."""

    audience = Audience.TEACHER
    answers: ClassVar = {200: list[StudentOutput]}

    def get(self, request: Request) -> Response:
        return Response(StudentOutput.show_all(selectors.students_all()))
