"""Marks that come by a request: they share commits with those of the sockets, where the live server runs."""

import contextlib
from collections.abc import Collection, Sequence

from attendance.enums import Method, SessionState
from attendance.live.commit import Refusal, Unit, commit
from attendance.live.facts import Marked
from attendance.live.process import live
from attendance.marking import Wanted, new_marks, strangers_of
from attendance.models import Session
from attendance.signals import session_changed
from classes.selectors import student_ids
from core import errors
from core.identity import Actor
from core.limits import MARKS, journal_limit
from core.times import now


def session_mark(*, actor: Actor, session: Session, marks: Sequence[Wanted], method: Method) -> Sequence[Marked]:
    """Marks students of an open session, in order, all or none; the marks once they are committed and told here.

    For a thread of a request, outside of a unit of work. Marks whose keys are in the journal are answered also after
    the session's end, where the journal is full by now, and of students who have left the class since. Raises
    `TooManyRequests`, `NoActiveSession`, `StudentNotEnrolled`, `JournalFull`, `TimeOutsideLesson`, `KeyReused`.
    """
    if not live.is_running:
        live.connections.charge(actor.id, MARKS, len(marks))
        return commit_marks(actor=actor, session=session, marks=marks, method=method)
    told = None
    with contextlib.suppress(errors.NoActiveSession):
        told = live.call(lambda: live.mark_by_id(session.id, marks, by=actor, method=method))
    return told if told is not None else commit_marks(actor=actor, session=session, marks=marks, method=method)


def commit_marks(*, actor: Actor, session: Session, marks: Sequence[Wanted], method: Method) -> Sequence[Marked]:
    """`session_mark` past the live server, which sees the marks at its next look: if there is none, or the session is
    over for it. The caller has charged the marks to the actor's share.
    """
    last_seq = Session.objects.filter(pk=session.id, state=SessionState.OPEN).values_list("last_seq", flat=True).first()
    unknown: Collection[str] = ()
    room = None
    if last_seq is not None:
        roster = set(student_ids(session.class_ref_id))
        unknown = strangers_of(marks, roster)
        room = max(journal_limit(len(roster)) - last_seq, 0)
    made = new_marks(
        marks, session_id=session.id, started_at=session.started_at, by_id=actor.id, method=method, moment=now()
    )
    (outcome,) = commit([Unit(made, room=room, strangers=unknown)])
    if isinstance(outcome, Refusal):
        raise outcome.error
    session_changed.send(sender=Session)
    return outcome
