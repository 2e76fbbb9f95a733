"""The account routes of the canonical contract, and those that it lacks: sign-out, and passwords of every account."""

from typing import ClassVar, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import credentials, proofs, services, tokens
from accounts.devices import KnowsDevice
from accounts.serializers import (
    ForgotInput,
    LoginInput,
    LogoutInput,
    MailedOutput,
    MessageOutput,
    PasswordInput,
    ProofInput,
    ResetInput,
    SignupInput,
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


class Logout(ApiView):
    """`POST /auth/logout`: the token is good no more, or no token that the person has, and their sockets close."""

    audience = Audience.SIGNED_IN
    body = LogoutInput
    answers: ClassVar = {200: MessageOutput}

    def post(self, request: Request) -> Response:
        if self.read()["everywhere"]:
            tokens.void_all(self.actor.id)
        else:
            tokens.void(cast(tokens.Claims, request.auth))
        return Response(MessageOutput.show({"message": "Signed out"}))


class Password(KnowsDevice, ApiView):
    """`POST /auth/password`: another password, and a new token; those from before are good no more."""

    audience = Audience.SIGNED_IN
    body = PasswordInput
    answers: ClassVar = {200: TokenOutput}
    raises = (errors.WeakPassword, errors.InvalidPassword, errors.TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        token = credentials.own_password_change(
            actor=self.actor, address=self.address, device=self.device, **self.read()
        )
        return Response(TokenOutput.show({"token": token}))


class Forgot(ApiView):
    """`POST /auth/forgot`: mails a code for `/auth/reset`, if there is such an account; nobody is told whether."""

    audience = Audience.ANYONE
    body = ForgotInput
    answers: ClassVar = {200: MessageOutput}
    raises = (errors.TooManyRequests,)
    slow = True

    def post(self, request: Request) -> Response:
        credentials.password_forgot(address=self.address, **self.read())
        return Response(MessageOutput.show({"message": "If there is such an account, a code was mailed to its owner"}))


class Reset(KnowsDevice, ApiView):
    """`POST /auth/reset`: another password and a token for whoever has the mailed code."""

    audience = Audience.ANYONE
    body = ResetInput
    answers: ClassVar = {200: TokenOutput}
    raises = (errors.WeakPassword, errors.InvalidCode, errors.TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        token = credentials.password_reset(address=self.address, device=self.device, **self.read())
        return Response(TokenOutput.show({"token": token}))


class Me(ApiView):
    """`GET /auth/me`: the person whom the token stands for."""

    quick = True
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
