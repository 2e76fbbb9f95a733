"""Changes to classes and rosters."""

from collections.abc import Sequence
from dataclasses import replace

from django.db import IntegrityError
from django.db.models import F

from accounts.limits import take
from accounts.selectors import student_get, user_get
from accounts.services import user_hold
from accounts.standing import Author, author_of, is_open, is_set_aside, name_stands
from classes import selectors
from classes.enrolment import enrol
from classes.models import Class, Enrolment, SetAside, announce_roster
from classes.rosters.entries import Entry
from classes.rosters.write import roster_write
from classes.waiting import set_aside
from core import errors, limits
from core.database.unit_of_work import retry_races, unit_of_work
from core.identity import Actor, Role
from core.ids import parse_id
from core.times import now

#: What the teachers of a class choose for it.
SETTINGS = ("threshold", "late_after_minutes", "opens_by_itself", "tap_order", "check_in")


def class_hold(class_id: str) -> None:
    """Makes units of work that hold the same class run one after the other. Call this inside a unit of work.

    The function changes the class's row, as `accounts.services.user_hold` does a person's.
    """
    Class.objects.filter(pk=class_id).update(holds=F("holds") + 1)


@retry_races
@unit_of_work
def class_create(*, teacher: Actor, name: str, unique_name: bool = False, open_roster: bool = False) -> Class:
    """Makes a class of `teacher`. Two classes may have the same name.

    `unique_name`: raises `ClassNameTaken` if `teacher` has a class of exactly this name already. Of several such
    requests at once, one makes the class.
    `open_roster`: `class_join` enrols any student into the class. Raises `TooManyRequests`.
    """
    take(limits.CLASSES, teacher.id)
    if unique_name:
        user_hold(user_id=teacher.id)
        if Class.objects.filter(teacher_id=teacher.id, name=name, removed_at=None).exists():
            raise errors.ClassNameTaken
    return Class.objects.create(name=name, teacher_id=teacher.id, open_roster=open_roster)


def class_join(*, actor: Actor, class_id: str) -> None:
    """Enrols the student `actor`, if the class's roster is open and the student is not enrolled already.

    Raises `StudentNotEnrolled` if the roster is not open, or if `actor` is no student or is to prove their address.
    """
    if selectors.is_enrolled(actor=actor, class_id=class_id):
        return
    found = selectors.class_get(class_id)
    if not found.open_roster or actor.role != Role.STUDENT:
        raise errors.StudentNotEnrolled
    if not is_open() and is_set_aside(user_get(actor.id)):
        raise errors.StudentNotEnrolled
    try:
        _enrol(found, actor.id)
    except IntegrityError:
        if not selectors.is_enrolled(actor=actor, class_id=class_id):  # another request may have enrolled them
            raise


@retry_races
@unit_of_work
def class_create_with_roster(
    *, teacher_id: str, name: str, entries: Sequence[Entry], unique_name: bool, by_teacher: bool = True, **details: str
) -> Class:
    """Makes a class with its students, or nothing. A student without an account gets one that awaits its owner.

    `details`: `batch`, `semester`, `department`. `unique_name`: raises `ClassNameTaken` if any class has this name,
    unless the name was given by somebody who may be anybody (`accounts.standing`). `by_teacher`: False where the client
    has not shown that it is the teacher.
    Raises `InvalidSchema` for an entry that has a problem, `RosterConflict` for one that contradicts the database, and
    `TooManyRequests`.
    """
    take(limits.CLASSES, teacher_id)
    take(limits.SHEET_ROWS, teacher_id, len(entries))
    author = author_of(user_get(teacher_id))
    if not by_teacher:
        author = replace(author, is_school=False)
    if unique_name:
        _take_name(name, author)
    made = Class.objects.create(
        name=name, teacher_id=teacher_id, reserved_name=name if unique_name else None, **details
    )
    plan = roster_write(class_id=made.id, entries=entries, author=author, batch=details.get("batch", ""))
    if any(row.entry.problem for row in plan.refused):
        raise errors.InvalidSchema
    if plan.refused:
        raise errors.RosterConflict
    take(limits.PEOPLE, teacher_id, len(plan.created))
    return made


