"""Reads of classes, with the check of who may read. `ClassNotFound` comes before any 403, as the contract orders it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Q, QuerySet

from accounts.models import User
from accounts.selectors import actor_of, students_all
from accounts.standing import is_open
from classes.models import ENROLMENT_ORDER, Class, CoTeacher, Enrolment, covers
from core import errors
from core.database.batches import batches, pages
from core.database.prepared import Prepared
from core.identity import Actor, Role
from core.ids import parse_id
from core.times import today

#: What lists of students show of each.
_SHOWN = ("id", "name", "email", "roll_number")

_class = Prepared(lambda class_id: Class.objects.filter(pk=class_id, removed_at=None).order_by())
#: What `ClassSeen` says. Of the whole row, SQLite's library alone takes three times as long.
_seen = Prepared(
    lambda class_id: (
        Class.objects.filter(pk=class_id, removed_at=None)
        .order_by()
        .values_list("id", "name", "teacher_id", "roster_version", "threshold")
    )
)
_enrolment = Prepared(
    lambda class_id, student_id: (
        Enrolment.objects.filter(class_ref_id=class_id, student_id=student_id).order_by().values_list("since", "until")
    )
)
#: With what `RosterLine` says.
_roster = Prepared(
    lambda class_id: (
        Enrolment.objects.filter(class_ref_id=class_id)
        .order_by(*ENROLMENT_ORDER)
        .values_list("since", "until", "student_id", "student__name", "student__roll_number")
    )
)
_attended = Prepared(
    lambda student_id: (
        Enrolment.objects.filter(student_id=student_id, class_ref__removed_at=None, class_ref__archived_at=None)
        .order_by()
        .values_list("since", "until", "class_ref_id", "class_ref__name")
    )
)
_owned = Prepared(
    lambda teacher_id: (
        Class.objects.filter(teacher_id=teacher_id, removed_at=None, archived_at=None)
        .order_by()
        .values_list("id", "name")
    )
)
_shared = Prepared(
    lambda teacher_id: (
        CoTeacher.objects.filter(teacher_id=teacher_id, class_ref__removed_at=None, class_ref__archived_at=None)
        .order_by()
        .values_list("class_ref_id", "class_ref__name")
    )
)


class ClassSeen(NamedTuple):
    """What its people see of a class."""

    id: str
    name: str
    teacher_id: str
    roster_version: int
    threshold: int


AnyClass = TypeVar("AnyClass", Class, ClassSeen)


class RosterLine(NamedTuple):
    """A student of a class."""

    id: str
    name: str
    #: None or `""` for none.
    roll_number: str | None


def class_get(class_id: str) -> Class:
    """The class that a client's `class_id` names. `ClassNotFound` for an unknown or malformed id or a removed class."""
    key = parse_id(class_id)
    found = _class.first(key) if key else None
    if found is None:
        raise errors.ClassNotFound
    return found


def class_get_by_name(*, actor: Actor, name: str) -> Class:
    """The newest class of exactly this name that `actor` teaches. `ClassNotFound` if there is none."""
    found = Class.objects.filter(teacher_id=actor.id, name=name, removed_at=None).order_by("-created_at", "-id").first()
    if found is None:
        raise errors.ClassNotFound
    return found


def class_exists(class_id: str) -> bool:
    """Whether there is a class with this id."""
    return _class.first(class_id) is not None


def class_teacher(class_id: str) -> Actor:
    """The class's teacher as an actor, for protocols that do not say who asks. `ClassNotFound` for an unknown class."""
    return actor_of(class_get(class_id).teacher)


def class_get_for_owner(*, actor: Actor, class_id: str) -> Class:
    """The class, if `actor` teaches it. Raises `ClassNotFound` or `NotClassTeacher` otherwise."""
    found = class_get(class_id)
    if found.teacher_id != actor.id:
        raise errors.NotClassTeacher
    return found


