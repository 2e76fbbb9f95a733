"""The account routes of the canonical contract."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.devices import KnowsDevice
from accounts.serializers import LoginInput, SignupInput, StudentOutput, TokenOutput, UserOutput
from core import errors
from core.rest.permissions import Audience
from core.rest.views import ApiView


class Signup(ApiView):
    """`POST /auth/signup`: makes an account of a teacher or a student."""

    audience = Audience.ANYONE
    body = SignupInput
    answers: ClassVar = {201: UserOutput}
    raises = (errors.EmailTaken,)
    slow = True

    def post(self, request: Request) -> Response:
        user = services.user_signup(**self.read())
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


class Students(ApiView):
    """`GET /students`: every student, for teachers."""

    audience = Audience.TEACHER
    answers: ClassVar = {200: list[StudentOutput]}

    def get(self, request: Request) -> Response:
        return Response(StudentOutput.show_all(selectors.students_all()))
