"""The services that change sessions and records. Marks of live sessions are committed by `attendance.live.commit`.

The session's row or a unique constraint decides who wins a race, never a read beforehand.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from accounts.limits import take
from accounts.models import User
from attendance import excuses, journal, selectors
from attendance.enums import Method, SessionState, Status
from attendance.folding import last_marks
from attendance.journal import NewMark
from attendance.models import Attendance, Focus, Mark, Session, SessionName
from attendance.selectors import session_get_for_owner
from attendance.signals import records_written, session_changed
from classes import services as class_services
from classes.models import Class, Enrolment
from classes.selectors import class_exists, class_get, class_get_for_owner
from classes.services import class_create, class_hold, class_join
from classes.students import enrolment_stop
from core import errors, limits
from core.database.prepared import Prepared
from core.database.unit_of_work import after_commit, retry_races, unit_of_work
from core.identity import Actor
from core.ids import parse_id
from core.times import latest, now, today

#: A session that begins so long before its lesson is the lesson's.
EARLY = timedelta(minutes=15)
#: A session that had a mark within this time is in use.
IN_USE = timedelta(minutes=10)
#: A session that opened by itself ends so long after its lesson, and so long after the last mark.
GRACE = timedelta(minutes=10)

_open_session = Prepared(
    lambda class_id: Session.objects.filter(class_ref_id=class_id, state=SessionState.OPEN).order_by()
)
_focus_of = Prepared(lambda session_id: Focus.objects.filter(session_id=session_id).values_list("key", flat=True))


def session_start(*, actor: Actor, class_id: str, move_focus: bool = True) -> Session:
    """Opens a session of a class of `actor`, or resumes the open one unchanged. With `move_focus` it gets the focus.

    An open session that was forgotten ends first. Raises `ClassNotFound`, `NotClassTeacher`, `ClassArchived`, and
    `TooManyRequests` where too many sessions are opened, or the focus is taken too often from sessions that other
    teachers use.
    """
    found = class_get_for_owner(actor=actor, class_id=class_id)
    return session_open(actor=actor, found=found, move_focus=move_focus)[0]


def session_open(*, actor: Actor, found: Class, move_focus: bool) -> tuple[Session, bool]:
    """`session_start`, for somebody whom the caller lets take the class's attendance; and whether the session is new.

    Raises `ClassArchived` for a class that takes no more sessions.
    """
    if found.archived_at is not None:
        raise errors.ClassArchived
    session = _open_session.first(found.id)
    is_live = session is not None and session.last_activity_at >= idle_since()
    if session is not None and is_live and (not move_focus or _focus_of.first(session.id) is not None):
        return session, False  # nothing changes: no transaction is needed, and nobody need be told
    return _open_or_resume(actor, found.id, move_focus)


@retry_races
@unit_of_work
def _open_or_resume(actor: Actor, class_id: str, move_focus: bool) -> tuple[Session, bool]:
    found = class_get(class_id)
    session = Session.objects.filter(class_ref=found, state=SessionState.OPEN).first()
    if session is not None and session.last_activity_at < idle_since():
        _end_forgotten(session.id)
        session = None
    is_new = session is None
    if session is None:
        take(limits.SESSIONS, actor.id)
        class_hold(found.id)
        moment = now()
        session = Session.objects.create(
            class_ref=found, started_by_id=actor.id, started_at=moment, last_activity_at=moment
        )
        _apply_excuses(session)
    if move_focus:
        _move_focus(session, actor)
    after_commit(lambda: session_changed.send(sender=Session))
    return session, is_new


@unit_of_work
def session_open_planned(*, class_id: str, planned_for: datetime, ends_at: datetime, moment: datetime) -> bool:
    """Opens the session of a planned lesson in the name of the class's teacher; False where it is not to be opened.

    That is where the lesson had a session since `planned_for` less EARLY, in whatever state by now, or where one is
    open. An open session of an earlier lesson that opened by itself is not the lesson's: that session ends now. Of
    several processes at once one wins; the others raise IntegrityError, and find the session the next time.
    """
    found = Class.objects.filter(pk=class_id, opens_by_itself=True, removed_at=None, archived_at=None).first()
    sessions = Session.objects.filter(class_ref_id=class_id)
    earlier = Q(ends_at__lte=planned_for)
    was_held = Q(planned_for=planned_for) | Q(state=SessionState.OPEN) | Q(started_at__gte=planned_for - EARLY)
    if found is None or sessions.filter(was_held).filter(Q(ends_at=None) | Q(ends_at__gt=planned_for)).exists():
        return False
    for session_id in sessions.filter(earlier, state=SessionState.OPEN).values_list("id", flat=True):
        _end(session_id, earlier, void_if_empty=True)
    class_hold(class_id)
    session = Session.objects.create(
        class_ref=found,
        started_by_id=found.teacher_id,
        started_at=moment,
        last_activity_at=moment,
        planned_for=planned_for,
        ends_at=ends_at,
    )
    _apply_excuses(session)
    after_commit(lambda: session_changed.send(sender=Session))
    return True


def is_over(moment: datetime) -> Q:
    """The sessions that end by themselves at `moment`: their lesson and the last mark are GRACE ago."""
    return Q(ends_at__lte=moment - GRACE, last_activity_at__lte=moment - GRACE)


@unit_of_work
def session_end_planned(*, session_id: str, moment: datetime) -> None:
    """Ends an open session that `is_over` by `moment`. A session in which nobody did anything is voided."""
    _end(session_id, is_over(moment), void_if_empty=True)


def _apply_excuses(session: Session) -> None:
    """Inside the unit of work that opens a session: marks the students as excused whose excuses were approved."""
    by_student = excuses.approved_at(class_id=session.class_ref_id, moment=session.started_at)
    marks = [
        NewMark(session.id, student_id, Status.EXCUSED, session.started_at, by_id, Method.AUTO, excuses.NOTE)
        for student_id, by_id in by_student.items()
    ]
    if marks:
        journal.append(marks)


@retry_races
def session_start_by_name(*, actor: Actor, reference: str, class_id: str | None = None) -> Session:
    """Opens or resumes the session that `reference` names, for its teacher `actor`; the focus stays where it is.

    `reference` is one of three: the id of an open session; the id of a class, whose session is opened if none is open;
    or a name. A name that a session has already needs no `class_id`. A new name is given to the open session of the
    class `class_id`. Without `class_id` the name is given to a session of a new class of its own, whose roster is open
    to every student who joins.

    Raises `NoActiveSession` if the session is over (neither its id nor its name opens another), `ClassNotFound`,
    `NotClassTeacher`, `TooManyRequests`.
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
    if key is not None and class_exists(key):
        return session_start(actor=actor, class_id=key, move_focus=False)
    return _start_named(actor, reference, class_id)


