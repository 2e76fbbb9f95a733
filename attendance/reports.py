"""What every report is made of: the sessions that were held, and the records of them that count."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from attendance.enums import Status
from attendance.models import Attendance
from attendance.selectors import finished_sessions, finished_sessions_of_school
from classes.models import Enrolment, covers
from core.times import day_of, midnight


@dataclass(frozen=True, slots=True)
class Held:
    """A finished session: when it was held (aware), and how many were present and absent in the two basic words."""

    id: str
    class_id: str
    held_at: datetime
    present: int
    absent: int


def sessions_held(*class_ids: str, since: date | None = None, until: date | None = None) -> list[Held]:
    """The classes' finished sessions that were held on the local days `since` to `until`, the oldest first."""
    return _held(finished_sessions(*class_ids), since, until)


def sessions_held_at_school(*, since: date | None = None, until: date | None = None) -> list[Held]:
    """The same of all classes."""
    return _held(finished_sessions_of_school(since=midnight(since) if since is not None else None), since, until)


def _held(finished: "QuerySet[Any]", since: date | None, until: date | None) -> list[Held]:
    if since is not None:
        finished = finished.filter(held_at__gte=midnight(since))
    if until is not None:
        finished = finished.filter(held_at__lt=midnight(until, days_after=1))
    rows = finished.order_by("held_at", "id")
    columns = rows.values_list("id", "class_ref_id", "held_at", "present_count", "absent_count")
    return [Held(key, class_id, at, present or 0, absent or 0) for key, class_id, at, present, absent in columns]


class Counted(NamedTuple):
    """A record that counts, and the session that it is of."""

    id: str
    session: Held
    student_id: str
    status: Status


def counted_records(
    held: Sequence[Held], records: "QuerySet[Attendance]", enrolments: "QuerySet[Enrolment]"
) -> Iterator[Counted]:
    """Of `records` those that count: of the sessions `held`, and of a day within the student's enrolment.

    `enrolments` has those of all students of the records. This is the one function that says which records count; what
    they come to says `attendance.counting.Tally`.
    """
    sessions = {session.id: (session, day_of(session.held_at)) for session in held}
    columns = enrolments.values_list("class_ref_id", "student_id", "since", "until")
    enrolled = {(class_id, student_id): (since, until) for class_id, student_id, since, until in columns}
    statuses = {status.value: status for status in Status}
    rows = records.order_by().values_list("id", "session_id", "student_id", "status")
    for key, session_id, student_id, status in rows.iterator(chunk_size=2000):
        session, day = sessions.get(session_id, (None, None))
        if session is None or day is None:
            continue
        since, until = enrolled.get((session.class_id, student_id), (None, None))
        if covers(since=since, until=until, day=day):
            yield Counted(key, session, student_id, statuses[status])


def session_headings(started_at: Sequence[datetime]) -> list[str]:
    """The local starts of sessions to the minute, and no two the same.

    An offset tells the hour that comes twice in autumn apart, seconds two sessions of one minute, and a number those of
    one second.
    """
    local = [timezone.localtime(at) for at in started_at]
    headings = [f"{at:%Y-%m-%d %H:%M}" for at in local]
    for heading, number in Counter(headings).items():
        if number > 1:
            columns = [column for column, other in enumerate(headings) if other == heading]
            for column, apart in zip(columns, _apart([local[column] for column in columns]), strict=True):
                headings[column] = apart
    return headings


def _apart(moments: Sequence[datetime]) -> list[str]:
    """Different texts for moments of the same local minute."""
    has_offset = len({at.utcoffset() for at in moments}) > 1
    offsets = [f" {at.isoformat()[-6:]}" if has_offset else "" for at in moments]
    texts = [f"{at:%Y-%m-%d %H:%M}{offset}" for at, offset in zip(moments, offsets, strict=True)]
    if len(set(texts)) < len(texts):
        texts = [f"{at:%Y-%m-%d %H:%M:%S}{offset}" for at, offset in zip(moments, offsets, strict=True)]
    seen: Counter[str] = Counter()
    for column, text in enumerate(texts):
        seen[text] += 1
        if seen[text] > 1:
            texts[column] = f"{text} ({seen[text]})"
    return texts
