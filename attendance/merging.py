"""Two accounts of one student become one: all that the second has moves to the first.

Where both have a record of one session the better one holds: present, late, excused, absent. What was moved and what
was overwritten is kept for KEPT, and so long the merge can be undone. The journal keeps every mark; where its last one
says something else than the record that holds, a correction says so.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import StudentProfile, User
from accounts.selectors import student_get
from accounts.services import user_hold
from accounts.signals import person_changed
from accounts.standing import address_counts
from accounts.tokens import void_all
from attendance.enums import Method, SessionState, Status
from attendance.folding import last_marks_by_session
from attendance.journal import NewMark, append
from attendance.ledger import Ledger
from attendance.models import Attendance, Mark, Merge, Session
from attendance.selectors import is_in_open_session
from attendance.services import counts_store
from attendance.signals import records_written, session_changed
from audit.models import Action
from audit.trail import on_pruning, trail
from classes.models import Enrolment, SetAside
from classes.services import class_hold
from core import errors, logs
from core.database.batches import batches
from core.database.personal import declared
from core.database.unit_of_work import after_commit, retry_races, unit_of_work
from core.ids import parse_id
from core.times import now

logger = logging.getLogger(__name__)

#: So long a merge can be undone.
KEPT = timedelta(days=30)
#: Of two records of one session the one whose status stands first holds.
ORDER = (Status.PRESENT, Status.LATE, Status.EXCUSED, Status.ABSENT)
_MERGED, _UNDONE = "two accounts merged", "two accounts apart again"
#: What of a profile goes to the account that stays, where that has nothing.
_PROFILE = ("batch", "branch", "semester", "phone", "enroll", "guardian_email")


@retry_races
@unit_of_work
def students_merge(*, by_id: str, keep_id: str, other_id: str) -> Merge:
    """Moves all that `other_id` has to `keep_id`. Nobody can sign in as the other one then; its tokens end.

    Raises `StudentNotFound`, `InvalidSchema` for one account twice, `AlreadyMerged`, `StudentInSession`.
    """
    keep, other = _held(keep_id, other_id)
    if Merge.objects.filter(other_id__in=[keep.id, other.id]).exists():
        raise errors.AlreadyMerged
    ledger = Ledger()
    both = sorted(_sessions_of(keep) & _sessions_of(other))
    for one in declared():
        if one.moves:
            keys = list(one.table._base_manager.filter(**{one.moves: other.id}).values_list("pk", flat=True))
            ledger.move(one.table, one.moves, keys, before=other.id, after=keep.id)
    _merge_records(ledger, keep, other)
    _merge_enrolments(ledger, keep, other)
    _merge_accounts(ledger, keep, other)
    ledger.agreed = both
    _agree(both, keep, by_id=by_id, note=_MERGED)
    _announce(ledger, keep, other)
    merge = Merge.objects.create(keep=keep, other=other, by_id=by_id, at=now(), before=ledger.packed())
    after_commit(lambda: _note("accounts_merged", "Two accounts of a student became one.", merge, by_id))
    return merge


@unit_of_work
def merge_undo(*, by_id: str, merge_id: str) -> None:
    """Both accounts have what they had; what was changed since stays as it is, with the account that was kept.

    Raises `MergeNotFound`, also for a merge that is older than KEPT; `MergedAgain` where one of the two was merged once
    more since; `StudentInSession`.
    """
    key = parse_id(merge_id)
    merge = Merge.objects.filter(pk=key, at__gt=now() - KEPT).first() if key else None
    if merge is None:
        raise errors.MergeNotFound
    keep, other = _held(merge.keep_id, merge.other_id)
    pair = [keep.id, other.id]
    later = Merge.objects.filter(Q(keep_id__in=pair) | Q(other_id__in=pair), at__gte=merge.at)
    if later.exclude(pk=merge.pk).exists():
        raise errors.MergedAgain
    if not Merge.objects.filter(pk=merge.pk).delete()[0]:
        raise errors.MergeNotFound  # somebody else has just undone it
    ledger = Ledger.unpacked(merge.before)
    ledger.undo(_may_return)
    _agree(ledger.agreed, keep, by_id=by_id, note=_UNDONE)
    _announce(ledger, keep, other)
    after_commit(lambda: _note("merge_undone", "Two accounts of a student are apart again.", merge, by_id))


def merges_listed() -> "QuerySet[Merge]":
    """Those that can be undone, the newest first."""
    return Merge.objects.filter(at__gt=now() - KEPT).select_related("keep", "other", "by")


@unit_of_work
def merges_forget() -> None:
    """What is older than KEPT cannot be undone any more."""
    Merge.objects.filter(at__lte=now() - KEPT).delete()


on_pruning(merges_forget)


def _held(keep_id: str, other_id: str) -> tuple[User, User]:
    keys = [parse_id(keep_id), parse_id(other_id)]
    for key in sorted(filter(None, keys)):
        user_hold(user_id=key)
    keep, other = (student_get(key) for key in keys)
    if keep.id == other.id:
        raise errors.InvalidSchema({"other": [_("The same account as `keep`.")]})
    # A session of one of their classes opens before, so that it is seen here, or after all has moved.
    attended = Enrolment.objects.filter(student_id__in=[keep.id, other.id]).values_list("class_ref_id", flat=True)
    for class_id in sorted(set(attended)):
        class_hold(class_id)
    if is_in_open_session(keep.id) or is_in_open_session(other.id):
        raise errors.StudentInSession
    return keep, other


def _sessions_of(student: User) -> set[str]:
    marked = Mark.objects.filter(student=student).order_by().values_list("session_id", flat=True)
    return {*marked, *Attendance.objects.filter(student=student).values_list("session_id", flat=True)}


def _merge_records(ledger: Ledger, keep: User, other: User) -> None:
    ours = {record.session_id: record for record in Attendance.objects.filter(student=keep)}
    theirs = list(Attendance.objects.filter(student=other))
    alone = [record.pk for record in theirs if record.session_id not in ours]
    ledger.move(Attendance, "student_id", alone, before=other.id, after=keep.id)
    twice = [record for record in theirs if record.session_id in ours]
    overruled: dict[tuple[str, str], list[Attendance]] = {}
    for record in twice:
        own = ours[record.session_id]
        if ORDER.index(Status(record.status)) < ORDER.index(Status(own.status)):
            overruled.setdefault((record.status, record.method), []).append(own)
    for (status, method), records in overruled.items():
        ledger.change(*records, status=status, method=method)
    ledger.remove(*twice)


def _merge_enrolments(ledger: Ledger, keep: User, other: User) -> None:
    ours = {enrolment.class_ref_id: enrolment for enrolment in Enrolment.objects.filter(student=keep)}
    theirs = list(Enrolment.objects.filter(student=other))
    alone = [enrolment.pk for enrolment in theirs if enrolment.class_ref_id not in ours]
    ledger.move(Enrolment, "student_id", alone, before=other.id, after=keep.id)
    for enrolment in theirs:
        own = ours.get(enrolment.class_ref_id)
        if own is not None:
            since, until = _earlier(own.since, enrolment.since), _later(own.until, enrolment.until)
            ledger.change(own, since=since, until=until)
            ledger.remove(enrolment)
    known = {*ours, *SetAside.objects.filter(student=keep).values_list("class_ref_id", flat=True)}
    for waiting in SetAside.objects.filter(student=other):
        if waiting.class_ref_id in known:
            ledger.remove(waiting)
        else:
            ledger.move(SetAside, "student_id", [waiting.pk], before=other.id, after=keep.id)


def _earlier(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else min(one, other)


def _later(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else max(one, other)


def _merge_accounts(ledger: Ledger, keep: User, other: User) -> None:
    """The account that stays gets what it lacks; an address only if it is known to be the student's."""
    own, theirs = (StudentProfile.objects.filter(user=user).first() for user in (keep, other))
    if theirs is not None and own is None:
        ledger.move(StudentProfile, "user_id", [theirs.pk], before=other.id, after=keep.id)
    elif theirs is not None:
        ledger.change(own, **{name: getattr(theirs, name) for name in _PROFILE if not getattr(own, name)})
    if other.roll_number and not keep.roll_number:
        roll_number = other.roll_number
        ledger.change(other, roll_number=None)
        ledger.change(keep, roll_number=roll_number)
    if other.email and not keep.email and address_counts(other):
        address = {"email": other.email, "email_verified_at": other.email_verified_at}
        ledger.change(other, email="", email_verified_at=None)
        ledger.change(keep, **address)
    ledger.change(other, is_active=False)
    void_all(other.id)


