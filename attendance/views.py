"""The attendance routes of the canonical contract."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from attendance import selectors, services
from attendance.serializers import MyAttendanceOutput, StartInput, StartOutput
from core import errors
from core.rest.permissions import Audience
from core.rest.views import ApiView


class AttendanceStart(ApiView):
    """`POST /attendance/start`: opens or resumes the class's session."""

    quick = True
    audience = Audience.TEACHER
    body = StartInput
    answers: ClassVar = {200: StartOutput}
    raises = (errors.ClassNotFound, errors.NotClassTeacher, errors.TooManyRequests)

    def post(self, request: Request) -> Response:
        session = services.session_start(actor=self.actor, **self.read())
        return Response(StartOutput.show(session))


class MyAttendance(ApiView):
    """`GET /class/:id/my-attendance`: the student's status in the class's last finished session."""

    quick = True
    audience = Audience.STUDENT
    answers: ClassVar = {200: MyAttendanceOutput}
    raises = (errors.ClassNotFound, errors.NotEnrolled)

    def get(self, request: Request, class_id: str) -> Response:
        found_id, status = selectors.status_in_last_session(actor=self.actor, class_id=class_id)
        answer = {"classId": found_id, "status": status and status.as_basic.value}
        return Response(MyAttendanceOutput.show(answer))
