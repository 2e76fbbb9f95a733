"""The routes of a lesson: `GET /`, `POST /setAttendance`, `GET /getAttendance`."""

from typing import ClassVar

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from core import errors
from core.rest.permissions import Audience
from dialects.attentrack import serializers, services, shapes
from dialects.attentrack.base import AttenTrackView
from dialects.attentrack.board import board


def _text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


class Root(AttenTrackView):
    """`GET /`: says that the server is up."""

    audience = Audience.ANYONE
    answers: ClassVar = {200: str}
    needs_database = False

    def get(self, request: Request) -> HttpResponse:
        return _text("Server is running...")


class SetAttendance(AttenTrackView):
    """`POST /setAttendance`: opens the class's live session, with the code that students must know."""

    audience = Audience.TEACHER
    body = serializers.SetAttendanceInput
    answers: ClassVar = {200: str}
    raises = (errors.ClassNotFound, errors.NotClassTeacher, errors.TooManyRequests)

    def post(self, request: Request) -> HttpResponse:
        body = self.read()
        services.check_in_open(
            actor=self.teacher_of(body["class_id"]),
            class_id=body["class_id"],
            code=body["code"] or "",
            countdown=body["countdown"] or "",
        )
        return _text("OTP and Final Time set")


class GetAttendance(AttenTrackView):
    """`GET /getAttendance`: answers the live session.

    Each student's app asks once a second, so the answer comes from memory.
    """

    quick = True
    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: shapes.CurrentAttendance}

    def get(self, request: Request) -> Response:
        current = board.current()
        # In the default mode the server checks the code, so a student must hear the code in class.
        session = current.session
        sees_code = self.is_open or (session is not None and session.teacher_id == self.actor.id)
        return Response(
            shapes.CurrentAttendance(
                currentOTP=current.code if sees_code else None,
                finalTime=current.countdown,
                currentId=session.class_id if session is not None else None,
            )
        )