def _may_return(rows: Sequence[Any]) -> Sequence[Any]:
    """Of the rows of a table that the merge removed those that still have their place."""
    place = "session_id" if isinstance(rows[0], Attendance) else "class_ref_id"
    places, students = {getattr(row, place) for row in rows}, {row.student_id for row in rows}
    taken: set[str] = set()
    for some in batches(list(places)):
        now_there = type(rows[0]).objects.filter(**{f"{place}__in": some}, student_id__in=students)
        taken.update(now_there.values_list(place, flat=True))
        if place == "session_id":  # one that was opened again, or voided, has no records
            ended = Session.objects.filter(pk__in=some, state=SessionState.ENDED)
            taken.update(set(some) - set(ended.values_list("pk", flat=True)))
    return [row for row in rows if getattr(row, place) not in taken]


def _agree(session_ids: Collection[str], student: User, *, by_id: str, note: str) -> None:
    """Where the student's last mark says something else than the record, a correction says what the record says."""
    marks, moment = [], now()
    for some in batches(list(session_ids), 50):
        folded = last_marks_by_session(some)
        for record in Attendance.objects.filter(student=student, session_id__in=some):
            last = folded[record.session_id].get(student.id)
            if record.status != (last.status if last is not None else Status.ABSENT):
                status, method = Status(record.status), Method.CORRECTION
                marks.append(NewMark(record.session_id, student.id, status, moment, by_id, method, note))
    append(marks, state=SessionState.ENDED)


def _announce(ledger: Ledger, keep: User, other: User) -> None:
    """Counts the sessions in which both were; has rosters, live sessions and notices look again."""
    for some in batches(ledger.agreed, 50):
        statuses: dict[str, list[str]] = {key: [] for key in some}
        for key, status in Attendance.objects.filter(session_id__in=some).values_list("session_id", "status"):
            statuses[key].append(status)
        for key in Session.objects.filter(pk__in=some, state=SessionState.ENDED).values_list("pk", flat=True):
            counts_store(key, statuses[key])
    for user in (keep, other):
        person_changed.send(sender=User, user_id=user.id)
    recorded = Attendance.objects.filter(student_id__in=[keep.id, other.id])
    latest = dict(recorded.order_by("session__started_at").values_list("class_ref_id", "session_id"))
    for session_id in latest.values():
        records_written.send(sender=Session, session_id=session_id)
    after_commit(lambda: session_changed.send(sender=Session))


def _note(name: str, message: str, merge: Merge, by_id: str) -> None:
    """In the log, and of both accounts in the audit log."""
    logs.event(logger, name, message, account=merge.keep_id, other=merge.other_id)
    for user_id in (merge.keep_id, merge.other_id):
        trail.note(Action.CHANGE, name, actor=by_id, kind="user", thing=user_id)
