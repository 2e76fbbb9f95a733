"""What a teacher does in an open session besides marking single students: marks the rest, and undoes.

Both depend on all marks so far, so each of them is one transaction that takes the session's row first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import F

from attendance import journal
from attendance.enums import Method, SessionState, Status
from attendance.folding import last_marks
from attendance.journal import NewMark
from attendance.marking import Wanted, new_marks
from attendance.models import Mark, Session
from attendance.signals import session_changed
from classes.selectors import student_ids
from core import errors
from core.database.unit_of_work import after_commit, unit_of_work
from core.identity import Actor
from core.ids import new_id
from core.times import now

#: So many actions of one person in one session can be undone, the last of them.
UNDONE = 20
#: The marks of these methods are actions that their maker can undo.
_BY_HAND = (Method.TEACHER, Method.BULK)


@unit_of_work
def session_mark_rest(*, actor: Actor, session_id: str, status: Status) -> list[tuple[int, NewMark]]:
    """Marks every student of the roster who has no mark; each mark with its seq. Raises `NoActiveSession`."""
    session = _take(session_id)
    marked = last_marks(session_id)
    rest = [Wanted(student_id, status) for student_id in student_ids(session.class_ref_id) if student_id not in marked]
    marks = new_marks(
        rest,
        session_id=session_id,
        started_at=session.started_at,
        by_id=actor.id,
        method=Method.BULK,
        moment=now(),
    )
    return _append(marks)


class Undone(NamedTuple):
    """What was undone: for each student the status that the action had given, and the marks that take it back."""

    before: Mapping[str, Status | None]
    marks: list[tuple[int, NewMark]]


@unit_of_work
def session_undo(*, actor: Actor, session_id: str) -> Undone:
    """Undoes the last action of `actor` in this session that is not undone yet.

    Each student of the action has the status again that the journal gives them without it. A student whom somebody has
    marked since keeps that mark. Raises `NoActiveSession`, `NothingToUndo`.
    """
    _take(session_id)
    history = _History.read(session_id)
    action = history.last_of(actor.id)
    if action is None:
        raise errors.NothingToUndo
    before = history.statuses_of(action)
    statuses = history.without(action)
    moment, own = now(), new_id()
    marks = [
        NewMark(
            session_id,
            student_id,
            statuses.get(student_id),
            moment,
            actor.id,
            Method.BULK if len(before) > 1 else Method.TEACHER,
            action=own,
            undoes=action,
        )
        for student_id in before
    ]
    return Undone(before, _append(marks))


class _Row(NamedTuple):
    action: str
    undoes: str | None
    student_id: str
    status: Status | None
    by_id: str
    method: str


@dataclass(slots=True)
class _History:
    """A session's journal by actions, in order."""

    rows: list[_Row]
    undone: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, session_id: str) -> "_History":
        columns = ("id", "action", "undoes", "student_id", "status", "by_id", "method")
        found = Mark.objects.filter(session_id=session_id).order_by("seq").values_list(*columns)
        rows = [
            _Row(action or key, undoes, student_id, Status(status) if status else None, by_id, method)
            for key, action, undoes, student_id, status, by_id, method in found
        ]
        return cls(rows, {row.undoes for row in rows if row.undoes is not None})

    def last_of(self, person_id: str) -> str | None:
        """The person's last action that is not undone, among their last UNDONE."""
        mine = [
            row.action for row in self.rows if row.by_id == person_id and row.undoes is None and row.method in _BY_HAND
        ]
        last = list(dict.fromkeys(mine))[-UNDONE:]
        return next((action for action in reversed(last) if action not in self.undone), None)

    def statuses_of(self, action: str) -> dict[str, Status | None]:
        return self._fold(lambda row: row.action == action)

    def without(self, action: str) -> dict[str, Status | None]:
        """Each student's status without this action, and without what was undone before."""
        gone = {*self.undone, action}
        return self._fold(lambda row: row.undoes is None and row.action not in gone)

    def _fold(self, counts: Callable[[_Row], bool]) -> dict[str, Status | None]:
        return {row.student_id: row.status for row in self.rows if counts(row)}


def _take(session_id: str) -> Session:
    """The open session, whose row nobody else changes until the unit of work ends. Raises `NoActiveSession`.

    MongoDB takes no note of a write that changes nothing. There two units of work meet at the row when they add marks,
    and one of them runs again.
    """
    if not Session.objects.filter(pk=session_id, state=SessionState.OPEN).update(last_seq=F("last_seq")):
        raise errors.NoActiveSession
    return Session.objects.get(pk=session_id)


def _append(marks: list[NewMark]) -> list[tuple[int, NewMark]]:
    seqs = [seq for seq in journal.append(marks, is_activity=True) if seq is not None]
    if seqs:
        journal.require_room(marks[-1].session_id, seqs[-1], by_id=marks[-1].by_id)
    after_commit(lambda: session_changed.send(sender=Session))
    return list(zip(seqs, marks, strict=True))  # the session's row is taken, so that no mark is refused
