"""The students of a class, with the days of their enrolment."""

from typing import Any, ClassVar

from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import students_found
from attendance.merging import merge_undo, students_merge
from attendance.services import enrolment_end
from classes import students
from classes.access import class_for_teacher
from core.characters import without_invisible
from core.emails import LONGEST
from core.errors import (
    AddressNotProved,
    AlreadyEnrolled,
    AlreadyMerged,
    InvalidSchema,
    MergedAgain,
    MergeNotFound,
    StudentInSession,
    StudentNotFound,
)
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from dialects.v2.base import V2View
from dialects.v2.paging import FILTERS, Order, page_of
from dialects.v2.serializers.classes import DaysInput, FoundOutput, StudentInput, StudentOutput
from dialects.v2.serializers.people import MergeInput, MergeOutput
from dialects.v2.views.classes import OF_A_CLASS


def tag(enrolment: Any) -> str:
    """The `ETag` of the days of an enrolment."""
    return tag_of(enrolment.id, str(enrolment.since), str(enrolment.until))


class StudentList(V2View):
    """`GET /api/v2/classes/:id/students`: who is enrolled, or is to be; or who has left."""

    audience = Audience.SIGNED_IN
    filters: ClassVar = {**FILTERS, "ended": (bool, "true: whose enrolment has ended; else the others.")}
    answers: ClassVar = {200: page_of(StudentOutput)}
    raises = OF_A_CLASS

    def get(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        ended = request.query_params.get("ended", "false")
        if ended not in ("true", "false"):
            raise InvalidSchema({"ended": [gettext("true or false.")]})
        rows = students.enrolments_listed(found.id, ended=ended == "true")
        return self.page(rows, StudentOutput.show_all, Order("student__name_folded"))


class StudentAdd(V2View):
    """`POST /api/v2/classes/:id/students`: enrols a student, from today if the body says no day."""

    audience = Audience.SIGNED_IN
    body = StudentInput
    answers: ClassVar = {201: StudentOutput}
    raises = (*OF_A_CLASS, StudentNotFound, AlreadyEnrolled, AddressNotProved)

    def post(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        body = self.read()
        days = {name: body.pop(name, None) for name in ("since", "until")}
        added = students.enrolment_add(
            class_id=found.id, student=students.student_find(**body), by_id=self.actor.id, **days
        )
        return Response(StudentOutput.show(added), status=201, headers={"ETag": tag(added)})


class StudentSearch(V2View):
    """`GET /api/v2/students/search`: students by exact e-mail or roll number; for the office by part of a name, too."""

    audience = Audience.TEACHER
    shows_people = True
    query: ClassVar = {"q": "An e-mail address or a roll number; for the office also a part of a name."}
    filters = FILTERS
    answers: ClassVar = {200: page_of(FoundOutput)}

    def get(self, request: Request) -> Response:
        text = without_invisible(request.query_params.get("q", "")).strip()
        if not 1 <= len(text) <= LONGEST or "\0" in text:
            raise InvalidSchema({"q": [gettext("1 to %d characters.") % LONGEST]})
        return self.page(students_found(actor=self.actor, text=text), FoundOutput.show_all, Order("name_folded"))


class StudentDetail(V2View):
    """`GET /api/v2/classes/:id/students/:userId`: a student's enrolment, also one that has ended."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: StudentOutput, 304: None}
    raises = (*OF_A_CLASS, StudentNotFound)

    def get(self, request: Request, class_id: str, user_id: str) -> HttpResponseBase:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        enrolment = students.enrolment_get(class_id=found.id, student_id=user_id)
        return self.tagged(lambda: Response(StudentOutput.show(enrolment)), tag(enrolment))


class StudentChange(V2View):
    """`PATCH /api/v2/classes/:id/students/:userId`: other days."""

    audience = Audience.SIGNED_IN
    body = DaysInput
    answers: ClassVar = {200: StudentOutput}
    raises = (*OF_A_CLASS, StudentNotFound)

    def patch(self, request: Request, class_id: str, user_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        enrolment = students.enrolment_get(class_id=found.id, student_id=user_id)
        was_read = self.refuse_if_changed(tag(enrolment))
        body = self.read()
        changed = students.enrolment_update(
            seen=enrolment,
            since=body.get("since", enrolment.since),
            until=body.get("until", enrolment.until),
            only_seen=was_read,
        )
        return Response(StudentOutput.show(changed), headers={"ETag": tag(changed)})


class StudentRemove(V2View):
    """`DELETE /api/v2/classes/:id/students/:userId`: the enrolment ends now; what is recorded stays."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {204: None}
    raises = (*OF_A_CLASS, StudentNotFound)

    def delete(self, request: Request, class_id: str, user_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        enrolment_end(enrolment=students.enrolment_get(class_id=found.id, student_id=user_id))
        return Response(status=204)


class StudentMerge(V2View):
    """`POST /api/v2/students/merge`: two accounts of one student become one, for the office."""

    audience = Audience.SUPERUSER
    heavy = True
    body = MergeInput
    answers: ClassVar = {201: MergeOutput}
    raises = (StudentNotFound, AlreadyMerged, StudentInSession)

    def post(self, request: Request) -> Response:
        body = self.read()
        merge = students_merge(by_id=self.actor.id, keep_id=body["keep"], other_id=body["other"])
        return Response(MergeOutput.show(merge), status=201)


class MergeUndo(V2View):
    """`DELETE /api/v2/students/merges/:id`: both accounts have again what they had, within 30 days."""

    audience = Audience.SUPERUSER
    heavy = True
    answers: ClassVar = {204: None}
    raises = (MergeNotFound, MergedAgain, StudentInSession)

    def delete(self, request: Request, merge_id: str) -> Response:
        merge_undo(by_id=self.actor.id, merge_id=merge_id)
        return Response(status=204)