def class_get_for_member(*, actor: Actor, class_id: str) -> Class:
    """The class, if `actor` teaches it or is enrolled in it. Raises `ClassNotFound` or `NotClassTeacher` otherwise."""
    return _for_member(actor, class_get(class_id))


def class_seen_by_member(*, actor: Actor, class_id: str) -> ClassSeen:
    """`class_get_for_member`, of what its people see."""
    return _for_member(actor, _class_seen(class_id))


def _for_member(actor: Actor, found: AnyClass) -> AnyClass:
    if found.teacher_id != actor.id and not is_enrolled(actor=actor, class_id=found.id):
        raise errors.NotClassTeacher
    return found


def class_get_for_student(*, actor: Actor, class_id: str) -> ClassSeen:
    """The class, if `actor` is enrolled in it. Raises `ClassNotFound` or `NotEnrolled` otherwise."""
    found = _class_seen(class_id)
    if not is_enrolled(actor=actor, class_id=found.id):
        raise errors.NotEnrolled
    return found


def _class_seen(class_id: str) -> ClassSeen:
    key = parse_id(class_id)
    row = _seen.first(key) if key else None
    if row is None:
        raise errors.ClassNotFound
    return ClassSeen(*row)


def is_enrolled(*, actor: Actor, class_id: str) -> bool:
    """Whether `actor` is a student on the class's roster today."""
    if actor.role != Role.STUDENT:
        return False
    found = _enrolment.first(class_id, actor.id)
    return found is not None and covers(since=found[0], until=found[1], day=today())


def was_enrolled(*, student_id: str, class_id: str) -> bool:
    """Whether the student is, was, or is to be on the class's roster."""
    return _enrolment.first(class_id, student_id) is not None


def student_ids(class_id: str) -> list[str]:
    """The ids of the class's students, in the order of enrolment."""
    rows = Enrolment.objects.current().filter(class_ref_id=class_id).order_by(*ENROLMENT_ORDER)
    return list(rows.values_list("student_id", flat=True))


def roster(class_id: str) -> list[RosterLine]:
    """The class's students, in the order of enrolment."""
    day = today()
    return [RosterLine(*row[2:]) for row in _roster.rows(class_id) if covers(since=row[0], until=row[1], day=day)]


def students_of(class_id: str) -> list[User]:
    """The class's students, in the order of enrolment."""
    rows = (
        Enrolment.objects.current().filter(class_ref_id=class_id).select_related("student").order_by(*ENROLMENT_ORDER)
    )
    return [row.student for row in rows]


def students_shown(class_id: str) -> Iterator[Sequence[Mapping[str, Any]]]:
    """`{id, name, email, roll_number}` of each of the class's students, in the order of enrolment, in pages."""
    rows = (
        Enrolment.objects.current()
        .filter(class_ref_id=class_id)
        .values(*ENROLMENT_ORDER, *(f"student__{column}" for column in _SHOWN))
    )
    for page in pages(rows, *ENROLMENT_ORDER):
        yield [{column: row[f"student__{column}"] for column in _SHOWN} for row in page]


def students_listed(teacher: Actor) -> Iterator[Sequence[Mapping[str, Any]]]:
    """`{id, name, email, role}` of the students whom the teacher may list, the oldest account first, in pages.

    With SIGNUP=open these are all students, as the contract asks. With any other policy they are those of the classes
    that the teacher teaches, alone or with others.
    """
    if is_open():
        return students_all()
    classes = [key for archived in (False, True) for key in _taught_ids(teacher, archived=archived)]
    enrolled = Enrolment.objects.current().filter(class_ref_id__in=classes).order_by()
    ids = sorted(set(enrolled.values_list("student_id", flat=True)))
    return (
        list(User.objects.filter(pk__in=part).order_by("id").values("id", "name", "email", "role"))
        for part in batches(ids)
    )


def student_names(class_id: str) -> dict[str, str]:
    """Id → name of the class's students, in the order of enrolment."""
    return student_names_by_class([class_id])[class_id]


