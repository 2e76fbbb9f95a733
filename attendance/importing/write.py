"""Writing what a plan says, in one unit of work: all of it or nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError
from django.db.models import F, Model
from tqdm import tqdm

from accounts.models import User
from attendance import journal
from attendance.enums import Method, SessionState
from attendance.importing.documents import Group, Person
from attendance.importing.plan import Lesson, Plan, Source, derived_id, plan_import, present_among
from attendance.importing.sources import SourceError
from attendance.journal import NewMark
from attendance.models import Attendance, Session
from classes.models import Class, Enrolment
from core.database.batches import batches
from core.database.unit_of_work import unit_of_work

M = TypeVar("M", bound=Model)

#: Rows in one statement, where the database takes so many.
_BATCH = 1000
#: Rows in one update: it asks of each row which of them all it is, so that a larger one takes longer a row.
_UPDATES = 100


def run_import(source: Source, *, skip_refused: bool) -> Plan:
    """Imports `source`; with a refused row nothing is written, unless those are to be skipped.

    Raises `SourceError` if somebody else changed the same things meanwhile: then nothing was written.
    """
    try:
        return _run(source, skip_refused)
    except IntegrityError:
        raise _changed_meanwhile() from None


def _changed_meanwhile() -> SourceError:
    return SourceError("Accounts, classes or records changed during the import, so nothing was written. Run it again.")


@unit_of_work
def _run(source: Source, skip_refused: bool) -> Plan:
    plan = plan_import(source)
    if plan.refused and not skip_refused:
        return plan
    total = len(plan.people) + len(plan.groups) + sum(len(lesson.records) for lesson in plan.lessons)
    with tqdm(total=total, desc="Writing", unit=" documents", disable=None) as progress:
        _write(plan, progress.update)
    return plan


def _write(plan: Plan, advance: Callable[[int], object]) -> None:
    users = [
        User(
            id=person.id,
            name=person.name,
            email=person.email,
            password=person.password,
            role=person.role,
        )
        for person in plan.people
    ]
    _create(User, users, advance)
    _keep_times(User, zip(users, plan.people, strict=True))
    classes = [Class(id=group.id, name=group.name, teacher_id=group.teacher_id) for group, _ in plan.groups]
    _create(Class, classes, advance)
    _keep_times(Class, zip(classes, (group for group, _ in plan.groups), strict=True))
    _create(
        Enrolment,
        [
            Enrolment(class_ref_id=group.id, student_id=student, since=None)
            for group, students in plan.groups
            for student in students
        ],
    )
    new = [lesson for lesson in plan.lessons if lesson.known_seq is None]
    _create(Session, [_session(lesson) for lesson in new])
    for lesson in plan.lessons:
        if lesson.known_seq is not None:
            _join(lesson)
    _append([mark for lesson in plan.lessons for mark in _marks(lesson)])
    _create(Attendance, [record for lesson in plan.lessons for record in _records(lesson)], advance)


def _create(model: type[M], rows: Sequence[M], advance: Callable[[int], object] = lambda count: None) -> None:
    for some in batches(rows, _BATCH):
        model._default_manager.bulk_create(some)
        advance(len(some))


def _append(marks: Sequence[NewMark]) -> None:
    for start in range(0, len(marks), _BATCH):
        if None in journal.append(marks[start : start + _BATCH], state=SessionState.ENDED):
            raise _changed_meanwhile()


def _keep_times(model: type[User] | type[Class], pairs: Iterable[tuple[Any, Person | Group]]) -> None:
    """The source's createdAt and updatedAt. A new row has the time of now in both, whatever it was made with."""
    dated = []
    for row, item in pairs:
        if item.created_at is not None or item.updated_at is not None:
            row.created_at = item.created_at or row.created_at
            row.updated_at = item.updated_at or row.updated_at
            dated.append(row)
    model._default_manager.bulk_update(dated, ["created_at", "updated_at"], batch_size=_UPDATES)


def _session(lesson: Lesson) -> Session:
    present = present_among(lesson.records)
    return Session(
        id=lesson.id,
        class_ref_id=lesson.class_id,
        state=SessionState.ENDED,
        started_at=lesson.started_at,
        started_by_id=lesson.teacher_id,
        last_activity_at=lesson.ended_at,
        ended_at=lesson.ended_at,
        present_count=present,
        absent_count=len(lesson.records) - present,
    )


def _join(lesson: Lesson) -> None:
    """Counts the records that a finished session lacks; nobody may have added to the session meanwhile."""
    present = present_among(lesson.records)
    session = Session.objects.filter(pk=lesson.id, state=SessionState.ENDED, last_seq=lesson.known_seq or 0)
    if not session.update(
        present_count=F("present_count") + present,
        absent_count=F("absent_count") + len(lesson.records) - present,
    ):
        raise _changed_meanwhile()


def _marks(lesson: Lesson) -> Iterable[NewMark]:
    for record in lesson.records:
        yield NewMark(
            id=derived_id("mark", record.id),
            session_id=lesson.id,
            student_id=record.student_id,
            status=record.status,
            at=record.at,
            by_id=lesson.teacher_id,
            method=Method.IMPORT,
        )


def _records(lesson: Lesson) -> Iterable[Attendance]:
    for record in lesson.records:
        yield Attendance(
            id=record.id,
            class_ref_id=lesson.class_id,
            session_id=lesson.id,
            student_id=record.student_id,
            status=record.status,
            method=Method.IMPORT,
        )
