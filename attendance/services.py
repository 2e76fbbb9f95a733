"""What changes sessions and records, marks while a session is live aside (`attendance.live.journal`).

Whoever wins a race is decided by the session's row or a unique constraint, never by a look beforehand.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError
from django.db.models import F

from attendance import selectors
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Focus, Mark, Session, SessionName
from attendance.signals import session_changed
from classes.models import Enrolment
from classes.selectors import class_find, class_get_for_owner
from classes.services import class_create, class_join
from core import errors
from core.identity import Actor
from core.ids import new_id, parse_id
from core.times import now
from core.work import after_commit, unit_of_work


def session_start(*, actor: Actor, class_id: str, move_focus: bool = True) -> Session:
    """Opens a session of a class of `actor`, or resumes the open one unchanged; with `move_focus`, `/ws` means it then.

    Raises `ClassNotFound`, `NotClassTeacher`. An open session that was forgotten ends first.
    """
    try:
        return _open_or_resume(actor, class_id, move_focus)
    except IntegrityError:
        return _open_or_resume(actor, class_id, move_focus)  # another request opened one in between: resume that


@unit_of_work
def _open_or_resume(actor: Actor, class_id: str, move_focus: bool) -> Session:
    found = class_get_for_owner(actor=actor, class_id=class_id)
    session = Session.objects.filter(class_ref=found, state=SessionState.OPEN).first()
    if session is not None and session.last_activity_at < idle_since():
        _end(session.id, forgotten=True)
        session = None
    if session is None:
        moment = now()
        session = Session.objects.create(
            class_ref=found, started_by_id=actor.id, started_at=moment, last_activity_at=moment
        )
    if move_focus:
        _move_focus(session)
    after_commit(lambda: session_changed.send(sender=Session))
    return session


def session_start_by_name(*, actor: Actor, reference: str, class_id: str | None = None) -> Session:
    """Opens or resumes the session that `reference` names, for its teacher `actor`; the focus stays where it is.

    `reference` is the id of an open session; the id of a class, whose session is opened if none is; or a name. A new
    name is given to the open session of the class `class_id`, or, without one, to a session of a new class of its
    own, whose roster is open to whoever joins. A name that a session has already needs no `class_id`.

    Raises `NoActiveSession` (the session is over: neither its id nor its name opens another), `ClassNotFound`,
    `NotClassTeacher`.
    """
    found = selectors.session_find(reference)
    key = parse_id(reference)
    if found is not None and found.id != key and found.class_ref_id == key:
        return session_start(actor=actor, class_id=found.class_ref_id, move_focus=False)
    if found is not None:
        if found.class_ref.teacher_id != actor.id:
            raise errors.NotClassTeacher
        if found.state == SessionState.OPEN and found.last_activity_at < idle_since():
            session_end_forgotten(session_id=found.id)
            raise errors.NoActiveSession
        if found.state != SessionState.OPEN:
            raise errors.NoActiveSession
        return found
    if key is not None and class_find(key) is not None:
        return session_start(actor=actor, class_id=key, move_focus=False)
    try:
        return _start_named(actor, reference, class_id)
    except IntegrityError:
        # The name, or the class's session, was made in between: this time it is found.
        if SessionName.objects.filter(name=reference).exists():
            return session_start_by_name(actor=actor, reference=reference, class_id=class_id)
        return _start_named(actor, reference, class_id)


@unit_of_work
def _start_named(actor: Actor, name: str, class_id: str | None) -> Session:
    if class_id is None:
        class_id = class_create(teacher=actor, name=name, open_roster=True).id
    session = _open_or_resume(actor, class_id, move_focus=False)
    SessionName.objects.create(name=name, session=session)
    return session


def session_join(*, actor: Actor, session_id: str) -> None:
    """Sees to it that the student `actor` is on the roster of an open session; an open roster takes them in.

    Raises `NoActiveSession`, `StudentNotEnrolled`.
    """
    found = Session.objects.filter(pk=session_id, state=SessionState.OPEN).first()
    if found is None:
        raise errors.NoActiveSession
    class_join(actor=actor, class_id=found.class_ref_id)


def _move_focus(session: Session) -> None:
    """Inside a unit of work: `/ws` means `session` from now on."""
    if Focus.objects.filter(session=session).exists():
        return
    if not Focus.objects.update(session=session, number=F("number") + 1):
        Focus.objects.create(session=session)
    Session.objects.filter(pk=session.pk).update(focus_number=Focus.objects.values_list("number", flat=True).get())


def idle_since() -> datetime:
    """A session whose last mark (or start) is before this moment counts as forgotten."""
    return now() - timedelta(minutes=settings.SESSION_IDLE_MINUTES)


@unit_of_work
def session_end(*, session_id: str) -> Session:
    """Ends an open session: every enrolled student without a mark is absent, and all records are written.

    Raises `NoActiveSession` where it is over already: of several at once, one wins.
    """
    if not _end(session_id, forgotten=False):
        raise errors.NoActiveSession
    return Session.objects.get(pk=session_id)


@unit_of_work
def session_end_forgotten(*, session_id: str) -> None:
    """Ends a session that had no mark for SESSION_IDLE_MINUTES; one without any mark is voided."""
    _end(session_id, forgotten=True)


def _end(session_id: str, *, forgotten: bool) -> bool:
    """Inside a unit of work: takes the session's row, then writes the records. False if it was over already."""
    open_session = Session.objects.filter(pk=session_id, state=SessionState.OPEN)
    if forgotten:
        open_session = open_session.filter(last_activity_at__lt=idle_since())
    if not open_session.update(state=SessionState.ENDED, ended_at=now()):
        return False
    after_commit(lambda: session_changed.send(sender=Session))

    # From here on nobody can add a mark, so the journal says all there is to say.
    marks = Mark.objects.filter(session_id=session_id).order_by("seq").values_list("student_id", "status", "method")
    outcome = {student_id: (status, method) for student_id, status, method in marks}
    if forgotten and not outcome:
        Session.objects.filter(pk=session_id).update(state=SessionState.VOIDED)
        return True
    class_id = Session.objects.values_list("class_ref_id", flat=True).get(pk=session_id)
    for student_id in Enrolment.objects.filter(class_ref_id=class_id).values_list("student_id", flat=True):
        outcome.setdefault(student_id, (Status.ABSENT, Method.AUTO))
    Attendance.objects.bulk_create(
        [
            Attendance(
                class_ref_id=class_id, session_id=session_id, student_id=student_id, status=status, method=method
            )
            for student_id, (status, method) in outcome.items()
        ],
        batch_size=1000,
    )
    _store_counts(session_id, [status for status, _ in outcome.values()])
    return True


