"""Sessions and records for those who ask by id: who may know of them is what they are to the class."""

from attendance.corrections import record_get
from attendance.models import Attendance, Session
from classes.access import Part, part_in
from core import errors
from core.identity import Actor
from core.ids import parse_id


def session_for_member(*, actor: Actor, session_id: str) -> tuple[Session, Part]:
    """The session with its class, and what `actor` is to the class. `SessionNotFound` for whoever has no part in it."""
    key = parse_id(session_id)
    rows = Session.objects.filter(pk=key, class_ref__removed_at=None).select_related("class_ref")
    found = rows.first() if key else None
    part = part_in(found.class_ref, actor) if found is not None else None
    if found is None or part is None:
        raise errors.SessionNotFound
    return found, part


def session_for_teacher(*, actor: Actor, session_id: str) -> Session:
    """The session, for the teachers of its class. Raises `SessionNotFound`, `TeachersOnly`."""
    found, part = session_for_member(actor=actor, session_id=session_id)
    if not part.teaches:
        raise errors.TeachersOnly
    return found


def record_for_teacher(*, actor: Actor, record_id: str) -> Attendance:
    """The record, for the teachers of its class. Raises `RecordNotFound`, `TeachersOnly`."""
    found = record_get(record_id)
    part = part_in(found.class_ref, actor) if found.class_ref.removed_at is None else None
    if part is None:
        raise errors.RecordNotFound
    if not part.teaches:
        raise errors.TeachersOnly
    return found
