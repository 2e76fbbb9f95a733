"""What is changed after a session's end: corrections with their reason, and the session that is opened again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from accounts.limits import take
from accounts.selectors import names_of
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Mark, Session
from attendance.services import record_corrections
from attendance.signals import session_changed
from classes.selectors import was_enrolled
from classes.services import class_hold
from core import errors, limits
from core.database.unit_of_work import after_commit, retry_races, unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.times import now

#: A session can be opened again for so long after its end.
REOPENED_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Correction:
    """A student's status from now on, and why."""

    student_id: str
    status: Status
    note: str


@unit_of_work
def session_correct(*, actor: Actor, session_id: str, changes: Sequence[Correction]) -> list[Attendance]:
    """Corrects records of an ended session, all or none; the records as they are now, in the order of `changes`.

    A student who was left out gets a record. Raises `SessionNotEnded`, and `StudentNotEnrolled` for somebody who has no
    record and was never in the class.
    """
    # The row is taken first: nobody opens the session again meanwhile.
    taken = Session.objects.filter(pk=session_id, state=SessionState.ENDED)
    if not taken.update(last_activity_at=F("last_activity_at")):
        raise errors.SessionNotEnded
    class_id = Session.objects.values_list("class_ref_id", flat=True).get(pk=session_id)
    records = Attendance.objects.filter(session_id=session_id)
    recorded = set(records.values_list("student_id", flat=True))
    for change in changes:
        if change.student_id not in recorded and not was_enrolled(student_id=change.student_id, class_id=class_id):
            raise errors.StudentNotEnrolled
    for note, statuses in _together(changes):
        record_corrections(session_id, statuses, by_id=actor.id, note=note)
    after_commit(lambda: session_changed.send(sender=Session))
    found = {record.student_id: record for record in records.all()}
    return [found[student_id] for student_id in dict.fromkeys(change.student_id for change in changes)]


def _together(changes: Sequence[Correction]) -> Iterator[tuple[str, dict[str, Status]]]:
    """The changes in their order, those that follow each other with one reason and different students together."""
    statuses: dict[str, Status] = {}
    for at, change in enumerate(changes):
        statuses[change.student_id] = change.status
        after = changes[at + 1] if at + 1 < len(changes) else None
        if after is None or after.note != change.note or after.student_id in statuses:
            yield change.note, statuses
            statuses = {}


def record_get(record_id: str) -> Attendance:
    """The record, with its session and class. Raises `RecordNotFound`."""
    key = parse_id(record_id)
    rows = Attendance.objects.filter(pk=key).select_related("session", "class_ref")
    found = rows.first() if key else None
    if found is None:
        raise errors.RecordNotFound
    return found


def record_history(record: Attendance) -> list[Mapping[str, Any]]:
    """How the record came about, the oldest first: `{seq, status, at, by_id, by_name, method, note}`.

    A student whom the end made absent has a line of the end, which nobody made: its `seq` and `by_id` are None.
    """
    marks = Mark.objects.filter(session_id=record.session_id, student_id=record.student_id).order_by("seq")
    columns = ("seq", "status", "at", "by_id", "method", "note")
    lines: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in marks.values_list(*columns)]
    before_end = [line for line in lines if line["method"] != Method.CORRECTION]
    if not before_end or not before_end[-1]["status"]:
        at: datetime | None = record.session.ended_at
        line = {"seq": None, "status": Status.ABSENT, "at": at, "by_id": None, "method": Method.AUTO, "note": ""}
        lines.insert(len(before_end), line)
    names = names_of({line["by_id"] for line in lines if line["by_id"] is not None})
    return [{**line, "status": line["status"] or None, "by_name": names.get(line["by_id"])} for line in lines]


def is_reopenable(session: Session, moment: datetime) -> bool:
    """Whether `session_reopen` opens the session at `moment`."""
    later = Session.objects.filter(class_ref_id=session.class_ref_id, started_at__gt=session.started_at)
    return (
        session.state == SessionState.ENDED
        and session.ended_at is not None
        and session.ended_at > moment - REOPENED_WITHIN
        and session.class_ref.archived_at is None
        and not later.exclude(state=SessionState.VOIDED).exists()
    )


@retry_races
@unit_of_work
def session_reopen(*, actor: Actor, session_id: str) -> Session:
    """Opens an ended session again, as it was before the end: whom only the end made absent has no mark.

    Raises `TooManyRequests`, and `ReopenRefused` if the session ended more than a day ago, was not ended, or is not its
    class's last any more.
    """
    session, moment = Session.objects.get(pk=session_id), now()
    if not is_reopenable(session, moment):
        raise errors.ReopenRefused
    ended = Session.objects.filter(pk=session_id, state=SessionState.ENDED, ended_at__gt=moment - REOPENED_WITHIN)
    opened = {
        "state": SessionState.OPEN,
        "ended_at": None,
        "present_count": None,
        "absent_count": None,
        "recorded_for": None,
        "ends_at": None,
        "last_activity_at": moment,
        "openings": F("openings") + 1,
    }
    take(limits.SESSIONS, actor.id)  # the next end writes every record anew
    class_hold(session.class_ref_id)
    if not ended.update(**opened):  # somebody else was first
        raise errors.ReopenRefused
    Attendance.objects.filter(session_id=session_id).delete()
    after_commit(lambda: session_changed.send(sender=Session))
    return Session.objects.get(pk=session_id)
