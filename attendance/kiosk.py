"""Kiosks: a device at the door with a key for one session, at which students mark themselves by roll number or card."""

from datetime import datetime, timedelta

from django.core import signing

from accounts.cards import card_holder
from accounts.limits import mistakes_counted
from accounts.selectors import account_find, actor_of, user_get
from attendance.check_ins import Done, status_of_now
from attendance.enums import Method, SessionState, Status
from attendance.folding import last_marks
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from attendance.models import Session
from classes.access import part_in
from classes.selectors import is_enrolled
from core import errors, limits
from core.addresses import network_if_known
from core.identity import Actor, Role
from core.times import now

#: A key is good for so long at most, and no longer than its session is open.
KEY_LIFETIME = timedelta(hours=12)
_SALT = "attendance.kiosk"


def kiosk_open(*, actor: Actor, session: Session) -> tuple[str, datetime]:
    """A key with which students of this open session can be marked and nothing else; until when it is good.

    Raises `NoActiveSession`.
    """
    if session.state != SessionState.OPEN:
        raise errors.NoActiveSession
    said = {"session": session.id, "by": actor.id, "version": user_get(actor.id).token_version}
    return signing.dumps(said, salt=_SALT), now() + KEY_LIFETIME


def kiosk_mark(*, key: str, code: str, address: str | None) -> tuple[Done, str]:
    """Marks the student of the session's roster whose roll number or card this is; and the student's name.

    Whoever is in already stays as they are. Raises `Unauthorized` for a key that is not good, also where its maker no
    longer teaches the class, or the maker's tokens were voided since; `NoActiveSession`, `StudentNotEnrolled`,
    `TooManyRequests`.
    """
    try:
        said = signing.loads(key, salt=_SALT, max_age=KEY_LIFETIME)
    except signing.BadSignature:
        raise errors.Unauthorized from None
    session = Session.objects.filter(pk=said["session"]).select_related("class_ref").get()
    try:
        maker = user_get(said["by"])
    except errors.UserNotFound:
        raise errors.Unauthorized from None
    actor = actor_of(maker)
    part = part_in(session.class_ref, actor)
    is_voided = maker.token_version != said.get("version")
    if is_voided or not maker.is_active or part is None or not part.teaches:
        raise errors.Unauthorized
    if session.state != SessionState.OPEN:
        raise errors.NoActiveSession
    with mistakes_counted((limits.CHECK_INS_AT_ADDRESS, network_if_known(address))):
        student = account_find(role=Role.STUDENT, roll_number=code) or card_holder(code)
        if student is None or not is_enrolled(actor=actor_of(student), class_id=session.class_ref_id):
            raise errors.StudentNotEnrolled
    mark = last_marks(session.id).get(student.id)
    if mark is not None and mark.status in (Status.PRESENT, Status.LATE):
        return Done(session.id, session.class_ref.name, mark.status), student.name
    status = status_of_now(session)
    session_mark(actor=actor, session=session, marks=[Wanted(student.id, status)], method=Method.SELF)
    return Done(session.id, session.class_ref.name, status), student.name
