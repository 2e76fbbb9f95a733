"""Classes and their teachers."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

import attendance.services
import classes.services
from classes import teachers
from classes.access import Part, class_for_owner, class_for_teacher
from classes.selectors import classes_taught, roster_sizes
from core.errors import (
    ClassHasSessions,
    ClassNotFound,
    InvalidSchema,
    OwnerOnly,
    TeacherNotFound,
    TeachersOnly,
    TooManyRequests,
)
from core.ids import parse_id
from core.rest.permissions import Audience
from core.rest.rendered import tag_of
from dialects.v2.base import V2View
from dialects.v2.paging import FILTERS, Order, page_of
from dialects.v2.serializers.classes import ClassChangeInput, ClassInput, ClassOutput, TeacherInput, TeacherOutput

OF_A_CLASS = (ClassNotFound, TeachersOnly)


def shown(found: Any, part: Part, students: int) -> dict[str, Any]:
    """What an answer shows of a class."""
    return ClassOutput.show(
        {
            "id": found.id,
            "name": found.name,
            "archived": found.archived_at is not None,
            "teacher_id": found.teacher_id,
            "students": students,
            "part": part.value,
            "created_at": found.created_at,
        }
    )


def tag(found: Any) -> str:
    """The `ETag` of what a PATCH changes of a class."""
    return tag_of(found.id, found.name, str(found.archived_at))


class ClassList(V2View):
    """`GET /api/v2/classes`: the classes that who asks teaches; for the office all classes of the school."""

    audience = Audience.TEACHER
    filters: ClassVar = {**FILTERS, "archived": (bool, "true: the archived ones; else the others.")}
    answers: ClassVar = {200: page_of(ClassOutput)}

    def get(self, request: Request) -> Response:
        archived = request.query_params.get("archived", "false")
        if archived not in ("true", "false"):
            raise InvalidSchema({"archived": [gettext("true or false.")]})
        rows = classes_taught(actor=self.actor, archived=archived == "true")

        def show(found: Sequence[Any]) -> list[dict[str, Any]]:
            sizes = roster_sizes([one.id for one in found])
            return [shown(one, self._part(one), sizes[one.id]) for one in found]

        return self.page(rows, show, Order("name_folded"))

    def _part(self, found: Any) -> Part:
        if found.teacher_id == self.actor.id:
            return Part.OWNER
        return Part.OFFICE if self.actor.is_superuser else Part.CO_TEACHER


class ClassCreate(V2View):
    """`POST /api/v2/classes`: makes a class of the teacher who asks."""

    audience = Audience.TEACHER
    body = ClassInput
    answers: ClassVar = {201: ClassOutput}
    raises = (TooManyRequests,)

    def post(self, request: Request) -> Response:
        made = classes.services.class_create(teacher=self.actor, **self.read())
        return Response(shown(made, Part.OWNER, 0), status=201, headers={"ETag": tag(made)})


class ClassDetail(V2View):
    """`GET /api/v2/classes/:id`: the class, for its teachers."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: ClassOutput}
    raises = OF_A_CLASS

    def get(self, request: Request, class_id: str) -> Response:
        found, part = class_for_teacher(actor=self.actor, class_id=class_id)
        students = roster_sizes([found.id])[found.id]
        answer = Response(shown(found, part, students))
        answer["ETag"] = tag(found)
        return answer


class ClassChange(V2View):
    """`PATCH /api/v2/classes/:id`: another name, into the archive, or back."""

    audience = Audience.SIGNED_IN
    body = ClassChangeInput
    answers: ClassVar = {200: ClassOutput}
    raises = OF_A_CLASS

    def patch(self, request: Request, class_id: str) -> Response:
        found, part = class_for_teacher(actor=self.actor, class_id=class_id)
        was_read = self.refuse_if_changed(tag(found))
        body = self.read()
        changed = classes.services.class_update(
            class_id=found.id,
            name=body.get("name"),
            is_archived=body.get("archived"),
            seen=found if was_read else None,
        )
        students = roster_sizes([found.id])[found.id]
        return Response(shown(changed, part, students), headers={"ETag": tag(changed)})


class ClassDelete(V2View):
    """`DELETE /api/v2/classes/:id`: removes a class that never had a session."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {204: None}
    raises = (*OF_A_CLASS, OwnerOnly, ClassHasSessions)

    def delete(self, request: Request, class_id: str) -> Response:
        found = class_for_owner(actor=self.actor, class_id=class_id)
        attendance.services.class_delete(class_id=found.id)
        return Response(status=204)


class TeacherList(V2View):
    """`GET /api/v2/classes/:id/teachers`: the owner, then the co-teachers."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {200: page_of(TeacherOutput)}
    raises = OF_A_CLASS

    def get(self, request: Request, class_id: str) -> Response:
        found, _ = class_for_teacher(actor=self.actor, class_id=class_id)
        return Response({"items": TeacherOutput.show_all(teachers.teachers_of(found)), "next": None})


class TeacherAdd(V2View):
    """`POST /api/v2/classes/:id/teachers`: makes a teacher a co-teacher of the class."""

    audience = Audience.SIGNED_IN
    body = TeacherInput
    answers: ClassVar = {201: TeacherOutput}
    raises = (*OF_A_CLASS, OwnerOnly, TeacherNotFound)

    def post(self, request: Request, class_id: str) -> Response:
        found = class_for_owner(actor=self.actor, class_id=class_id)
        teacher = teachers.co_teacher_add(found=found, **self.read())
        source = {
            "id": teacher.id,
            "name": teacher.name,
            "email": teacher.email,
            "is_owner": teacher.id == found.teacher_id,
        }
        return Response(TeacherOutput.show(source), status=201)


class TeacherRemove(V2View):
    """`DELETE /api/v2/classes/:id/teachers/:userId`: takes a co-teacher from the class."""

    audience = Audience.SIGNED_IN
    answers: ClassVar = {204: None}
    raises = (*OF_A_CLASS, OwnerOnly, TeacherNotFound)

    def delete(self, request: Request, class_id: str, user_id: str) -> Response:
        found = class_for_owner(actor=self.actor, class_id=class_id)
        teachers.co_teacher_remove(class_id=found.id, teacher_id=parse_id(user_id))
        return Response(status=204)
