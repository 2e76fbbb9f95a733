"""What somebody is to a class, and what follows from it for those who ask by the class's id.

A class is unknown to everybody who has no part in it. Who has a part may see the class, and is told so when what they
ask for is somebody else's. The published protocols have rules of their own (`classes.selectors`).
"""

from enum import Enum

from django.db.models import Q, QuerySet

from classes.models import Class, CoTeacher, Enrolment
from classes.selectors import class_get, is_enrolled, was_enrolled
from core import errors
from core.database.prepared import Prepared
from core.identity import Actor, Role


class Part(Enum):
    """What an actor is to a class."""

    OWNER = "owner"
    CO_TEACHER = "co-teacher"
    #: A superuser: may do what the owner may, in every class.
    OFFICE = "office"
    #: Enrolled today.
    STUDENT = "student"
    #: Was enrolled, or will be: reads their own history.
    FORMER = "former student"

    @property
    def teaches(self) -> bool:
        return self in (Part.OWNER, Part.CO_TEACHER, Part.OFFICE)


_co_teacher = Prepared(
    lambda class_id, teacher_id: (
        CoTeacher.objects.filter(class_ref_id=class_id, teacher_id=teacher_id).order_by().values_list("id", flat=True)
    )
)


def part_in(found: Class, actor: Actor) -> Part | None:
    """What `actor` is to the class; None for somebody who has no part in it."""
    if actor.role == Role.TEACHER:
        if found.teacher_id == actor.id:
            return Part.OWNER
        if actor.is_superuser:
            return Part.OFFICE
        return Part.CO_TEACHER if _co_teacher.first(found.id, actor.id) is not None else None
    if is_enrolled(actor=actor, class_id=found.id):
        return Part.STUDENT
    return Part.FORMER if was_enrolled(student_id=actor.id, class_id=found.id) else None


def classes_seen_by(*, actor: Actor, student_id: str) -> "QuerySet[Class]":
    """Of the classes that the student is, was or is to be in, those in which `actor` may read of the student.

    That is all of them for the student and for the office, and for a teacher those that the teacher teaches.
    """
    attended = Enrolment.objects.filter(student_id=student_id).values_list("class_ref_id", flat=True)
    found = Class.objects.filter(pk__in=list(attended), removed_at=None)
    if actor.id == student_id or (actor.is_superuser and actor.role == Role.TEACHER):
        return found
    if actor.role != Role.TEACHER:
        return found.none()
    shared = CoTeacher.objects.filter(teacher_id=actor.id).values_list("class_ref_id", flat=True)
    return found.filter(Q(teacher_id=actor.id) | Q(pk__in=list(shared)))


def class_for_member(*, actor: Actor, class_id: str) -> tuple[Class, Part]:
    """The class and what `actor` is to it. `ClassNotFound` for whoever has no part in it."""
    found = class_get(class_id)
    part = part_in(found, actor)
    if part is None:
        raise errors.ClassNotFound
    return found, part


def class_for_teacher(*, actor: Actor, class_id: str) -> tuple[Class, Part]:
    """The class, for its owner, its co-teachers and the office. Raises `ClassNotFound`, `TeachersOnly`."""
    found, part = class_for_member(actor=actor, class_id=class_id)
    if not part.teaches:
        raise errors.TeachersOnly
    return found, part


def class_for_owner(*, actor: Actor, class_id: str) -> Class:
    """The class, for its owner and the office. Raises `ClassNotFound`, `TeachersOnly`, `OwnerOnly`."""
    found, part = class_for_teacher(actor=actor, class_id=class_id)
    if part is Part.CO_TEACHER:
        raise errors.OwnerOnly
    return found