@unit_of_work
def _start_named(actor: Actor, name: str, class_id: str | None) -> Session:
    take(limits.SESSION_NAMES, actor.id)
    if class_id is None:
        class_id = class_create(teacher=actor, name=name, open_roster=True).id
    found = class_get_for_owner(actor=actor, class_id=class_id)
    session, _ = session_open(actor=actor, found=found, move_focus=False)
    SessionName.objects.create(name=name, session=session)
    return session


def session_join(*, actor: Actor, session_id: str) -> None:
    """Checks that the student `actor` is on the roster of an open session. An open roster takes the student in.

    Raises `NoActiveSession`, `StudentNotEnrolled`.
    """
    found = Session.objects.filter(pk=session_id, state=SessionState.OPEN).first()
    if found is None:
        raise errors.NoActiveSession
    class_join(actor=actor, class_id=found.class_ref_id)


def _move_focus(session: Session, actor: Actor) -> None:
    """Inside a unit of work: gives the focus to `session`, so that `/ws` means this session from now on.

    With one live session at a time, a teacher may take the focus a few times only from a session that another teacher
    is using: whoever started classes in a loop would keep everybody else from marking. Raises `TooManyRequests`.
    """
    if Focus.objects.filter(session=session).exists():
        return
    if settings.LIVE_SESSIONS == "single" and _is_used_by_another(actor):
        take(limits.FOCUS_TAKEN, actor.id)
    if not Focus.objects.update(session=session, number=F("number") + 1):
        Focus.objects.create(session=session)
    Session.objects.filter(pk=session.pk).update(focus_number=Focus.objects.values_list("number", flat=True).get())


