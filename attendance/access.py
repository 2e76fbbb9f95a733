"""Sessions and records for those who ask by id: who may know of them is what they are to the class."""

from attendance.corrections import record_get
from attendance.models import Attendance, Session
from attendance.overview import sessions_listed
from classes.access import Part, part_in
from core import errors
from core.identity import Actor
from core.ids import parse_id


def session_for_member(*, actor: Actor, session_id: str) -> tuple[Session, Part]:
    """The session with its class, and what `actor` is to the class.

    Raises `SessionNotFound` for whoever has no part in the class, and for a student who has none in the session: one
    that is over without a record of theirs, or an open one while they are not enrolled.
    """
    key = parse_id(session_id)
    rows = Session.objects.filter(pk=key, class_ref__removed_at=None).select_related("class_ref")
    found = rows.first() if key else None
    part = part_in(found.class_ref, actor) if found is not None else None
    if found is None or part is None:
        raise errors.SessionNotFound
    if not part.teaches and not sessions_listed(found.class_ref_id, student_id=actor.id).filter(pk=found.pk).exists():
        raise errors.SessionNotFound
    return found, part


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
