"""The students of the school, as the office makes and changes them, and their printed cards."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.cards import card_void, cards_make
from accounts.selectors import student_get
from accounts.students import student_add, student_seen, student_update
from classes.cards import student_for_card
from core.errors import EmailTaken, OfficeOnly, RollNumberTaken, StudentNotFound, WeakPassword
from core.ids import parse_id
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from dialects.v2.base import V2View
from dialects.v2.serializers.classes import FoundOutput
from dialects.v2.serializers.people import CardOutput, NewStudentInput, StudentChangeInput


def tag(student: Any) -> str:
    """The `ETag` of what a PATCH changes."""
    return tag_of(student.id, *student_seen(student))


class SchoolStudentCreate(V2View):
    """`POST /api/v2/students`: a new student, with an e-mail or known by the roll number alone."""

    audience = Audience.SUPERUSER
    body = NewStudentInput
    answers: ClassVar = {201: FoundOutput}
    raises = (EmailTaken, RollNumberTaken, WeakPassword)
    slow = True

    def post(self, request: Request) -> Response:
        made = student_add(actor=self.actor, **self.read())
        return Response(FoundOutput.show(made), status=201, headers={"ETag": tag(made)})


class SchoolStudent(V2View):
    """`GET /api/v2/students/:id`: a student of the school."""

    audience = Audience.SUPERUSER
    answers: ClassVar = {200: FoundOutput, 304: None}
    raises = (StudentNotFound,)

    def get(self, request: Request, user_id: str) -> HttpResponseBase:
        found = student_get(parse_id(user_id))
        return self.tagged(lambda: Response(FoundOutput.show(found)), tag(found))


class SchoolStudentChange(V2View):
    """`PATCH /api/v2/students/:id`: another name, e-mail or roll number."""

    audience = Audience.SUPERUSER
    body = StudentChangeInput
    answers: ClassVar = {200: FoundOutput}
    raises = (StudentNotFound, EmailTaken, RollNumberTaken)

    def patch(self, request: Request, user_id: str) -> Response:
        body = self.read()
        found = student_get(parse_id(user_id))
        was_read = self.refuse_if_changed(tag(found))
        changed = student_update(student_id=found.id, seen=found if was_read else None, **body)
        return Response(FoundOutput.show(changed), headers={"ETag": tag(changed)})


class CardMake(V2View):
    """`POST /api/v2/students/:id/card`: a new card, shown this once; the one from before is void."""

    audience = Audience.TEACHER
    answers: ClassVar = {201: CardOutput}
    raises = (StudentNotFound, OfficeOnly)
    keeps_answer = False  # it has the card's secret

    def post(self, request: Request, user_id: str) -> Response:
        student = student_for_card(actor=self.actor, student_id=user_id)
        (made,) = cards_make(students=[student], actor=self.actor, site=request.build_absolute_uri("/"))
        return Response(CardOutput.show(made), status=201)


class CardVoid(V2View):
    """`DELETE /api/v2/students/:id/card`: neither the card is good any more nor what it has signed in."""

    audience = Audience.TEACHER
    answers: ClassVar = {204: None}
    raises = (StudentNotFound, OfficeOnly)

    def delete(self, request: Request, user_id: str) -> Response:
        card_void(student=student_for_card(actor=self.actor, student_id=user_id), actor=self.actor)
        return Response(status=204)