def _is_used_by_another(actor: Actor) -> bool:
    """Whether the session that has the focus is another teacher's, and had a mark not long ago."""
    used = Focus.objects.filter(
        session__state=SessionState.OPEN, session__last_seq__gt=0, session__last_activity_at__gt=now() - IN_USE
    )
    teacher_id = used.values_list("session__class_ref__teacher_id", flat=True).first()
    return teacher_id is not None and teacher_id != actor.id


def idle_since() -> datetime:
    """A session whose last mark, or else its start, is before this moment counts as forgotten."""
    return now() - timedelta(minutes=settings.SESSION_IDLE_MINUTES)


@unit_of_work
def session_end(*, session_id: str) -> Session:
    """Ends an open session: every enrolled student without a mark is absent, and all records are written.

    Raises `NoActiveSession` if the session is over already: of several calls at once, one wins.
    """
    if not _end(session_id):
        raise errors.NoActiveSession
    return Session.objects.get(pk=session_id)


@unit_of_work
def session_end_forgotten(*, session_id: str) -> None:
    """Ends a session that had no mark for SESSION_IDLE_MINUTES. A session without any mark is voided."""
    _end_forgotten(session_id)


def _end_forgotten(session_id: str) -> None:
    _end(session_id, Q(last_activity_at__lt=idle_since()), void_if_empty=True)


def _end(session_id: str, *only: Q, void_if_empty: bool = False, ended_at: datetime | None = None) -> bool:
    """Inside a unit of work: takes the session's row, then writes the records.

    False if the session is over already, or is not as `only` says.
    """
    open_session = Session.objects.filter(*only, pk=session_id, state=SessionState.OPEN)
    if not open_session.update(state=SessionState.ENDED, ended_at=ended_at or now()):
        return False
    after_commit(lambda: session_changed.send(sender=Session))

    # From here on nobody can add a mark, so the journal is complete.
    outcome = {student_id: (mark.status, mark.method) for student_id, mark in last_marks(session_id).items()}
    # What an excuse did by itself is nothing that anybody did in the lesson.
    was_used = any(method != Method.AUTO for _, method in outcome.values())
    if void_if_empty and not was_used:
        Session.objects.filter(pk=session_id).update(state=SessionState.VOIDED)
        return True
    class_id = Session.objects.values_list("class_ref_id", flat=True).get(pk=session_id)
    enrolled = Enrolment.objects.current().filter(class_ref_id=class_id)
    for student_id in enrolled.values_list("student_id", flat=True):
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


def counts_store(session_id: str, statuses: Sequence[str]) -> None:
    """Inside a unit of work: the counts of a finished session whose records have these statuses."""
    present = sum(Status(status).as_basic is Status.PRESENT for status in statuses)
    Session.objects.filter(pk=session_id).update(present_count=present, absent_count=len(statuses) - present)


def _store_counts(session_id: str, statuses: list[str]) -> None:
    counts_store(session_id, statuses)
    records_written.send(sender=Session, session_id=session_id)


@unit_of_work
def record_correct(*, by_id: str, record_id: str, status: Status, note: str = "") -> None:
    """Changes a finished session's record. A new row in the journal says who changed the record and why.

    Raises `NoActiveSession` if the session is not finished, or voided by now, and `JournalFull`.
    """
    record = Attendance.objects.get(pk=record_id)
    record_corrections(record.session_id, {record.student_id: status}, by_id=by_id, note=note)


