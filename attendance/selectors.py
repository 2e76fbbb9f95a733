"""What others read of sessions and records."""

from django.db.models import QuerySet

from accounts.selectors import names_of
from attendance.enums import SessionState, Status
from attendance.models import Attendance, Mark, Session, SessionName
from attendance.sheets import Entry, Sheet
from classes.selectors import class_find, class_get_for_student, student_names
from core import errors
from core.identity import Actor
from core.ids import parse_id


def status_in_last_session(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in its last finished session; None before one is finished.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    return found.id, _recorded(found.id, actor.id)


def status_so_far(*, actor: Actor, class_id: str) -> tuple[str, Status | None]:
    """The class's id and the student's status in its open session, None until marked; in its last finished session
    while none is open.

    Raises `ClassNotFound`, `NotEnrolled`.
    """
    found = class_get_for_student(actor=actor, class_id=class_id)
    open_session = Session.objects.filter(class_ref=found, state=SessionState.OPEN).values("id").first()
    if open_session is None:
        return found.id, _recorded(found.id, actor.id)
    marks = Mark.objects.filter(session_id=open_session["id"], student_id=actor.id).order_by("-seq")
    return found.id, _first_status(marks)


def _recorded(class_id: str, student_id: str) -> Status | None:
    finished = Session.objects.filter(class_ref_id=class_id, state=SessionState.ENDED).order_by("-ended_at")
    last = finished.values("id").first()
    return last and _first_status(Attendance.objects.filter(session_id=last["id"], student_id=student_id))


def _first_status(rows: QuerySet[Mark] | QuerySet[Attendance]) -> Status | None:
    status = rows.values_list("status", flat=True).first()
    return Status(status) if status else None


def session_find(reference: str) -> Session | None:
    """The session that a client's `reference` names, open or over, with its class; None where there is none.

    The id of a session, the id of a class (its open session, else the one that it ended last), or a name.
    """
    sessions = Session.objects.select_related("class_ref")
    key = parse_id(reference)
    if key is not None:
        found = sessions.filter(pk=key).first()
        if found is not None:
            return found
        if class_find(key) is not None:
            of_class = sessions.filter(class_ref_id=key)
            return (
                of_class.filter(state=SessionState.OPEN).first()
                or of_class.filter(state=SessionState.ENDED).order_by("-ended_at").first()
            )
    named = SessionName.objects.filter(name=reference).select_related("session__class_ref").first()
    return named.session if named is not None else None


def session_sheet(session_id: str) -> Sheet:
    """What an ended session's records say, and who made the marks; of an open one, what it would come to now."""
    row = Session.objects.select_related("class_ref__teacher").get(pk=session_id)
    records = dict(Attendance.objects.filter(session_id=session_id).values_list("student_id", "status"))
    marks = Mark.objects.filter(session_id=session_id).order_by("seq")
    columns = marks.values_list("student_id", "at", "by_id", "status")
    marked = {student_id: (at, by_id, status) for student_id, at, by_id, status in columns}
    statuses = {student_id: status for student_id, (_, _, status) in marked.items()} | records
    roster = student_names(row.class_ref_id)
    if row.state != SessionState.OPEN:
        roster = {student_id: name for student_id, name in roster.items() if student_id in statuses}
    names = roster | names_of(statuses.keys() - roster.keys())
    entries = []
    for student_id, name in names.items():
        at, by_id, _ = marked.get(student_id, (None, None, None))
        status = statuses.get(student_id)
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

    Raises `NoActiveSession` where there is none, or only one that was voided; `NotClassTeacher`.
    """
    found = session_find(reference)
    if found is None or found.state == SessionState.VOIDED:
        raise errors.NoActiveSession
    if found.class_ref.teacher_id != actor.id:
        raise errors.NotClassTeacher
    return session_sheet(found.id)
