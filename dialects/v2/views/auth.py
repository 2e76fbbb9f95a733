"""Signing in and up, and passwords."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

import accounts.services
from accounts import credentials, passwords, tokens
from accounts.cards import card_sign_in
from accounts.devices import KnowsDevice
from accounts.selectors import user_get
from accounts.serializers import ForgotInput, MessageOutput, PasswordInput, ResetInput
from accounts.signup_policy import SIGNUP_REFUSALS
from core.errors import (
    EmailTaken,
    InvalidCard,
    InvalidCode,
    InvalidCredentials,
    InvalidInvitation,
    InvalidPassword,
    TooManyRequests,
    WeakPassword,
)
from core.languages import language_asked
from core.rest.permissions import Audience
from dialects.v2.base import V2View
from dialects.v2.serializers.people import CardInput, LoginInput, SignupInput, TokenOutput, UserOutput


def signed_in(token: str) -> dict[str, Any]:
    """What an answer shows of a new token."""
    claims = tokens.read(token)
    expires_at = datetime.fromtimestamp(claims.expires_at, UTC)
    return TokenOutput.show({"token": token, "expires_at": expires_at, "user": user_get(claims.user_id)})


class Login(KnowsDevice, V2View):
    """`POST /api/v2/auth/login`: a token for an e-mail or a roll number, and a password."""

    audience = Audience.ANYONE
    body = LoginInput
    answers: ClassVar = {200: TokenOutput}
    raises = (InvalidCredentials, TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        user = accounts.services.sign_in(address=self.address, device=self.device, **self.read())
        accounts.services.language_note(user_id=user.id, language=language_asked(self.request._request))
        return Response(signed_in(tokens.issue(user)))


class CardLogin(KnowsDevice, V2View):
    """`POST /api/v2/auth/card`: a token for a student's card."""

    audience = Audience.ANYONE
    body = CardInput
    answers: ClassVar = {200: TokenOutput}
    raises = (InvalidCard, TooManyRequests)

    def post(self, request: Request) -> Response:
        user = card_sign_in(address=self.address, device=self.device, **self.read())
        return Response(signed_in(tokens.issue(user)))


class Signup(V2View):
    """`POST /api/v2/auth/signup`: makes an account of a teacher or a student."""

    audience = Audience.ANYONE
    body = SignupInput
    answers: ClassVar = {201: UserOutput}
    raises = (*SIGNUP_REFUSALS, EmailTaken, InvalidInvitation, WeakPassword, TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        body = self.read()
        passwords.refuse_weak(body["password"])
        user = accounts.services.user_signup(address=self.address, **body)
        return Response(UserOutput.show(user), status=201)


class Forgot(V2View):
    """`POST /api/v2/auth/forgot`: mails a code for `reset`, if there is such an account; nobody is told whether."""

    audience = Audience.ANYONE
    body = ForgotInput
    answers: ClassVar = {200: MessageOutput}
    raises = (TooManyRequests,)
    slow = True

    def post(self, request: Request) -> Response:
        credentials.password_forgot(address=self.address, **self.read())
        return Response(MessageOutput.show({"message": "If there is such an account, a code was mailed to its owner"}))


class Reset(KnowsDevice, V2View):
    """`POST /api/v2/auth/reset`: another password, and a token, for whoever has the mailed code."""

    audience = Audience.ANYONE
    body = ResetInput
    answers: ClassVar = {200: TokenOutput}
    raises = (WeakPassword, InvalidCode, TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        token = credentials.password_reset(address=self.address, device=self.device, **self.read())
        return Response(signed_in(token))


class Password(KnowsDevice, V2View):
    """`POST /api/v2/auth/password`: another password, and a new token; those from before are good no more."""

    audience = Audience.SIGNED_IN
    body = PasswordInput
    answers: ClassVar = {200: TokenOutput}
    raises = (WeakPassword, InvalidPassword, TooManyRequests)
    slow = True
    keeps_answer = False  # it has a token

    def post(self, request: Request) -> Response:
        token = credentials.own_password_change(
            actor=self.actor, address=self.address, device=self.device, **self.read()
        )
        return Response(signed_in(token))
