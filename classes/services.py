"""What changes classes and rosters."""

from collections.abc import Sequence

from django.db import IntegrityError

from accounts.selectors import student_get
from accounts.services import user_hold
from classes import selectors
from classes.models import Class, Enrolment, announce_roster
from classes.rosters.entries import Entry
from classes.rosters.write import roster_write
from core import errors
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Actor, Role
from core.ids import parse_id
from core.times import now


@unit_of_work
def class_create(*, teacher: Actor, name: str, unique_name: bool = False, open_roster: bool = False) -> Class:
    """A new class of `teacher`; the same name twice is two classes. `class_join` enrols into one with `open_roster`.

    With `unique_name` it is `ClassNameTaken` where `teacher` has a class of exactly that name, however that one was
    made, and of several requests at once with `unique_name` one wins.
    """
    if unique_name:
        user_hold(user_id=teacher.id)
        if Class.objects.filter(teacher_id=teacher.id, name=name, removed_at=None).exists():
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


@retry_races
@unit_of_work
def class_create_with_roster(
    *, teacher_id: str, name: str, entries: Sequence[Entry], unique_name: bool, **details: str
) -> Class:
    """A new class with its students, all or nothing; students who have no account yet get one that awaits its owner.

    `details`: `batch`, `semester`, `department`. With `unique_name` no class may have the name: `ClassNameTaken`.
    Raises `InvalidSchema` for entries that cannot be used, `RosterConflict` for those that speak against what is known.
    """
    if unique_name and Class.objects.filter(name=name, removed_at=None).exists():
        raise errors.ClassNameTaken
    made = Class.objects.create(
        name=name, teacher_id=teacher_id, reserved_name=name if unique_name else None, **details
    )
    plan = roster_write(class_id=made.id, entries=entries, batch=details.get("batch", ""))
    if any(row.entry.problem for row in plan.refused):
        raise errors.InvalidSchema
    if plan.refused:
        raise errors.RosterConflict
    return made


@unit_of_work
def class_remove(*, class_id: str) -> None:
    """The class is found nowhere any more. Its name is free again; what was recorded in it stays.

    `attendance.services.class_remove` asks who may, and ends the session that is open in it.
    """
    removed = Class.objects.filter(pk=class_id, removed_at=None).update(removed_at=now(), reserved_name=None)
    if not removed:
        raise errors.ClassNotFound
    announce_roster(class_id)


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
