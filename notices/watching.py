"""What there is to tell: records that were written are looked at after a while, when corrections have been made.

A row of `Due` is written with the records, in the same unit of work, so that no end of a session is overlooked.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.dispatch import receiver

from attendance.class_report import ClassReport, class_report
from attendance.enums import SessionState
from attendance.models import Session
from attendance.signals import records_written
from classes.models import CoTeacher
from core.database.unit_of_work import retry_races, unit_of_work
from core.times import day_of, local_instant, now
from notices.models import Delivery, Due, Kind, Notice, Webhook


@receiver(records_written)
def watch(sender: type[Session], session_id: str, **kwargs: Any) -> None:
    """Inside the unit of work that writes the records."""
    due_at = now() + timedelta(minutes=settings.NOTICE_DELAY_MINUTES)
    if not Due.objects.filter(pk=session_id).update(due_at=due_at):
        Due.objects.create(session_id=session_id, due_at=due_at)


def look_at_all(until: datetime) -> int:
    """Looks at every session that is due; how many there were."""
    found = list(Due.objects.filter(due_at__lte=until).order_by("due_at").values_list("session_id", "due_at"))
    return sum(look(session_id, due_at) for session_id, due_at in found)


@retry_races
@unit_of_work
def look(session_id: str, due_at: datetime) -> bool:
    """Makes the notices that follow from the session. False if another process does, or it is due later by now."""
    if not Due.objects.filter(pk=session_id, due_at=due_at).delete()[0]:
        return False
    session = Session.objects.select_related("class_ref").get(pk=session_id)
    webhooks = list(Webhook.objects.filter(is_active=True))
    if session.state != SessionState.ENDED or not (webhooks or settings.NOTICE_TO):
        return True
    end = _key_of_end(session)
    if not Notice.objects.filter(key=end).exists():
        _tell(Notice(kind=Kind.ENDED, key=end, class_ref=session.class_ref, session=session), webhooks)
    holds = {key_of(kind, session.class_ref_id, student): (kind, student) for kind, student in holding(session)}
    kinds = (Kind.BELOW, Kind.AWAY)
    standing = Notice.objects.filter(class_ref_id=session.class_ref_id, kind__in=kinds, key__isnull=False)
    known = {str(key): notice_id for key, notice_id in standing.values_list("key", "id")}
    for key in known.keys() - holds.keys():
        withdraw(known[key])
    for key in sorted(holds.keys() - known.keys()):
        kind, student_id = holds[key]
        _tell(Notice(kind=kind, key=key, class_ref=session.class_ref, student_id=student_id), webhooks)
    return True


def holding(session: Session) -> Iterator[tuple[Kind, str]]:
    """Which kinds hold now for which students of the session's class."""
    report = class_report(class_id=session.class_ref_id)
    yield from ((Kind.BELOW, line.id) for line in report.below(session.class_ref.threshold))
    if settings.NOTICE_ABSENCES:
        yield from ((Kind.AWAY, line.id) for line in report.away(settings.NOTICE_ABSENCES))


def still_holds(notice: Notice, report: ClassReport) -> bool:
    """Whether what the notice says is so now. `report` is its class's."""
    match notice.kind:
        case Kind.BELOW:
            return notice.student_id in {line.id for line in report.below(notice.class_ref.threshold)}
        case Kind.AWAY:
            lessons = settings.NOTICE_ABSENCES
            return bool(lessons) and notice.student_id in {line.id for line in report.away(lessons)}
    session = Session.objects.filter(pk=notice.session_id, state=SessionState.ENDED).first()
    return session is not None and notice.key == _key_of_end(session)


@unit_of_work
def withdraw(notice_id: str) -> None:
    """It does not hold any more: who has not been told is not, and when it holds again, that is new."""
    Notice.objects.filter(pk=notice_id).update(key=None)
    Delivery.objects.filter(notice_id=notice_id).delete()


def key_of(kind: Kind, class_id: str, student_id: str) -> str:
    return f"{kind.value} {class_id} {student_id}"


def when_teachers_are_told(moment: datetime) -> datetime:
    """The next time after `moment` at which teachers get one mail with all that there is."""
    if not settings.NOTICE_TEACHERS_AT:
        return moment
    at, day = time.fromisoformat(settings.NOTICE_TEACHERS_AT), day_of(moment)
    today = local_instant(day, at)
    return today if today >= moment else local_instant(day + timedelta(days=1), at)


def _key_of_end(session: Session) -> str:
    """A session that was opened again ends again."""
    return f"{Kind.ENDED.value} {session.pk} {session.openings}"


def _tell(notice: Notice, webhooks: list[Webhook]) -> None:
    notice.created_at = moment = now()
    notice.save(force_insert=True)
    rows = [Delivery(webhook=webhook) for webhook in webhooks if notice.kind in webhook.events.split()]
    if notice.student_id is not None:
        if "students" in settings.NOTICE_TO:
            rows.append(Delivery(person_id=notice.student_id))
        if "guardians" in settings.NOTICE_TO:
            rows.append(Delivery(person_id=notice.student_id, is_for_guardian=True))
        if "teachers" in settings.NOTICE_TO:
            others = CoTeacher.objects.filter(class_ref_id=notice.class_ref_id).values_list("teacher_id", flat=True)
            rows += [Delivery(person_id=key) for key in dict.fromkeys([notice.class_ref.teacher_id, *others])]
    for row in rows:
        row.notice, row.next_at, row.created_at = notice, moment, moment
        if row.is_for_teacher:
            row.next_at = when_teachers_are_told(moment)
    Delivery.objects.bulk_create(rows)