def record_corrections(session_id: str, statuses: Mapping[str, Status], *, by_id: str, note: str = "") -> None:
    """Inside a unit of work: corrections of a finished session, in the journal and in the records."""
    if not statuses:
        return
    _append(session_id, SessionState.ENDED, statuses, by_id=by_id, method=Method.CORRECTION, note=note)
    class_id = Session.objects.values_list("class_ref_id", flat=True).get(pk=session_id)
    records = Attendance.objects.filter(session_id=session_id)
    recorded = set(records.values_list("student_id", flat=True))
    for status in set(statuses.values()):
        students = [student_id for student_id, wanted in statuses.items() if wanted is status]
        records.filter(student_id__in=students).update(status=status, method=Method.CORRECTION)
    Attendance.objects.bulk_create(
        [
            Attendance(
                class_ref_id=class_id,
                session_id=session_id,
                student_id=student_id,
                status=status,
                method=Method.CORRECTION,
            )
            for student_id, status in statuses.items()
            if student_id not in recorded
        ]
    )
    _store_counts(session_id, list(records.values_list("status", flat=True)))


def _append(
    session_id: str,
    state: SessionState,
    statuses: Mapping[str, Status],
    *,
    by_id: str,
    method: Method,
    note: str = "",
) -> None:
    """Inside a unit of work: adds marks to the journal.

    Raises `NoActiveSession` if the state is not `state`, and `JournalFull` if the journal takes no more.
    """
    moment = now()
    marks = [
        NewMark(session_id, student_id, status, moment, by_id, method, note) for student_id, status in statuses.items()
    ]
    seqs = [seq for seq in journal.append(marks, state=state) if seq is not None]
    if len(seqs) < len(marks):
        raise errors.NoActiveSession
    journal.require_room(session_id, seqs[-1], by_id=by_id)


@retry_races
@unit_of_work
def session_record(
    *, actor: Actor, class_id: str, instant: datetime, statuses: Mapping[str, Status], limit: int | None = None
) -> tuple[Session, bool]:
    """Takes a whole record of a class of `actor`, as sent in for an instant; its session, and whether that is new.

    The record ends the class's open session and overrules its marks. If no session is open, the record becomes a
    finished session of that instant. If a session was recorded for this instant before, the record corrects it.
    Students who are not on the roster are left out. Students who are not in `statuses` and have no mark are absent.
    `limit` is how many finished sessions the class may have before.

    Raises `ClassNotFound`, `NotClassTeacher`, `InTheFuture`, `NotVerified` (the limit), `JournalFull`,
    `TooManyRequests`.
    """
    found = class_get_for_owner(actor=actor, class_id=class_id)
    if instant > latest():
        raise errors.InTheFuture
    roster = Enrolment.objects.current().filter(class_ref=found).values_list("student_id", flat=True)
    wanted = {student_id: statuses[student_id] for student_id in roster if student_id in statuses}

    known = Session.objects.filter(class_ref=found, recorded_for=instant).first()
    if known is not None:
        records = Attendance.objects.filter(session=known).values_list("student_id", "status")
        record_corrections(known.id, _changes(dict(records), wanted), by_id=actor.id, note="recorded again")
        return Session.objects.get(pk=known.id), False

    finished = Session.objects.filter(class_ref=found, state=SessionState.ENDED)
    if limit is not None and finished.count() >= limit:
        raise errors.NotVerified
    session = Session.objects.filter(class_ref=found, state=SessionState.OPEN).first()
    if session is not None and session.last_activity_at < idle_since():
        _end_forgotten(session.id)
        session = None
    if session is not None:
        method, ended_at = Method.BULK, None
        marked = {student_id: mark.status.value for student_id, mark in last_marks(session.id).items()}
        wanted = _changes(marked, wanted)
    else:
        take(limits.SESSIONS, actor.id)
        method, ended_at = Method.IMPORT, instant
        class_hold(found.id)
        session = Session.objects.create(
            class_ref=found, started_by_id=actor.id, started_at=instant, last_activity_at=instant
        )
    if wanted:
        _append(session.id, SessionState.OPEN, wanted, by_id=actor.id, method=method)
    if not _end(session.id, ended_at=ended_at):
        raise errors.NoActiveSession
    Session.objects.filter(pk=session.id).update(recorded_for=instant)
    return Session.objects.get(pk=session.id), True