def _store_counts(session_id: str, statuses: list[str]) -> None:
    present = sum(Status(status).as_basic is Status.PRESENT for status in statuses)
    Session.objects.filter(pk=session_id).update(present_count=present, absent_count=len(statuses) - present)


@unit_of_work
def record_correct(*, by_id: str, record_id: str, status: Status, note: str = "") -> None:
    """Changes a finished session's record, by a new row in the journal that says who and why.

    Raises `NoActiveSession` if the session is not a finished one (any more).
    """
    record = Attendance.objects.select_related("session").get(pk=record_id)
    finished = Session.objects.filter(pk=record.session_id, state=SessionState.ENDED)
    if not finished.update(last_seq=F("last_seq") + 1):
        raise errors.NoActiveSession
    Mark.objects.create(
        id=new_id(),
        session_id=record.session_id,
        seq=Session.objects.values_list("last_seq", flat=True).get(pk=record.session_id),
        student_id=record.student_id,
        status=status,
        at=now(),
        by_id=by_id,
        method=Method.CORRECTION,
        note=note,
    )
    Attendance.objects.filter(pk=record_id).update(status=status, method=Method.CORRECTION)
    statuses = Attendance.objects.filter(session_id=record.session_id).values_list("status", flat=True)
    _store_counts(record.session_id, list(statuses))
