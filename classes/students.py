"""The students of a class with the days of their enrolment, for its teachers.

`attendance.services.enrolment_end` takes a student off: what becomes of the enrolment depends on the records.
"""

from datetime import date, timedelta

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import account_find, student_get
from accounts.standing import is_set_aside
from classes.enrolment import enrol
from classes.models import Enrolment, SetAside, announce_roster
from classes.waiting import set_aside
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from core.ids import parse_id
from core.times import day_of, today


def enrolments_listed(class_id: str, *, ended: bool) -> "QuerySet[Enrolment]":
    """The class's enrolments with their students: those that have ended, or all others."""
    rows = Enrolment.objects.filter(class_ref_id=class_id).select_related("student")
    return rows.filter(until__lt=today()) if ended else rows.exclude(until__lt=today())


def enrolment_get(*, class_id: str, student_id: str) -> Enrolment:
    """The student's enrolment, whatever its days. Raises `StudentNotFound`."""
    rows = Enrolment.objects.filter(class_ref_id=class_id, student_id=parse_id(student_id)).select_related("student")
    found = rows.first() if parse_id(student_id) else None
    if found is None:
        raise errors.StudentNotFound
    return found


def student_find(*, student_id: str | None = None, email: str | None = None, roll_number: str | None = None) -> User:
    """The student whom one of these names. Raises `StudentNotFound`."""
    if student_id is not None:
        return student_get(parse_id(student_id))
    found = account_find(role=Role.STUDENT, email=email or "", roll_number=roll_number or "")
    if found is None:
        raise errors.StudentNotFound
    return found


def enrolment_check(*, class_id: str, student: User, since: date | None, until: date | None) -> None:
    """Raises what `enrolment_add` raises for these days, and for a student who is enrolled; changes nothing."""
    _check_days(since, until)
    before = Enrolment.objects.filter(class_ref_id=class_id, student=student)
    if before.exclude(until__lt=today()).exists():
        raise errors.AlreadyEnrolled
    if since is not None and since > today() and before.exists():
        raise errors.InvalidSchema({"from": [_("The student was in this class before: say a day until today.")]})


def enrolment_add(
    *, class_id: str, student: User, by_id: str, since: date | None = None, until: date | None = None
) -> Enrolment:
    """Enrols a student from `since` (today) to `until` (without end), both included.

    Raises `InvalidSchema` for days in the wrong order, and for a day to come where the student was in the class before;
    `AlreadyEnrolled`; and `AddressNotProved`, with which the student is set aside until they prove their address.
    """
    enrolment_check(class_id=class_id, student=student, since=since, until=until)
    if is_set_aside(student):
        set_aside(class_id=class_id, student_id=student.id, roll_number=None, sender=by_id)
        raise errors.AddressNotProved
    try:
        _add(class_id, student.id, since, until)
    except IntegrityError:
        raise errors.AlreadyEnrolled from None  # by another request, just now
    return enrolment_get(class_id=class_id, student_id=student.id)


@unit_of_work
def _add(class_id: str, student_id: str, since: date | None, until: date | None) -> None:
    enrol(class_id, [student_id], since=since, until=until)
    SetAside.objects.filter(class_ref_id=class_id, student_id=student_id).delete()


@unit_of_work
def enrolment_update(*, seen: Enrolment, since: date | None, until: date | None, only_seen: bool = False) -> Enrolment:
    """Sets the days of an enrolment. With `only_seen` only if they still are as `seen` has them, else `Changed`.

    Raises `InvalidSchema` for days in the wrong order.
    """
    _check_days(since, until)
    rows = Enrolment.objects.filter(pk=seen.pk)
    if only_seen:
        rows = rows.filter(since=seen.since, until=seen.until)
    if not rows.update(since=since, until=until):
        raise errors.Changed
    announce_roster(seen.class_ref_id)
    return enrolment_get(class_id=seen.class_ref_id, student_id=seen.student_id)


@unit_of_work
def enrolment_stop(*, enrolment: Enrolment, has_record: bool) -> None:
    """Ends an enrolment: yesterday was its last day. One that began today, or has not begun, goes without a trace.

    Unless the student has a mark or a record in the class (`has_record`): then the enrolment stays.
    """
    yesterday = today() - timedelta(days=1)
    first = enrolment.since or day_of(enrolment.created_at)
    if first > yesterday and not has_record:
        Enrolment.objects.filter(pk=enrolment.pk).delete()
    elif enrolment.until is None or enrolment.until > yesterday:
        Enrolment.objects.filter(pk=enrolment.pk).update(until=yesterday)
    announce_roster(enrolment.class_ref_id)


def _check_days(since: date | None, until: date | None) -> None:
    if since is not None and until is not None and until < since:
        raise errors.InvalidSchema({"until": [_("The last day is before the first.")]})
