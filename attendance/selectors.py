"""What others read of sessions and records."""

from attendance.enums import SessionState, Status
from attendance.models import Attendance, Session
from classes.selectors import class_get_for_student
from core.identity import Actor


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
