"""What a notice says: in a mail, and to a webhook."""

from collections.abc import Sequence
from typing import Any

from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.mail import shown_name
from attendance.class_report import ClassReport
from attendance.counting import RULE
from attendance.enums import Status
from attendance.models import Attendance, Session
from core.times import to_iso
from notices.models import Kind, Notice

#: A notice with its class's report.
Told = Sequence[tuple[Notice, ClassReport]]


def subject(told: Told) -> str:
    """In the language that is active, as all of a mail."""
    students = {notice.student_id: _names(notice, report)["student"] for notice, report in told}
    if len(students) == 1:
        return _("Attendance of %s") % next(iter(students.values()))
    return ngettext("Attendance of %d student", "Attendance of %d students", len(students)) % len(students)


def sentences(told: Told) -> list[str]:
    """The mail's sentences. No more than letters of what people have written stands in a mail (`accounts.mail`)."""
    found = [_sentence(notice, report) for notice, report in told]
    # The rule is translated with the pages, which say it under every figure.
    return [*found, _(RULE)] if any(notice.kind == Kind.BELOW for notice, _report in told) else found


def _sentence(notice: Notice, report: ClassReport) -> str:
    line, names = _line(notice, report), _names(notice, report)
    if notice.kind == Kind.AWAY:
        number = line.absent_in_a_row
        text = ngettext(
            "%(student)s was absent from %(number)d lesson of %(class)s, the last one.",
            "%(student)s was absent from the last %(number)d lessons of %(class)s.",
            number,
        )
        return text % {**names, "number": number}
    text = ngettext(
        "%(student)s attended %(percent)s percent of %(total)d lesson of %(class)s, which is less than"
        " %(threshold)d percent.",
        "%(student)s attended %(percent)s percent of %(total)d lessons of %(class)s, which is less than"
        " %(threshold)d percent.",
        line.tally.total,
    )
    tally = {
        "percent": localize(line.tally.percent),
        "total": line.tally.total,
        "threshold": notice.class_ref.threshold,
    }
    return text % {**names, **tally}


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
        "student": shown_name(_line(notice, report).name) or _("a student"),
        "class": shown_name(notice.class_ref.name) or _("a class"),
    }
