"""Reads of sessions and records."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import DateTimeField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.selectors import names_of
from attendance.enums import SessionState, Status
from attendance.folding import last_marks
from attendance.models import Attendance, CheckInDevice, Focus, Mark, Session, SessionName
from attendance.sheets import Entry, Sheet
from classes.models import CoTeacher, Enrolment
from classes.selectors import class_exists, class_get_for_student, student_names
from core import errors
from core.database.prepared import Prepared
from core.identity import Actor
from core.ids import parse_id
from core.times import CLOCKS_DIFFER, latest


def finished_sessions(*class_ids: str) -> "QuerySet[Any]":
    """The classes' finished sessions. Each has `held_at`: when it began, or the instant that it was recorded for."""
    return _finished().filter(class_ref_id__in=class_ids)


def finished_sessions_of_school(*, since: datetime | None) -> "QuerySet[Any]":
    """The finished sessions of all classes, each with `held_at`. Of earlier ones than `since` most are left out."""
    finished = _finished()
    # By an index: no session ended before it was held, but for an instant that another clock said.
    return finished if since is None else finished.filter(ended_at__gte=since - CLOCKS_DIFFER)


def _finished() -> "QuerySet[Any]":
    held_at = Coalesce("recorded_for", "started_at", output_field=DateTimeField())
    return Session.objects.filter(state=SessionState.ENDED).annotate(held_at=held_at)


def status_in_last_session(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in the class's last finished session; None if there is none.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    return found.id, _recorded(found.id, actor.id)


def status_so_far(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in its open session, None until the student is marked.

    If no session is open, the status is that of the last finished session, None if there is none.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    open_session = Session.objects.filter(class_ref_id=found.id, state=SessionState.OPEN).values("id").first()
    if open_session is None:
        return found.id, _recorded(found.id, actor.id)
    marks = Mark.objects.filter(session_id=open_session["id"], student_id=actor.id).order_by("-seq")
    status = marks.values_list("status", flat=True).first()
    return found.id, Status(status) if status else None


_record = Prepared(
    lambda session_id, student_id: (
        Attendance.objects.filter(session_id=session_id, student_id=student_id)
        .order_by()
        .values_list("status", flat=True)
    )
)
#: When the class's last finished session ended, and what its record says of the student.
_last_finished = Prepared(
    lambda class_id, student_id: (
        Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED)
        .order_by("-ended_at")
        .values_list(
            "ended_at",
            Subquery(Attendance.objects.filter(session_id=OuterRef("pk"), student_id=student_id).values("status")[:1]),
        )[:1]
    )
)


def record_status(*, session_id: str, student_id: str) -> str | None:
    """What the session's record says of the student; None without one."""
    return _record.first(session_id, student_id)


def _recorded(class_id: str, student_id: str) -> Status | None:
    ended_at, status = _last_finished.first(class_id, student_id) or (None, None)
    if ended_at is not None and ended_at > latest():  # recorded before such instants were refused
        last = _finished_by_now(class_id).values_list("id", flat=True).first()
        status = record_status(session_id=last, student_id=student_id) if last is not None else None
    return Status(status) if status is not None else None


def statuses_so_far(*, student_id: str, class_ids: Sequence[str]) -> dict[str, Status]:
    """Class id → what `status_so_far` says of the student there. Classes without such a status are left out.

    As many queries for many classes as for one.
    """
    live = open_sessions(class_ids)
    found: dict[str, Status | str] = {}
    marks = Mark.objects.filter(session_id__in=[session.id for session in live.values()], student_id=student_id)
    class_of = {session.id: class_id for class_id, session in live.items()}
    for session_id, status in marks.order_by("seq").values_list("session_id", "status"):
        found[class_of[session_id]] = status
    ended = Session.objects.filter(class_ref_id__in=class_ids, state=SessionState.ENDED, ended_at__lte=latest())
    last = ended.order_by().values("class_ref_id").annotate(last=Max("ended_at"))
    is_last = [
        Q(class_ref_id=row["class_ref_id"], ended_at=row["last"]) for row in last if row["class_ref_id"] not in live
    ]
    if is_last:
        sessions = ended.filter(reduce(or_, is_last)).order_by("id").values_list("id", "class_ref_id")
        class_of = dict(sessions)
        records = Attendance.objects.filter(session_id__in=list(class_of), student_id=student_id).order_by()
        found |= {class_of[session_id]: status for session_id, status in records.values_list("session_id", "status")}
    return {class_id: Status(status) for class_id, status in found.items() if status}


def _finished_by_now(class_id: str) -> "QuerySet[Session]":
    """The class's finished sessions, the last one first."""
    finished = Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED, ended_at__lte=latest())
    return finished.order_by("-ended_at")


