"""The class routes of the canonical contract."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers import StudentOutput
from classes import selectors, services
from classes.serializers import AddStudentInput, ClassDetailOutput, ClassInput, ClassOutput
from core import errors
from core.rest.lists import encode_in_pieces, sliced
from core.rest.permissions import Audience
from core.rest.rendered import RenderedVersions, tag_of
from core.rest.views import ApiView
from core.times import today

#: The rendered rosters of the classes that were asked for last. A roster of 1,000 is 90 KB and takes 10 ms to render.
_rosters = RenderedVersions(limit=32 * 1024 * 1024)


class ClassCreate(ApiView):
    """`POST /class`: makes a class of the teacher who asks."""

    audience = Audience.TEACHER
    body = ClassInput
    answers: ClassVar = {201: ClassOutput}
    raises = (errors.TooManyRequests,)

    def post(self, request: Request) -> Response:
        made = services.class_create(teacher=self.actor, **self.read())
        return Response(ClassOutput(made, context={"student_ids": []}).data, status=201)


class ClassDetail(ApiView):
    """`GET /class/:id`: the class and its students, for its teacher and its students."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: ClassDetailOutput, 304: None}
    raises = (errors.ClassNotFound, errors.NotClassTeacher)

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found = selectors.class_get_for_member(actor=self.actor, class_id=class_id)
        students = _rosters.get(
            f"{found.id} {today()}",
            found.roster_version,
            lambda: encode_in_pieces(map(StudentOutput.show_all, selectors.students_shown(found.id))),
        )
        tag = tag_of(found.id, found.name, found.teacher_id, students.digest)

        def within(shown: Any) -> Any:
            return ClassDetailOutput.show(
                {"id": found.id, "name": found.name, "teacher_id": found.teacher_id, "students": shown}
            )

        return self.tagged(lambda: sliced(request.accepted_renderer, students.json, within), tag)


class ClassAddStudent(ApiView):
    """`POST /class/:id/add-student`: puts a student on the roster."""

    audience = Audience.TEACHER
    body = AddStudentInput
    answers: ClassVar = {200: ClassOutput}
    raises = (errors.ClassNotFound, errors.NotClassTeacher, errors.StudentNotFound, errors.AddressNotProved)

    def post(self, request: Request, class_id: str) -> Response:
        found = services.class_add_student(actor=self.actor, class_id=class_id, **self.read())
        return Response(ClassOutput(found, context={"student_ids": selectors.student_ids(found.id)}).data)
