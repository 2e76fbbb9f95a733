"""The teachers of a class besides its owner."""

from typing import Any

from django.db import IntegrityError

from accounts.models import User
from accounts.selectors import account_find
from classes.models import Class, CoTeacher, announce_roster
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Role


def teachers_of(found: Class) -> list[dict[str, Any]]:
    """`{id, name, email, is_owner}` of the class's teachers, the owner first, then by name."""
    owner = User.objects.get(pk=found.teacher_id)
    rows = CoTeacher.objects.filter(class_ref=found).select_related("teacher").order_by("teacher__name_folded", "id")
    people = [(owner, True), *((row.teacher, False) for row in rows)]
    return [
        {"id": person.id, "name": person.name, "email": person.email, "is_owner": is_owner}
        for person, is_owner in people
    ]


def co_teacher_add(*, found: Class, email: str) -> User:
    """Makes the teacher with this e-mail a co-teacher of the class; nothing changes for one who teaches it already.

    Raises `TeacherNotFound`.
    """
    teacher = account_find(role=Role.TEACHER, email=email)
    if teacher is None:
        raise errors.TeacherNotFound
    if teacher.id != found.teacher_id and not CoTeacher.objects.filter(class_ref=found, teacher=teacher).exists():
        try:
            _add(found.id, teacher.id)
        except IntegrityError:
            if not CoTeacher.objects.filter(class_ref=found, teacher=teacher).exists():
                raise  # no other request has added them
    return teacher


@unit_of_work
def _add(class_id: str, teacher_id: str) -> None:
    CoTeacher.objects.create(class_ref_id=class_id, teacher_id=teacher_id)
    announce_roster(class_id)


@unit_of_work
def co_teacher_remove(*, class_id: str, teacher_id: str | None) -> None:
    """Takes a co-teacher from the class. Raises `TeacherNotFound` for anybody else, the owner too."""
    if teacher_id is None or not CoTeacher.objects.filter(class_ref_id=class_id, teacher_id=teacher_id).delete()[0]:
        raise errors.TeacherNotFound
    announce_roster(class_id)
