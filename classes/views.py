"""The class routes of the canonical contract."""

from typing import Any, ClassVar

import msgspec
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.serializers import StudentOutput
from classes import selectors, services
from classes.privacy import as_seen_by, emails_hidden_from
from classes.serializers import AddStudentInput, ClassDetailOutput, ClassInput, ClassOutput
from core import errors
from core.identity import Actor
from core.rest.lists import encode_in_pieces, listed, sliced
from core.rest.permissions import Audience
from core.rest.rendered import RenderedVersions, encode, tag_of
from core.rest.views import ApiView
from core.times import today

#: The rendered rosters of the classes that were asked for last. A roster of 1,000 is 90 KB and takes 10 ms to render.
_rosters = RenderedVersions(limit=32 * 1024 * 1024)


_NO_EMAIL = b'"email":""'


class Students(ApiView):
    """`GET /students`: every student, for teachers; with any SIGNUP but `open` those of the teacher's classes."""

    audience = Audience.TEACHER
    shows_people = True
    answers: ClassVar = {200: list[StudentOutput]}

    def get(self, request: Request) -> HttpResponseBase:
        return listed(request.accepted_renderer, selectors.students_listed(self.actor), StudentOutput.show_all)


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

    quick = True
    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: ClassDetailOutput, 304: None}
    raises = (errors.ClassNotFound, errors.NotClassTeacher)

    def get(self, request: Request, class_id: str) -> HttpResponseBase:
        found = selectors.class_seen_by_member(actor=self.actor, class_id=class_id)
        hidden = emails_hidden_from(self.actor)
        # Where e-mails are hidden, all students share a roster that is rendered for nobody in particular.
        seen = as_seen_by(None if hidden else self.actor, selectors.students_shown(found.id))
        students = _rosters.get(
            f"{found.id} {today()} {hidden}",
            found.roster_version,
            lambda: encode_in_pieces(map(StudentOutput.show_all, seen)),
        )
        tag = tag_of(found.id, found.name, found.teacher_id, students.digest, self.actor.email if hidden else "")
        json = _with_own_email(students.json, self.actor) if hidden else students.json

        def within(shown: Any) -> Any:
            return ClassDetailOutput.show(
                {"id": found.id, "name": found.name, "teacher_id": found.teacher_id, "students": shown}
            )

        return self.tagged(lambda: sliced(request.accepted_renderer, json, within), tag)


def _with_own_email(roster: msgspec.Raw, reader: Actor) -> msgspec.Raw:
    """A rendered roster without e-mails, with the reader's own put in, so that it is rendered once for all readers."""
    text = bytes(roster)
    at = text.find(b'{"_id":"%b"' % reader.id.encode())
    at = text.find(_NO_EMAIL, at) if at >= 0 else -1  # a name cannot have these bytes: its quotes are escaped
    if at < 0:
        return roster
    return msgspec.Raw(text[:at] + b'"email":' + encode(reader.email) + text[at + len(_NO_EMAIL) :])


class ClassAddStudent(ApiView):
    """`POST /class/:id/add-student`: puts a student on the roster."""

    audience = Audience.TEACHER
    body = AddStudentInput
    answers: ClassVar = {200: ClassOutput}
    raises = (errors.ClassNotFound, errors.NotClassTeacher, errors.StudentNotFound, errors.AddressNotProved)

    def post(self, request: Request, class_id: str) -> Response:
        found = services.class_add_student(actor=self.actor, class_id=class_id, **self.read())
        return Response(ClassOutput(found, context={"student_ids": selectors.student_ids(found.id)}).data)
