"""The school's report: what the records of each class come to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count

from attendance.counting import Tally
from attendance.enums import SessionState, Status
from attendance.models import Attendance, Session
from attendance.reports import midnight
from classes.models import Class


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class: how many lessons it had, and what their records come to."""

    id: str
    name: str
    teacher: str
    lessons: int
    tally: Tally


def school_report(*, since: date | None = None, until: date | None = None) -> Sequence[ClassLine]:
    """A line for each class that had a lesson on the local days `since` to `until`, both included, by name.

    It counts all records of these lessons, also of days outside of an enrolment. Three queries.
    """
    sessions = Session.objects.filter(state=SessionState.ENDED, class_ref__removed_at=None)
    if since is not None:
        sessions = sessions.filter(started_at__gte=midnight(since))
    if until is not None:
        sessions = sessions.filter(started_at__lt=midnight(until, days_after=1))
    lessons = Counter(sessions.values_list("class_ref_id", flat=True))
    numbers: dict[str, Counter[Status | None]] = {key: Counter() for key in lessons}
    rows = Attendance.objects.filter(session__in=sessions.values("id")).order_by().values("class_ref_id", "status")
    for row in rows.annotate(number=Count("id")):
        numbers[row["class_ref_id"]][Status(row["status"])] = row["number"]
    found = Class.objects.filter(pk__in=list(lessons)).select_related("teacher")
    lines = [
        ClassLine(one.id, one.name, one.teacher.name, lessons[one.id], Tally.of(numbers[one.id].elements()))
        for one in found
    ]
    return sorted(lines, key=lambda line: (line.name.casefold(), line.id))
