"""Delivering: each delivery is taken by one process at a time, and tried again with back-off for three days.

What is told is looked at again before each attempt, so that a correction takes it back. Whoever was told has no row any
more. A process that dies between telling and deleting the row tells again, under the same id of the message, by which
webhooks and mailboxes know it.
"""

import http.client
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation

from accounts.mail import allow, shown_name
from accounts.models import StudentProfile, User
from accounts.standing import address_counts
from attendance.class_report import ClassReport, class_report
from core.database.unit_of_work import unit_of_work
from core.errors import TooManyRequests
from core.sealing import Unreadable
from core.times import now
from notices import wording
from notices.models import Delivery, Notice, Webhook
from notices.posting import BadAddress
from notices.watching import look_at_all, still_holds, withdraw
from notices.webhooks import BACK_OFF, deliver

logger = logging.getLogger(__name__)

#: After so long nobody tries any more.
TRIED_FOR = timedelta(days=3)
#: A delivery that a process has taken is left alone by others for so long.
TAKEN_FOR = timedelta(minutes=2)
_AT_ONCE = 200

FAILURES = (OSError, SMTPException, http.client.HTTPException, BadAddress, Unreadable, TooManyRequests)


class _NotTaken(Exception):
    """The other side answered, and not with success."""


@dataclass
class Outcome:
    """What one round did."""

    looked_at: int = 0
    told: int = 0
    failed: int = 0


@dataclass
class _Round:
    """What one round has read, and at which webhooks it has failed."""

    reports: dict[str, ClassReport] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def report(self, class_id: str) -> ClassReport:
        if class_id not in self.reports:
            self.reports[class_id] = class_report(class_id=class_id)
        return self.reports[class_id]


def send_due(stopping: Callable[[], bool] = lambda: False) -> Outcome:
    """Looks at what is due, and tries once to deliver all that is. Any number of processes may do so at once.

    In a rehearsal it does nothing: the real server has told what is due there, or will.
    """
    if settings.REHEARSAL:
        return Outcome()
    outcome = Outcome(looked_at=look_at_all(now()))
    moment = now()
    this = _Round()
    while not stopping():
        due = Delivery.objects.filter(next_at__lte=moment).select_related("notice__class_ref", "notice__session")
        found = list(due.select_related("webhook", "person").order_by("next_at", "id")[:_AT_ONCE])
        if not found:
            break
        for delivery in found:
            if stopping():
                break
            if _take(delivery):
                _try([delivery, *_together(delivery, moment)], this, outcome)
    return outcome


@unit_of_work
def _take(delivery: Delivery) -> bool:
    """Whether this process is the one to deliver it."""
    mine = Delivery.objects.filter(pk=delivery.pk, next_at=delivery.next_at)
    return bool(mine.update(next_at=now() + TAKEN_FOR, attempts=F("attempts") + 1))


def _together(delivery: Delivery, moment: datetime) -> list[Delivery]:
    """What else the same teacher is to be told by now, taken by this process: it goes into the same mail."""
    if not delivery.is_for_teacher:
        return []
    due = Delivery.objects.filter(person_id=delivery.person_id, is_for_guardian=False, next_at__lte=moment)
    found = due.select_related("notice__class_ref", "notice__session", "person").order_by("next_at", "id")
    return [other for other in found if other.is_for_teacher and _take(other)]


def _try(deliveries: Sequence[Delivery], this: _Round, outcome: Outcome) -> None:
    """Tries to deliver what goes together: one delivery, or several of one teacher."""
    held = []
    for delivery in deliveries:
        if still_holds(delivery.notice, this.report(delivery.notice.class_ref_id)):
            held.append(delivery)
        else:
            withdraw(delivery.notice_id)
    if not held:
        return
    first = held[0]
    if first.webhook_id in this.failed:
        _later(held)
        return
    try:
        if first.webhook is not None:
            _post(first, first.webhook, first.notice, this.report(first.notice.class_ref_id))
        elif first.person is not None:
            told = [(one.notice, this.report(one.notice.class_ref_id)) for one in held]
            _mail(first, first.person, told)
    except (*FAILURES, _NotTaken) as failure:
        outcome.failed += len(held)
        if first.webhook_id is not None:
            this.failed.add(first.webhook_id)
        _failed(held, f"{type(failure).__name__.lstrip('_')}: {failure}")
    else:
        outcome.told += len(held)
        _told(held)


def _post(delivery: Delivery, webhook: Webhook, notice: Notice, report: ClassReport) -> None:
    status = deliver(webhook, f"msg_{delivery.pk}", wording.payload(notice, report), now())
    if status == http.client.GONE:
        _end(webhook)
    elif not 200 <= status < 300:
        raise _NotTaken(f"the answer was {status}")


def _mail(delivery: Delivery, person: User, told: Sequence[tuple[Notice, ClassReport]]) -> None:
    """To nobody whose address may be another's, and to nobody who has none. In the person's language."""
    to, name = person.email if address_counts(person) and person.is_active else "", shown_name(person.name)
    if delivery.is_for_guardian:
        to = StudentProfile.objects.filter(user=person).values_list("guardian_email", flat=True).first() or ""
        name = ""
    if not to:
        return
    if not delivery.is_for_teacher:
        allow(to=to)  # whoever makes classes and ends lessons in a loop fills nobody's mailbox
    with translation.override(person.language or settings.LANGUAGE_CODE):
        content = {"name": name, "sentences": wording.sentences(told), "is_for_teacher": delivery.is_for_teacher}
        message = EmailMultiAlternatives(
            wording.subject(told),
            render_to_string("notices/mail/notice.txt", content),
            to=[to],
            headers={"Auto-Submitted": "auto-generated", "Message-ID": f"<{delivery.pk}@notices.attendance>"},
        )
        message.attach_alternative(render_to_string("notices/mail/notice.html", content), "text/html")
    message.send()


@unit_of_work
def _told(deliveries: Sequence[Delivery]) -> None:
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries]).delete()
    webhook_id = deliveries[0].webhook_id
    if webhook_id is not None:
        Webhook.objects.filter(pk=webhook_id).update(told_at=now())


@unit_of_work
def _end(webhook: Webhook) -> None:
    """The other side says that there is no such webhook any more."""
    Webhook.objects.filter(pk=webhook.pk).update(is_active=False, failed_at=now(), failure="410 Gone")
    Delivery.objects.filter(webhook_id=webhook.pk).delete()


@unit_of_work
def _failed(deliveries: Sequence[Delivery], why: str) -> None:
    first = deliveries[0]
    logger.warning("Notice %s was not delivered, attempt %d: %s", first.pk, first.attempts + 1, why)
    if first.webhook_id is not None:
        Webhook.objects.filter(pk=first.webhook_id).update(failed_at=now(), failure=why[:255])
    _later(deliveries)


@unit_of_work
def _later(deliveries: Sequence[Delivery]) -> None:
    """Those of one mail are tried again together."""
    moment = now()
    pause = timedelta(minutes=BACK_OFF[min(deliveries[0].attempts, len(BACK_OFF) - 1)])
    for delivery in deliveries:
        mine = Delivery.objects.filter(pk=delivery.pk)
        if moment + pause > delivery.created_at + TRIED_FOR:
            logger.error("Notice %s was given up after three days.", delivery.pk)
            mine.delete()
        else:
            mine.update(next_at=moment + pause)
