"""The routes of `/api/v1`. Each reads a body of this dialect, calls the core once, and answers in this dialect."""

from itertools import chain
from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

import accounts.selectors
import accounts.services
import attendance.selectors
import attendance.services
import classes.selectors
import classes.services
from accounts.devices import KnowsDevice
from accounts.serializers import LoginInput, TokenOutput
from accounts.signup_policy import SIGNUP_REFUSALS
from attendance.serializers import MyAttendanceOutput
from classes.privacy import as_seen_by
from core.errors import (
    AddressNotProved,
    AlreadyEnrolled,
    ApiError,
    ClassNameTaken,
    ClassNotFound,
    EmailTaken,
    InvalidCredentials,
    InvalidInvitation,
    NotClassTeacher,
    NotEnrolled,
    StudentNotFound,
    TooManyRequests,
    UnknownEmail,
    UserNotFound,
)
from core.rest.lists import listed
from core.rest.permissions import Audience
from core.rest.views import ApiView
from dialects.v1.failures import CLASS_DETAIL, ME, SIGNING_IN, START, Failures, NoStudents, worded
from dialects.v1.serializers import (
    AddStudentInput,
    ClassDetailOutput,
    ClassOutput,
    CreateClassInput,
    ExistingClassRenderer,
    ListedOutput,
    PersonOutput,
    RegisterInput,
    StartInput,
    UserOutput,
)


class V1View(ApiView):
    """A route whose failures are in this dialect's words."""

    protocol = "v1"
    #: The failures that this route words in its own way.
    failures: ClassVar[Failures] = {}

    def worded(self, error: ApiError) -> tuple[int, Any]:
        return worded(error, self.failures)


class Register(V1View):
    """`POST /api/v1/auth/register`: makes an account for a teacher or a student."""

    audience = Audience.ANYONE
    failures = SIGNING_IN
    body = RegisterInput
    answers: ClassVar = {201: UserOutput}
    raises = (*SIGNUP_REFUSALS, EmailTaken, InvalidInvitation, TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        user = accounts.services.user_signup(address=self.address, **self.read())
        return Response(UserOutput.show(user), status=201)


class Login(KnowsDevice, V1View):
    """`POST /api/v1/auth/login`: answers a token for an e-mail and a password."""

    audience = Audience.ANYONE
    failures = SIGNING_IN
    body = LoginInput
    answers: ClassVar = {200: TokenOutput}
    raises = (UnknownEmail, InvalidCredentials, TooManyRequests)
    slow = True

    def post(self, request: Request) -> Response:
        token = accounts.services.user_login(address=self.address, device=self.device, **self.read())
        return Response(TokenOutput.show({"token": token}))


class Me(V1View):
    """`GET /api/v1/auth/me`: answers the person whom the token stands for."""

    audience = Audience.SIGNED_IN
    failures = ME
    answers: ClassVar = {200: UserOutput}
    raises = (UserNotFound,)

    def get(self, request: Request) -> Response:
        return Response(UserOutput.show(accounts.selectors.user_get(self.actor.id)))


class ClassCreate(V1View):
    """`POST /api/v1/class/create-class` and `/api/v1/class`: makes a class, if its teacher has none of that name."""

    audience = Audience.TEACHER
    body = CreateClassInput
    answers: ClassVar = {201: ClassOutput}
    raises = (ClassNameTaken, TooManyRequests)

    def post(self, request: Request) -> Response:
        made = classes.services.class_create(teacher=self.actor, unique_name=True, **self.read())
        return Response(ClassOutput(made, context={"student_ids": []}).data, status=201)


class ClassAddStudent(V1View):
    """`POST /api/v1/class/:id/add-student`: puts a student on the roster, if the student is not on it yet."""

    audience = Audience.TEACHER
    body = AddStudentInput
    answers: ClassVar = {201: ClassOutput}
    raises = (ClassNotFound, NotClassTeacher, StudentNotFound, AddressNotProved, AlreadyEnrolled)

    def get_renderers(self) -> list[BaseRenderer]:
        return [ExistingClassRenderer()] if self.request.method == "POST" else super().get_renderers()

    def post(self, request: Request, class_id: str) -> Response:
        found = classes.services.class_add_student(actor=self.actor, class_id=class_id, only_new=True, **self.read())
        student_ids = classes.selectors.student_ids(found.id)
        return Response(ClassOutput(found, context={"student_ids": student_ids}).data, status=201)


class Students(V1View):
    """`GET /api/v1/class/students`: answers the students whom the teacher may list."""

    audience = Audience.TEACHER
    shows_people = True
    answers: ClassVar = {200: list[ListedOutput]}
    raises = (NoStudents,)

    def get(self, request: Request) -> HttpResponseBase:
        students = classes.selectors.students_listed(self.actor)
        first = next(students, None)
        if first is None:
            raise NoStudents
        return listed(request.accepted_renderer, chain([first], students), ListedOutput.show_all)


class ClassDetail(V1View):
    """`GET /api/v1/class/:id`: answers a list of this one class with its people, to its teacher and its students."""

    audience = Audience.SIGNED_IN
    failures = CLASS_DETAIL
    answers: ClassVar = {200: list[ClassDetailOutput]}
    raises = (ClassNotFound, NotClassTeacher)

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found = classes.selectors.class_get_for_member(actor=self.actor, class_id=class_id)
        return listed(
            request.accepted_renderer,
            as_seen_by(self.actor, classes.selectors.students_shown(found.id)),
            PersonOutput.show_all,
            lambda shown: [ClassDetailOutput(found, context={"students": shown}).data],
        )


class MyAttendance(V1View):
    """`GET /api/v1/attendance/:id/my-attendance`: answers the student's status in the class, null until marked."""

    audience = Audience.STUDENT
    answers: ClassVar = {200: MyAttendanceOutput}
    raises = (ClassNotFound, NotEnrolled)

    def get(self, request: Request, class_id: str) -> Response:
        found_id, status = attendance.selectors.status_so_far(actor=self.actor, class_id=class_id)
        answer = {"classId": found_id, "status": status and status.as_basic.value}
        return Response(MyAttendanceOutput.show(answer))


class AttendanceStart(V1View):
    """`POST /api/v1/attendance/start`: opens or resumes a class's session, which `/ws` means from then on."""

    audience = Audience.TEACHER
    failures = START
    body = StartInput
    answers: ClassVar = {200: ClassOutput}
    raises = (ClassNotFound, NotClassTeacher, TooManyRequests)

    def post(self, request: Request) -> Response:
        found = classes.selectors.class_get_by_name(actor=self.actor, **self.read())
        attendance.services.session_start(actor=self.actor, class_id=found.id)
        return Response(ClassOutput(found, context={"student_ids": classes.selectors.student_ids(found.id)}).data)
