"""What a notice says: in a mail, and to a webhook."""

from typing import Any

from accounts.mail import shown_name
from attendance.class_report import ClassReport
from attendance.counting import RULE
from attendance.enums import Status
from attendance.models import Attendance, Session
from core.times import to_iso
from notices.models import Kind, Notice


def subject(notice: Notice, report: ClassReport) -> str:
    return f"Attendance of {_names(notice, report)['student']}"


def sentences(notice: Notice, report: ClassReport) -> list[str]:
    """The mail's sentences. No more than letters of what people have written stands in a mail (`accounts.mail`)."""
    line, names = _line(notice, report), _names(notice, report)
    if notice.kind == Kind.AWAY:
        return [f"{names['student']} was absent from the last {line.absent_in_a_row} lessons of {names['class']}."]
    return [
        f"{names['student']} attended {line.tally.percent} percent of {line.tally.total} lessons of {names['class']},"
        f" which is less than {notice.class_ref.threshold} percent.",
        RULE,
    ]


def payload(notice: Notice, report: ClassReport) -> dict[str, Any]:
    """What a webhook is told: `{type, timestamp, data}`, as Standard Webhooks has it."""
    data = {"classId": notice.class_ref_id, "className": notice.class_ref.name}
    session = notice.session
    facts = _facts_of_end(session) if session is not None else _facts_of_student(notice, report)
    return {"type": notice.kind, "timestamp": to_iso(notice.created_at), "data": {**data, **facts}}


def _facts_of_end(session: Session) -> dict[str, Any]:
    statuses = list(Attendance.objects.filter(session_id=session.pk).values_list("status", flat=True))
    return {
        "sessionId": session.pk,
        "startedAt": to_iso(session.started_at),
        "endedAt": to_iso(session.ended_at) if session.ended_at else None,
        "counts": {status.value: statuses.count(status.value) for status in Status},
    }


def _facts_of_student(notice: Notice, report: ClassReport) -> dict[str, Any]:
    line = _line(notice, report)
    facts: dict[str, Any] = {"studentId": line.id, "name": line.name, "rollNumber": line.roll_number}
    if notice.kind == Kind.AWAY:
        return {**facts, "absentInARow": line.absent_in_a_row}
    tally = line.tally
    counted = {"attended": tally.attended, "total": tally.total, "percent": tally.percent}
    return {**facts, **counted, "threshold": notice.class_ref.threshold}


def _line(notice: Notice, report: ClassReport) -> Any:
    return report.of_student(notice.student_id or "")


def _names(notice: Notice, report: ClassReport) -> dict[str, str]:
    return {
        "student": shown_name(_line(notice, report).name) or "a student",
        "class": shown_name(notice.class_ref.name) or "a class",
    }
