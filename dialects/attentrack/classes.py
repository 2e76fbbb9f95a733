"""The routes `/api/class/*` and `/api/superadmin/*`."""

from typing import ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import registration
from accounts.registration import Newcomer
from accounts.selectors import account_get
from attendance import services as attendance_services
from classes import services
from classes.privacy import as_seen_by
from classes.rosters.entries import entry_of
from classes.selectors import class_get_for_owner, students_shown
from core import errors
from core.identity import Role
from core.rest.lists import listed
from core.rest.permissions import Audience
from dialects.attentrack import serializers, shapes
from dialects.attentrack.base import AttenTrackView


class CreateClass(AttenTrackView):
    """`POST /api/class/create-class`: makes a class with its students, all or nothing."""

    audience = Audience.TEACHER
    body = serializers.ClassInput
    answers: ClassVar = {201: shapes.ClassMade}
    raises = (errors.TeacherNotFound, errors.ClassNameTaken, errors.RosterConflict, errors.TooManyRequests)

    def post(self, request: Request) -> Response:
        body = self.read()
        teacher_id = account_get(role=Role.TEACHER, user_id=body.pop("teacherid")).id
        self.only(teacher_id)
        entries = [entry_of(line=number, **student) for number, student in enumerate(body.pop("students"), start=1)]
        made = services.class_create_with_roster(
            teacher_id=teacher_id, entries=entries, unique_name=True, by_teacher=not self.is_open, **body
        )
        return Response(
            shapes.ClassMade(_id=made.id, **shapes.class_details(made), teacherid=teacher_id),
            status=201,
        )


class ClassList(AttenTrackView):
    """`GET /api/class/getList/:class_id`: answers the class and its roster."""

    audience = Audience.TEACHER
    failures: ClassVar = {"class_not_found": 404}
    answers: ClassVar = {200: shapes.ClassWithStudents}
    raises = (errors.ClassNotFound, errors.NotClassTeacher)

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found = class_get_for_owner(actor=self.teacher_of(class_id), class_id=class_id)
        details = shapes.class_details(found)
        return listed(
            request.accepted_renderer,
            as_seen_by(self.reader, students_shown(found.id)),
            shapes.listed_all,
            lambda shown: shapes.ClassWithStudents(**details, students=shown),
        )


class RemoveClass(AttenTrackView):
    """`DELETE /api/class/remove/:classId`: removes the class; its journal stays."""

    audience = Audience.TEACHER
    failures: ClassVar = {"class_not_found": 404}
    answers: ClassVar = {204: None}
    raises = (errors.ClassNotFound, errors.NotClassTeacher)

    def delete(self, request: Request, class_id: str) -> Response:
        attendance_services.class_remove(actor=self.teacher_of(class_id), class_id=class_id)
        return Response(status=204)


class AddTeacher(AttenTrackView):
    """`POST /api/superadmin/add-teacher`: adds a teacher, who may register from then on."""

    audience = Audience.SUPERUSER
    opens = False
    body = serializers.TeacherInput
    answers: ClassVar = {201: shapes.Message}
    raises = (errors.EmailTaken,)

    def post(self, request: Request) -> Response:
        registration.teacher_add(Newcomer(**self.read()), made_by=self.actor.id)
        return Response(shapes.Message(message="Teacher added"), status=201)


class AddTeachers(AttenTrackView):
    """`POST /api/superadmin/add-teachers`: adds several teachers and passes over those who have an account."""

    audience = Audience.SUPERUSER
    opens = False
    body = serializers.TeachersInput
    answers: ClassVar = {201: shapes.Message}

    def post(self, request: Request) -> Response:
        body = self.read()
        newcomers = [Newcomer(**teacher) for teacher in body["teachers"]]
        added = registration.teachers_add(newcomers, made_by=self.actor.id)
        return Response(shapes.Message(message=f"Teachers added: {added}"), status=201)