def session_find(reference: str) -> Session | None:
    """The session that a client's `reference` names, open or over, with its class; None if there is none.

    `reference` is the id of a session, the id of a class (its open session, else the one that ended last), or a name.
    """
    sessions = Session.objects.select_related("class_ref")
    key = parse_id(reference)
    if key is not None:
        found = sessions.filter(pk=key).first()
        if found is not None:
            return found
        if class_exists(key):
            of_class = sessions.filter(class_ref_id=key)
            return (
                of_class.filter(state=SessionState.OPEN).first()
                or _finished_by_now(key).select_related("class_ref").first()
            )
    named = SessionName.objects.filter(name=reference).select_related("session__class_ref").first()
    return named.session if named is not None else None


def session_sheet(session_id: str) -> Sheet:
    """An ended session's records and who made the marks; of an open session, what its end would write now."""
    row = Session.objects.select_related("class_ref__teacher").get(pk=session_id)
    records = dict(Attendance.objects.filter(session_id=session_id).values_list("student_id", "status"))
    marked = last_marks(session_id)
    statuses = {student_id: mark.status.value for student_id, mark in marked.items()} | records
    roster = student_names(row.class_ref_id)
    if row.state != SessionState.OPEN:
        roster = {student_id: name for student_id, name in roster.items() if student_id in statuses}
    names = roster | names_of(statuses.keys() - roster.keys())
    entries = []
    for student_id, name in names.items():
        mark, status = marked.get(student_id), statuses.get(student_id)
        at, by_id = (None, None) if mark is None else (mark.at, mark.by_id)
        entries.append(Entry(student_id, name, None if status is None else Status(status), at, by_id))
    return Sheet(
        session_id=row.id,
        class_id=row.class_ref_id,
        class_name=row.class_ref.name,
        teacher_id=row.class_ref.teacher_id,
        teacher_name=row.class_ref.teacher.name,
        state=SessionState(row.state),
        started_at=row.started_at,
        ended_at=row.ended_at,
        entries=tuple(entries),
    )


def session_sheet_for_owner(*, actor: Actor, reference: str) -> Sheet:
    """The sheet of the session that `reference` names, for its teacher `actor`, open or ended.

    Raises `NoActiveSession` if there is none or it was voided, `NotClassTeacher`.
    """
    found = session_find(reference)
    if found is None or found.state == SessionState.VOIDED:
        raise errors.NoActiveSession
    if found.class_ref.teacher_id != actor.id:
        raise errors.NotClassTeacher
    return session_sheet(found.id)


def session_get_for_owner(*, actor: Actor, session_id: str) -> Session:
    """A finished session of a class that `actor` teaches. Raises `RecordNotFound`, `NotClassTeacher`."""
    key = parse_id(session_id)
    finished = Session.objects.filter(pk=key, state=SessionState.ENDED).select_related("class_ref")
    session = finished.first() if key else None
    if session is None or session.class_ref.removed_at is not None:
        raise errors.RecordNotFound
    if session.class_ref.teacher_id != actor.id:
        raise errors.NotClassTeacher
    return session


def session_class_id(session_id: str) -> str:
    """The class of a finished session. Raises `RecordNotFound`."""
    key = parse_id(session_id)
    finished = Session.objects.filter(pk=key, state=SessionState.ENDED, class_ref__removed_at=None)
    class_id = finished.values_list("class_ref_id", flat=True).first() if key else None
    if class_id is None:
        raise errors.RecordNotFound
    return str(class_id)


