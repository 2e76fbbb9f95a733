"""What others read of classes, and who may: 404 before 403, as the contract orders it."""

from accounts.models import User
from classes.models import Class, Enrolment
from core import errors
from core.identity import Actor, Role
from core.ids import parse_id


def class_get(class_id: str) -> Class:
    """The class that a client's `class_id` names; `ClassNotFound` for unknown and malformed ones."""
    key = parse_id(class_id)
    found = Class.objects.filter(pk=key).first() if key else None
    if found is None:
        raise errors.ClassNotFound
    return found


def class_get_by_name(*, actor: Actor, name: str) -> Class:
    """The class of exactly this name that `actor` teaches, of several the newest; `ClassNotFound` if there is none."""
    found = Class.objects.filter(teacher_id=actor.id, name=name).order_by("-created_at", "-id").first()
    if found is None:
        raise errors.ClassNotFound
    return found


def class_find(class_id: str) -> Class | None:
    """The class with this id, or None."""
    try:
        return class_get(class_id)
    except errors.ClassNotFound:
        return None


def class_get_for_owner(*, actor: Actor, class_id: str) -> Class:
    """The class, if `actor` teaches it; `NotClassTeacher` otherwise."""
    found = class_get(class_id)
    if found.teacher_id != actor.id:
        raise errors.NotClassTeacher
    return found


def class_get_for_member(*, actor: Actor, class_id: str) -> Class:
    """The class, if `actor` teaches it or is enrolled in it; `NotClassTeacher` otherwise."""
    found = class_get(class_id)
    if found.teacher_id != actor.id and not is_enrolled(actor=actor, class_id=found.id):
        raise errors.NotClassTeacher
    return found


def class_get_for_student(*, actor: Actor, class_id: str) -> Class:
    """The class, if `actor` is enrolled in it; `NotEnrolled` otherwise."""
    found = class_get(class_id)
    if not is_enrolled(actor=actor, class_id=found.id):
        raise errors.NotEnrolled
    return found


def is_enrolled(*, actor: Actor, class_id: str) -> bool:
    """Whether `actor` is a student on the class's roster now."""
    if actor.role != Role.STUDENT:
        return False
    return Enrolment.objects.filter(class_ref_id=class_id, student_id=actor.id).exists()


def student_ids(class_id: str) -> list[str]:
    """The roster's ids, in the order of enrolment."""
    return list(Enrolment.objects.filter(class_ref_id=class_id).order_by("id").values_list("student_id", flat=True))


def students_of(class_id: str) -> list[User]:
    """The roster's people, in the order of enrolment."""
    rows = Enrolment.objects.filter(class_ref_id=class_id).select_related("student").order_by("id")
    return [row.student for row in rows]


def student_names(class_id: str) -> dict[str, str]:
    """The roster's names by id, in the order of enrolment."""
    rows = Enrolment.objects.filter(class_ref_id=class_id).order_by("id")
    return dict(rows.values_list("student_id", "student__name"))
