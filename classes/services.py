"""What changes classes and rosters."""

from django.db import IntegrityError

from accounts.selectors import student_get
from accounts.services import user_hold
from classes import selectors
from classes.models import Class, Enrolment
from core import errors
from core.identity import Actor, Role
from core.ids import parse_id
from core.work import unit_of_work


@unit_of_work
def class_create(*, teacher: Actor, name: str, unique_name: bool = False, open_roster: bool = False) -> Class:
    """A new class of `teacher`; the same name twice is two classes. `class_join` enrols into one with `open_roster`.

    With `unique_name` it is `ClassNameTaken` where `teacher` has a class of exactly that name, however that one was
    made, and of several requests at once with `unique_name` one wins.
    """
    if unique_name:
        user_hold(user_id=teacher.id)
        if Class.objects.filter(teacher_id=teacher.id, name=name).exists():
            raise errors.ClassNameTaken
    return Class.objects.create(name=name, teacher_id=teacher.id, open_roster=open_roster)


def class_join(*, actor: Actor, class_id: str) -> None:
    """Sees to it that the student `actor` is on the roster: enrolled already, or now, where the roster is open.

    Raises `StudentNotEnrolled` where it is not.
    """
    if selectors.is_enrolled(actor=actor, class_id=class_id):
        return
    found = selectors.class_get(class_id)
    if not found.open_roster or actor.role != Role.STUDENT:
        raise errors.StudentNotEnrolled
    try:
        _enrol(found, actor.id)
    except IntegrityError:
        if not selectors.is_enrolled(actor=actor, class_id=class_id):  # another request may have enrolled them
            raise


def class_add_student(*, actor: Actor, class_id: str, student_id: str, only_new: bool = False) -> Class:
    """Enrols a student in a class of `actor`; adding twice changes nothing, with `only_new` it is `AlreadyEnrolled`.

    Raises `ClassNotFound`, `NotClassTeacher`, `StudentNotFound`, in this order.
    """
    found = selectors.class_get_for_owner(actor=actor, class_id=class_id)
    student = student_get(parse_id(student_id))
    if not Enrolment.objects.filter(class_ref=found, student=student).exists():
        try:
            _enrol(found, student.id)
            return selectors.class_get(found.id)  # as the enrolment left it
        except IntegrityError:
            student_get(student.id)  # gone meanwhile? If not, another request has added the same student
    if only_new:
        raise errors.AlreadyEnrolled
    return found


@unit_of_work
def _enrol(found: Class, student_id: str) -> None:
    Enrolment.objects.create(class_ref=found, student_id=student_id)
