"""Enrolments are begun and ended. Whoever puts students on a roster does it here."""

from collections.abc import Sequence
from datetime import date

from classes.models import Enrolment, announce_roster, covers
from core.database.batches import batches
from core.database.unit_of_work import unit_of_work
from core.times import today

_BATCH = 1000


@unit_of_work
def enrol(class_id: str, student_ids: Sequence[str], *, since: date | None = None, until: date | None = None) -> None:
    """Puts students on a roster who are not on it today, from `since` (today) to `until` (without end).

    Somebody who was on it before goes on: the first day stays, or moves back to `since`. Raises IntegrityError where
    another request has just enrolled one of them.
    """
    first = since or today()
    known: set[str] = set()
    for some in batches(list(student_ids)):
        rows = Enrolment.objects.filter(class_ref_id=class_id, student_id__in=some)
        before = [row for row in rows if not covers(since=row.since, until=row.until, day=today())]
        known.update(row.student_id for row in before)
        again = Enrolment.objects.filter(pk__in=[row.pk for row in before])
        again.filter(since__gt=first).update(since=first)
        again.update(until=until)
    Enrolment.objects.bulk_create(
        [
            Enrolment(class_ref_id=class_id, student_id=student_id, since=first, until=until)
            for student_id in student_ids
            if student_id not in known
        ],
        batch_size=_BATCH,
    )
    announce_roster(class_id)