def statuses_of_session(session_id: str) -> dict[str, Status]:
    """The records of a session, by the students' ids."""
    records = Attendance.objects.filter(session_id=session_id).order_by("id")
    return {student_id: Status(status) for student_id, status in records.values_list("student_id", "status")}


def records_of_student(*, student_id: str, class_id: str) -> list[tuple[datetime, Status]]:
    """The student's records in the class's finished sessions: when each was held, and the status. Oldest first."""
    held = dict(finished_sessions(class_id).values_list("id", "held_at"))
    records = Attendance.objects.filter(class_ref_id=class_id, student_id=student_id)
    found = [
        (held[session_id], Status(status))
        for session_id, status in records.values_list("session_id", "status")
        if session_id in held
    ]
    return sorted(found, key=lambda record: record[0])


def statuses_by_class(*, student_id: str, class_ids: Sequence[str]) -> dict[str, list[Status]]:
    """The student's records in finished sessions of each of these classes."""
    found: dict[str, list[Status]] = {class_id: [] for class_id in class_ids}
    records = Attendance.objects.filter(
        student_id=student_id, class_ref_id__in=list(class_ids), session__state=SessionState.ENDED
    )
    for class_id, status in records.values_list("class_ref_id", "status"):
        found[class_id].append(Status(status))
    return found


class OpenSession(NamedTuple):
    """A session that is under way."""

    id: str
    class_id: str
    started_at: datetime


def open_sessions(class_ids: Collection[str]) -> dict[str, OpenSession]:
    """Class id → the class's open session. Classes without one are left out. One query, and none for no class."""
    if not class_ids:
        return {}
    rows = Session.objects.filter(class_ref_id__in=list(class_ids), state=SessionState.OPEN)
    columns = rows.order_by().values_list("id", "class_ref_id", "started_at")
    return {class_id: OpenSession(key, class_id, started_at) for key, class_id, started_at in columns}


class FocusedSession(NamedTuple):
    """The open session that has the focus."""

    session_id: str
    class_id: str
    teacher_id: str


def session_in_focus() -> FocusedSession | None:
    """The session that has the focus, while it is open."""
    open_focus = Focus.objects.filter(session__state=SessionState.OPEN)
    columns = open_focus.values_list("session_id", "session__class_ref_id", "session__class_ref__teacher_id")
    row = columns.first()
    return FocusedSession(*row) if row is not None else None


def is_in_open_session(user_id: str) -> bool:
    """Whether a session is open in a class that the person attends or teaches, or in which they have a mark."""
    attended = Enrolment.objects.current().filter(student_id=user_id).values_list("class_ref_id", flat=True)
    shared = CoTeacher.objects.filter(teacher_id=user_id).values_list("class_ref_id", flat=True)
    open_now = Session.objects.filter(state=SessionState.OPEN)
    theirs = Q(class_ref_id__in=[*attended, *shared]) | Q(class_ref__teacher_id=user_id) | Q(started_by_id=user_id)
    if open_now.filter(theirs).exists():
        return True
    return Mark.objects.filter(student_id=user_id, session_id__in=list(open_now.values_list("id", flat=True))).exists()


@dataclass(frozen=True, slots=True)
class OwnDevice:
    """A device with which a student has checked in, in so many lessons, the last of which began at `last_at`."""

    key: str
    lessons: int
    last_at: datetime

    @property
    def is_app(self) -> bool:
        """Whether it is known by an app's token, and not by a browser's cookie."""
        return self.key.startswith("token:")

    @property
    def short(self) -> str:
        """As much of the key as tells a person's devices apart."""
        return self.key.removeprefix("token:")[:6]


def devices_of(student_id: str) -> list[OwnDevice]:
    """The devices with which the student has checked in, the last used one first."""
    rows = CheckInDevice.objects.filter(student_id=student_id).values_list("device", "session__started_at")
    used: dict[str, list[datetime]] = {}
    for device, moment in rows:
        used.setdefault(device, []).append(moment)
    found = [OwnDevice(device, len(moments), max(moments)) for device, moments in used.items()]
    return sorted(found, key=lambda device: device.last_at, reverse=True)
