"""What others read of sessions and records."""

from django.db.models import QuerySet

from attendance.enums import SessionState, Status
from attendance.models import Attendance, Mark, Session
from classes.selectors import class_get_for_student
from core.identity import Actor


def status_in_last_session(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in its last finished session; None before one is finished.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    return found.id, _recorded(found.id, actor.id)


def status_so_far(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in its open session, None until marked; in its last finished session
    while none is open.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    open_session = Session.objects.filter(class_ref=found, state=SessionState.OPEN).values("id").first()
    if open_session is None:
        return found.id, _recorded(found.id, actor.id)
    marks = Mark.objects.filter(session_id=open_session["id"], student_id=actor.id).order_by("-seq")
    return found.id, _first_status(marks)


def _recorded(class_id: str, student_id: str) -> Status | None:
    finished = Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED).order_by("-ended_at")
    last = finished.values("id").first()
    return last and _first_status(Attendance.objects.filter(session_id=last["id"], student_id=student_id))


def _first_status(rows: QuerySet[Mark] | QuerySet[Attendance]) -> Status | None:
    status = rows.values_list("status", flat=True).first()
    return Status(status) if status else None
