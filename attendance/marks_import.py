"""A session's marks from a file, in two steps: what each line would do, and then that is done.

In an open session the lines become marks (`Method.IMPORT`), in an ended one corrections with a reason. A student whom
the file names twice, whom the class does not have, or whose status or time is none, is listed by line and left out.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

from django.utils.translation import gettext as _

from accounts.limits import take
from accounts.models import User
from attendance.corrections import Correction, session_correct
from attendance.enums import Method, SessionState, Status
from attendance.folding import last_marks
from attendance.live.requests import session_mark
from attendance.marking import Wanted
from attendance.marks_file import MarkLine, lines_of, moment_of, read_marks
from attendance.models import Attendance, Mark, Session
from classes.models import Enrolment
from classes.previews import Kept, PreviewKind, SentFile, preview_get, preview_keep, preview_take
from classes.rosters.tables import Table
from core import errors, limits
from core.characters import without_invisible
from core.database.unit_of_work import unit_of_work
from core.emails import email_key
from core.identity import Actor
from core.roll_numbers import roll_number_key
from core.times import day_of, now


class Outcome(Enum):
    """What becomes of a line."""

    MARKED = "marked"
    UNCHANGED = "marked so already"
    LEFT_OUT = "left out"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A line and what becomes of it. `before` is the student's status now, None without a mark or a record."""

    line: MarkLine
    outcome: Outcome
    reason: str = ""
    student: User | None = None
    before: Status | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MarksPlan:
    """What becomes of all lines, in the file's order. `corrects`: the session has ended, and a reason is needed."""

    rows: Sequence[MarkRow]
    corrects: bool

    def of(self, outcome: Outcome) -> list[MarkRow]:
        return [row for row in self.rows if row.outcome is outcome]

    @property
    def digest(self) -> str:
        """The same for as long as the same would be done."""
        fates = [
            (row.line.line, row.student.id, row.line.status, row.before, row.at, row.line.note)
            for row in self.of(Outcome.MARKED)
            if row.student is not None
        ]
        return hashlib.sha256(repr((self.corrects, fates)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MarksImport:
    """A file with its plan. `token`: what does it; None where it is done."""

    table: Table
    plan: MarksPlan
    token: str | None


def marks_import_preview(*, actor: Actor, session: Session, file: SentFile) -> MarksImport:
    """What the file would do in the session now. Writes nothing but that it was shown.

    Raises `RosterError` for a file that cannot be read, `NoActiveSession` for a voided session, `TooManyRequests`.
    """
    table = read_marks(file, charge=partial(take, limits.SHEET_ROWS, actor.id))
    lines = lines_of(table)
    plan = marks_plan(session=session, lines=lines)
    token = preview_keep(actor=actor, kind=PreviewKind.MARKS, about_id=session.pk, file=file, digest=plan.digest)
    return MarksImport(table, plan, token)


def marks_import(*, actor: Actor, session: Session, token: str, reason: str = "") -> MarksImport:
    """Does what the preview of this token said, once, or nothing. For a thread of a request, outside of a unit of work.

    `reason`: of corrections whose line has no note. Raises `PreviewNotFound`, `Changed` where something else would be
    done by now, `InvalidSchema` where a correction has no reason, and what `session_mark` raises.
    """
    kept = preview_get(actor=actor, kind=PreviewKind.MARKS, about_id=session.pk, token=token)
    table = read_marks(kept.file, charge=partial(take, limits.SHEET_ROWS, actor.id))
    lines = lines_of(table)
    if session.state == SessionState.ENDED:
        return MarksImport(table, _correct(actor, session, lines, reason, kept), None)
    plan = marks_plan(session=session, lines=lines)
    # The marks and the preview are not one unit of work: marks are committed with those of others. Their keys make
    # them once, so that a request which died in between can be sent again.
    if not Mark.objects.filter(session_id=session.pk, key__startswith=f"{kept.id}-").exists():
        if plan.digest != kept.digest:
            raise errors.Changed
        marks_make(actor=actor, session=session, plan=plan, key=kept.id)
    preview_take(kept)
    return MarksImport(table, plan, None)


def marks_plan(*, session: Session, lines: Sequence[MarkLine]) -> MarksPlan:
    """What these lines come to in the session. Raises `NoActiveSession` for a voided one."""
    if session.state == SessionState.VOIDED:
        raise errors.NoActiveSession
    corrects = session.state == SessionState.ENDED
    people, before = _people(session, corrects), _statuses(session, corrects)
    finder = _Finder(people)
    day, moment, seen = day_of(session.started_at), now(), dict[str, int]()
    rows = []
    for line in lines:
        student, problem = finder.find(line) if line.problem is None else (None, line.problem)
        at = moment_of(line.at, day)
        if at is not None and at.second == 0 and at < session.started_at < at + timedelta(minutes=1):
            at = session.started_at  # a list has minutes, and the session began within this one
        if problem is None and at is not None and not session.started_at <= at <= moment:
            problem = _("its time is before the lesson's start, or has not come yet")
        if problem is None and student is not None:
            first = seen.setdefault(student.id, line.line)
            if first != line.line:
                problem = _("it is the same student as line %d: leave one of them out") % first
        if problem is not None or student is None:
            rows.append(MarkRow(line, Outcome.REFUSED, problem or "", student))
            continue
        now_is = before.get(student.id)
        if line.status is None:
            rows.append(MarkRow(line, Outcome.LEFT_OUT, _("it has no status"), student, now_is))
            continue
        same = line.status is now_is and not line.note
        rows.append(MarkRow(line, Outcome.UNCHANGED if same else Outcome.MARKED, "", student, now_is, at))
    return MarksPlan(rows, corrects)


def marks_make(*, actor: Actor, session: Session, plan: MarksPlan, key: str) -> None:
    """Makes the marks of a plan in the open session, all or none; with one `key` they are made once."""
    wanted = [
        Wanted(row.student.id, row.line.status, row.line.note, row.at, f"{key}-{row.line.line}")
        for row in plan.of(Outcome.MARKED)
        if row.student is not None and row.line.status is not None
    ]
    if wanted:
        session_mark(actor=actor, session=session, marks=wanted, method=Method.IMPORT)


def marks_correct(*, actor: Actor, session: Session, plan: MarksPlan, reason: str) -> None:
    """Corrects the records of the ended session as a plan says. `InvalidSchema` where a correction has no reason."""
    changes = [
        Correction(row.student.id, row.line.status, row.line.note or reason.strip())
        for row in plan.of(Outcome.MARKED)
        if row.student is not None and row.line.status is not None
    ]
    if not all(without_invisible(change.note).strip() for change in changes):
        raise errors.InvalidSchema({"reason": [_("The lesson is over: say why its records are corrected.")]})
    if changes:
        session_correct(actor=actor, session_id=session.pk, changes=changes)


@unit_of_work
def _correct(actor: Actor, session: Session, lines: Sequence[MarkLine], reason: str, kept: Kept) -> MarksPlan:
    preview_take(kept)
    plan = marks_plan(session=session, lines=lines)
    if plan.digest != kept.digest:
        raise errors.Changed
    marks_correct(actor=actor, session=session, plan=plan, reason=reason)
    return plan


class _Finder:
    """The class's students by e-mail and by roll number."""

    def __init__(self, people: Sequence[User]) -> None:
        self._by_email = {email_key(one.email): one for one in people if one.email}
        numbers = ((roll_number_key(one.roll_number), one) for one in people)
        self._by_number = {key: one for key, one in numbers if key is not None}

    def find(self, line: MarkLine) -> tuple[User | None, str | None]:
        """The student, or why there is none."""
        by_email = self._by_email.get(email_key(line.email)) if line.email else None
        key = roll_number_key(line.roll_number)
        by_number = self._by_number.get(key) if key is not None else None
        if line.email and by_email is None:
            return None, _("nobody in the class has the e-mail %s") % line.email
        if key is not None and by_number is None and by_email is None:
            return None, _("nobody in the class has the roll number %s") % line.roll_number
        if by_email is not None and by_number is not None and by_email != by_number:
            said = _("the e-mail is %(one)s's, and the roll number %(other)s's: correct one of them")
            return None, said % {"one": by_email.name, "other": by_number.name}
        return by_email or by_number, None


def _people(session: Session, corrects: bool) -> list[User]:
    """Whom a line may name: in an open session who is enrolled today, in an ended one whoever was or has a record."""
    enrolments = Enrolment.objects if corrects else Enrolment.objects.current()
    ids = set(enrolments.filter(class_ref_id=session.class_ref_id).values_list("student_id", flat=True))
    if corrects:
        ids.update(Attendance.objects.filter(session_id=session.pk).values_list("student_id", flat=True))
    return list(User.objects.in_bulk(sorted(ids)).values())


def _statuses(session: Session, corrects: bool) -> Mapping[str, Status]:
    if not corrects:
        return {student_id: mark.status for student_id, mark in last_marks(session.pk).items()}
    records = Attendance.objects.filter(session_id=session.pk).values_list("student_id", "status")
    return {student_id: Status(status) for student_id, status in records}