def student_names_by_class(class_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """For each class: id → name of its students, in the order of enrolment. One query, and none for no class."""
    if not class_ids:
        return {}
    names: dict[str, dict[str, str]] = {class_id: {} for class_id in class_ids}
    rows = Enrolment.objects.current().filter(class_ref_id__in=names).order_by("class_ref_id", *ENROLMENT_ORDER)
    for class_id, student_id, name in rows.values_list("class_ref_id", "student_id", "student__name"):
        names[class_id][student_id] = name
    return names


def co_teachers_by_class(class_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """For each class the ids of its co-teachers. One query, and none for no class."""
    if not class_ids:
        return {}
    found: dict[str, set[str]] = {class_id: set() for class_id in class_ids}
    rows = CoTeacher.objects.filter(class_ref_id__in=list(found)).values_list("class_ref_id", "teacher_id")
    for class_id, teacher_id in rows:
        found[class_id].add(teacher_id)
    return {class_id: frozenset(teachers) for class_id, teachers in found.items()}


def classes_of_student(student_id: str, *, archived: bool | None = None) -> list[Class]:
    """The classes that the student is enrolled in, the oldest class first, with their teachers.

    With `archived` those in use alone, or those in the archive: a student stays enrolled in what is archived.
    """
    enrolled = Enrolment.objects.current().filter(student_id=student_id).values_list("class_ref_id", flat=True)
    rows = Class.objects.filter(pk__in=list(enrolled), removed_at=None).select_related("teacher")
    return list(rows if archived is None else rows.filter(archived_at__isnull=not archived))


def classes_of_teacher(teacher_id: str) -> list[Class]:
    """The teacher's classes, the oldest first."""
    return list(Class.objects.filter(teacher_id=teacher_id, removed_at=None))


def classes_taught(*, actor: Actor, archived: bool) -> "QuerySet[Class]":
    """The classes that `actor` owns or teaches with their owner, for a superuser all of the school's."""
    rows = Class.objects.filter(removed_at=None, archived_at__isnull=not archived)
    if actor.is_superuser:
        return rows
    shared = list(CoTeacher.objects.filter(teacher_id=actor.id).values_list("class_ref_id", flat=True))
    return rows.filter(Q(teacher_id=actor.id) | Q(pk__in=shared))


def class_names(*, actor: Actor, day: date) -> dict[str, str]:
    """Id → name of the classes that `actor` teaches (`classes_taught`) or attends on that day; no archived ones."""
    if actor.role != Role.TEACHER:
        return {row[2]: row[3] for row in _attended.rows(actor.id) if covers(since=row[0], until=row[1], day=day)}
    if actor.is_superuser:
        return dict(classes_taught(actor=actor, archived=False).order_by().values_list("id", "name"))
    return dict([*_owned.rows(actor.id), *_shared.rows(actor.id)])


def _taught_ids(actor: Actor, *, archived: bool) -> list[str]:
    return list(classes_taught(actor=actor, archived=archived).order_by().values_list("id", flat=True))


def people_taught_by(teacher_id: str) -> frozenset[str]:
    """The ids of the teacher and of the students of the teacher's own classes. Two queries."""
    classes = Class.objects.filter(teacher_id=teacher_id, removed_at=None).order_by().values_list("id", flat=True)
    enrolled = Enrolment.objects.current().filter(class_ref_id__in=list(classes)).order_by()
    return frozenset(enrolled.values_list("student_id", flat=True)) | {teacher_id}


def roster_sizes(class_ids: Sequence[str]) -> dict[str, int]:
    """Class id → how many students the class has. One query."""
    counted = Enrolment.objects.current().filter(class_ref_id__in=list(class_ids)).order_by().values("class_ref_id")
    found = {row["class_ref_id"]: row["number"] for row in counted.annotate(number=Count("id"))}
    return {class_id: found.get(class_id, 0) for class_id in class_ids}
