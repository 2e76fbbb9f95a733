"""What others read of sessions and records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, QuerySet
from django.db.models.functions import Coalesce

from attendance.enums import SessionState, Status
from attendance.models import Attendance, Focus, Session, TeachingPlace
from classes.selectors import class_get_for_student
from core import errors
from core.identity import Actor
from core.ids import parse_id


def finished_sessions(class_id: str) -> "QuerySet[Any]":
    """The class's finished sessions; each has `held_at`: when it began, or the instant that it was recorded for."""
    held_at = Coalesce("recorded_for", "started_at", output_field=DateTimeField())
    return Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED).annotate(held_at=held_at)


def status_in_last_session(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in its last finished session; None before one is finished.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    last = Session.objects.filter(class_ref=found, state=SessionState.ENDED).order_by("-ended_at").values("id").first()
    if last is None:
        return found.id, None
    status = (
        Attendance.objects.filter(session_id=last["id"], student_id=actor.id).values_list("status", flat=True).first()
    )
    return found.id, Status(status) if status else None


def session_get_for_owner(*, actor: Actor, session_id: str) -> Session:
    """A finished session of a class that `actor` teaches; `RecordNotFound`, `NotClassTeacher`."""
    key = parse_id(session_id)
    finished = Session.objects.filter(pk=key, state=SessionState.ENDED).select_related("class_ref")
    session = finished.first() if key else None
    if session is None or session.class_ref.removed_at is not None:
        raise errors.RecordNotFound
    if session.class_ref.teacher_id != actor.id:
        raise errors.NotClassTeacher
    return session


def session_class_id(session_id: str) -> str:
    """The class of a finished session; `RecordNotFound`."""
    key = parse_id(session_id)
    finished = Session.objects.filter(pk=key, state=SessionState.ENDED, class_ref__removed_at=None)
    class_id = finished.values_list("class_ref_id", flat=True).first() if key else None
    if class_id is None:
        raise errors.RecordNotFound
    return str(class_id)


def statuses_of_session(session_id: str) -> dict[str, Status]:
    """The records of a session, by the students' ids."""
    records = Attendance.objects.filter(session_id=session_id).order_by("id")
    return {student_id: Status(status) for student_id, status in records.values_list("student_id", "status")}


def records_of_student(*, student_id: str, class_id: str) -> list[tuple[datetime, Status]]:
    """The student's records in the class's finished sessions: when held, and the status; the oldest first."""
    held = dict(finished_sessions(class_id).values_list("id", "held_at"))
    records = Attendance.objects.filter(class_ref_id=class_id, student_id=student_id)
    found = [
        (held[session_id], Status(status))
        for session_id, status in records.values_list("session_id", "status")
        if session_id in held
    ]
    return sorted(found, key=lambda record: record[0])


def statuses_by_class(*, student_id: str, class_ids: Sequence[str]) -> dict[str, list[Status]]:
    """The student's records in finished sessions of each of these classes."""
    found: dict[str, list[Status]] = {class_id: [] for class_id in class_ids}
    records = Attendance.objects.filter(
        student_id=student_id, class_ref_id__in=list(class_ids), session__state=SessionState.ENDED
    )
    for class_id, status in records.values_list("class_ref_id", "status"):
        found[class_id].append(Status(status))
    return found


@dataclass(frozen=True, slots=True)
class CheckIn:
    """How students mark themselves in the session that has the focus; all in the protocol's JSON, `""` if unset."""

    session_id: str
    class_id: str
    teacher_id: str
    code: str
    countdown: str


def check_in_of_focus() -> CheckIn | None:
    """That of the session with the focus, while it is open."""
    open_focus = Focus.objects.filter(session__state=SessionState.OPEN)
    row = open_focus.values_list(
        "session_id",
        "session__class_ref_id",
        "session__class_ref__teacher_id",
        "session__check_in_code",
        "session__countdown",
    ).first()
    return CheckIn(*row) if row is not None else None


def place_told(teacher_id: str | None, *, or_by_anybody: bool = False) -> tuple[str, str] | None:
    """Location and radius as the teacher last told them, in the protocol's JSON.

    With `or_by_anybody` the last told of theirs and of those of whom nobody knew who told them.
    """
    keys = [teacher_id] if teacher_id else []
    if or_by_anybody:
        keys.append(TeachingPlace.ANYBODY)
    found = TeachingPlace.objects.filter(pk__in=keys).order_by("-told_at")
    return found.values_list("location", "radius").first()
