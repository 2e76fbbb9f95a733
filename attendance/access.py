"""Sessions and records for those who ask by id: who may know of them is what they are to the class."""

from attendance.corrections import record_get
from attendance.enums import SessionState
from attendance.models import Attendance, Session
from attendance.selectors import record_status
from classes.access import Part, part_in
from classes.selectors import class_get
from core import errors
from core.database.prepared import Prepared
from core.identity import Actor
from core.ids import parse_id

_session = Prepared(lambda session_id: Session.objects.filter(pk=session_id).order_by())


def session_for_member(*, actor: Actor, session_id: str) -> tuple[Session, Part]:
    """The session with its class, and what `actor` is to the class.

    Raises `SessionNotFound` for whoever has no part in the class, and for a student who has none in the session: one
    that is over without a record of theirs, or an open one while they are not enrolled.
    """
    key = parse_id(session_id)
    found = _session.first(key) if key else None
    if found is None:
        raise errors.SessionNotFound
    try:
        found.class_ref = class_get(found.class_ref_id)
    except errors.ClassNotFound:
        raise errors.SessionNotFound from None
    part = part_in(found.class_ref, actor)
    if part is None or not (part.teaches or _takes_part(found, part, actor)):
        raise errors.SessionNotFound
    return found, part


def _takes_part(session: Session, part: Part, student: Actor) -> bool:
    """Whether the session is one of `sessions_listed` for the student."""
    if part is Part.STUDENT and session.state == SessionState.OPEN:
        return True
    return record_status(session_id=session.id, student_id=student.id) is not None


def session_for_teacher(*, actor: Actor, session_id: str) -> Session:
    """The session, for the teachers of its class. Raises `SessionNotFound`, `TeachersOnly`."""
    found, part = session_for_member(actor=actor, session_id=session_id)
    if not part.teaches:
        raise errors.TeachersOnly
    return found


def record_for_teacher(*, actor: Actor, record_id: str) -> Attendance:
    """The record, for the teachers of its class. Raises `RecordNotFound`, and `TeachersOnly` for its student."""
    found = record_get(record_id)
    part = part_in(found.class_ref, actor) if found.class_ref.removed_at is None else None
    if part is None or not (part.teaches or found.student_id == actor.id):
        raise errors.RecordNotFound
    if not part.teaches:
        raise errors.TeachersOnly
    return found