def _changes(before: Mapping[str, str], wanted: Mapping[str, Status]) -> dict[str, Status]:
    """The entries of `wanted` that differ from `before`. Late counts as present, excused as absent."""
    return {
        student_id: status
        for student_id, status in wanted.items()
        if student_id not in before or Status(before[student_id]).as_basic is not status.as_basic
    }


@unit_of_work
def session_flip(*, actor: Actor, session_id: str, student_ids: Sequence[str]) -> None:
    """Corrections in a finished session of a class of `actor`: present becomes absent, and absent present.

    Raises `RecordNotFound`, `NotClassTeacher`, `JournalFull`, and `StudentNotFound` if a student has no record there.
    """
    session = session_get_for_owner(actor=actor, session_id=session_id)
    records = dict(Attendance.objects.filter(session=session).values_list("student_id", "status"))
    if not records.keys() >= set(student_ids):
        raise errors.StudentNotFound
    flipped = {
        student_id: Status.ABSENT if Status(records[student_id]).as_basic is Status.PRESENT else Status.PRESENT
        for student_id in student_ids
    }
    record_corrections(session.id, flipped, by_id=actor.id, note="flipped")


@unit_of_work
def session_void(*, actor: Actor, session_id: str) -> None:
    """Voids a finished session of a class of `actor`: it counts nowhere any more. Its marks stay in the journal.

    Raises `RecordNotFound`, `NotClassTeacher`.
    """
    session = session_get_for_owner(actor=actor, session_id=session_id)
    finished = Session.objects.filter(pk=session.id, state=SessionState.ENDED)
    if not finished.update(state=SessionState.VOIDED, recorded_for=None, present_count=None, absent_count=None):
        raise errors.RecordNotFound
    Attendance.objects.filter(session_id=session.id).delete()
    after_commit(lambda: session_changed.send(sender=Session))


@unit_of_work
def class_delete(*, class_id: str) -> None:
    """Removes a class that never had a session. Raises `ClassNotFound`, `ClassHasSessions`."""
    if Session.objects.filter(class_ref_id=class_id).exists():
        raise errors.ClassHasSessions
    class_services.class_remove(class_id=class_id)


@unit_of_work
def enrolment_end(*, enrolment: Enrolment) -> None:
    """Takes a student off a class from today on: see `classes.students.enrolment_stop`."""
    in_class = {"student_id": enrolment.student_id, "session__class_ref_id": enrolment.class_ref_id}
    has_record = Attendance.objects.filter(**in_class).exists() or Mark.objects.filter(**in_class).exists()
    enrolment_stop(enrolment=enrolment, has_record=has_record)


@unit_of_work
def person_archive(*, user: User) -> None:
    """Somebody leaves the school: they can no longer sign in, and are on no roster from today on. All records stay."""
    for enrolment in Enrolment.objects.filter(student=user).exclude(until__lt=today()):
        enrolment_end(enrolment=enrolment)
    user.is_active = False
    user.save(update_fields=["is_active", "updated_at"])


@unit_of_work
def class_remove(*, actor: Actor, class_id: str) -> None:
    """Removes a class of `actor`. Its open session ends as it stands; a session without any mark is voided.

    Raises `ClassNotFound`, `NotClassTeacher`.
    """
    found = class_get_for_owner(actor=actor, class_id=class_id)
    for session_id in Session.objects.filter(class_ref=found, state=SessionState.OPEN).values_list("id", flat=True):
        _end(session_id, void_if_empty=True)
    class_services.class_remove(class_id=found.id)