def _refuse_name(class_id: str, name: str) -> None:
    """Raises `ClassNameTaken` where the class's teacher has another class of this name."""
    found = Class.objects.filter(pk=class_id, removed_at=None).first()
    if found is None:
        raise errors.Changed
    user_hold(user_id=found.teacher_id)
    others = Class.objects.filter(teacher_id=found.teacher_id, name=name, removed_at=None).exclude(pk=class_id)
    if others.exists():
        raise errors.ClassNameTaken


def _take_name(name: str, author: Author) -> None:
    """Sees to it that no class keeps `author` from the name; `ClassNameTaken` if one does."""
    named = list(Class.objects.filter(name=name, removed_at=None).select_related("teacher"))
    if any(name_stands(found.teacher, author) for found in named):
        raise errors.ClassNameTaken
    # Of these classes alone: another request may have reserved the name since they were read, and then the constraint
    # refuses this one, which runs again and finds that class.
    Class.objects.filter(pk__in=[found.pk for found in named], reserved_name=name).update(reserved_name=None)


@unit_of_work
def class_update(
    *,
    class_id: str,
    name: str | None = None,
    unique_name: bool = False,
    is_archived: bool | None = None,
    seen: Class | None = None,
) -> Class:
    """Renames a class, archives it, or takes it back from the archive; None leaves things as they are.

    With `seen` only if the class still is as `seen` has it, else `Changed`. `unique_name`: raises `ClassNameTaken` if
    the class's teacher has another class of exactly this name, as `class_create` does.
    """
    if unique_name and name is not None:
        _refuse_name(class_id, name)
    rows = Class.objects.filter(pk=class_id, removed_at=None)
    if seen is not None:
        rows = rows.filter(name=seen.name, archived_at=seen.archived_at)
    if not rows.update(updated_at=now(), **({} if name is None else {"name": name})):
        raise errors.Changed
    found = Class.objects.filter(pk=class_id)
    if is_archived:
        found.filter(archived_at=None).update(archived_at=now(), reserved_name=None)
    elif is_archived is not None:
        found.update(archived_at=None)
    announce_roster(class_id)  # the live server tells clients the class's name
    return found.get()


@unit_of_work
def class_settings_update(*, class_id: str, seen: Class | None = None, **changes: int | str | None) -> Class:
    """Changes columns of `SETTINGS` of a class; what is left out stays.

    With `seen` only if the class still is as `seen` has it, else `Changed`.
    """
    rows = Class.objects.filter(pk=class_id, removed_at=None)
    if seen is not None:
        rows = rows.filter(**{name: getattr(seen, name) for name in SETTINGS})
    if not rows.update(updated_at=now(), **changes):
        raise errors.Changed
    return Class.objects.get(pk=class_id)


@unit_of_work
def class_remove(*, class_id: str) -> None:
    """Removes the class: nobody finds it any more, and its name is free again. Its sessions and records stay.

    `attendance.services.class_remove` checks who may do this, and ends the class's open session.
    """
    removed = Class.objects.filter(pk=class_id, removed_at=None).update(removed_at=now(), reserved_name=None)
    if not removed:
        raise errors.ClassNotFound
    announce_roster(class_id)


def class_add_student(*, actor: Actor, class_id: str, student_id: str, only_new: bool = False) -> Class:
    """Enrols a student in a class of `actor`, and returns the class.

    A student who is enrolled already changes nothing, or with `only_new` raises `AlreadyEnrolled`.
    Raises `ClassNotFound`, `NotClassTeacher`, `StudentNotFound` and `AddressNotProved`, in this order. With the last
    one the student is set aside, and is enrolled once they have proved their address.
    """
    found = selectors.class_get_for_owner(actor=actor, class_id=class_id)
    student = student_get(parse_id(student_id))
    if not Enrolment.objects.current().filter(class_ref=found, student=student).exists():
        if is_set_aside(student):
            set_aside(class_id=found.id, student_id=student.id, roll_number=None, sender=actor.id)
            raise errors.AddressNotProved
        try:
            _enrol(found, student.id)
            return selectors.class_get(found.id)  # read again: the enrolment changed the class's row
        except IntegrityError:
            # Another request has enrolled the same student, or has deleted the account, which `student_get` refuses.
            student_get(student.id)
    if only_new:
        raise errors.AlreadyEnrolled
    return found


@unit_of_work
def _enrol(found: Class, student_id: str) -> None:
    enrol(found.id, [student_id])
    SetAside.objects.filter(class_ref=found, student_id=student_id).delete()
