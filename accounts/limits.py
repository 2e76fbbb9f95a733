"""Limits on guessing: so many failures within a time, for an account and for an address, across processes.

An attempt is counted before anything is checked or hashed, and taken back if it succeeds: however many come at
once, no more than `number` are looked at. Addresses are limited by failures only, because a school sits behind one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils.crypto import salted_hmac

from accounts.models import Attempts
from core import errors
from core.database.unit_of_work import retry_races, unit_of_work
from core.times import now


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `number` of what `name` says within `window`, which begins with the first."""

    name: str
    number: int
    window: timedelta


#: Wrong passwords.
LOGIN_ACCOUNT = Limit("login account", 10, timedelta(minutes=15))
LOGIN_ADDRESS = Limit("login address", 1000, timedelta(minutes=15))
#: Wrong one-time codes. Of 900,000 codes nobody guesses one in this many tries.
CODE_ACCOUNT = Limit("code account", 15, timedelta(hours=1))
CODE_ADDRESS = Limit("code address", 300, timedelta(minutes=15))
#: Codes asked for. AttenTrack's app asks for one at every start while its owner is unverified.
CODES_SENT = Limit("codes sent", 60, timedelta(hours=1))
#: Wrong codes of a class's session.
SELF_MARKS = Limit("self marks", 10, timedelta(minutes=10))

#: Rows this much older than their time are deleted when a new one is made.
_KEPT = timedelta(days=1)


def take(limit: Limit, subject: str) -> None:
    """Counts one attempt of `subject`; `TooManyRequests` if there is none left."""
    _take([(limit, subject)])


def refuse_if_full(limit: Limit, subject: str) -> None:
    """`TooManyRequests` if no attempt is left. Counts nothing: for checks that must not write when all is well."""
    if Attempts.objects.filter(pk=_key(limit, subject), until__gt=now(), number__gte=limit.number).exists():
        raise errors.TooManyRequests


@contextmanager
def failures_counted(*subjects: tuple[Limit, str | None]) -> Iterator[None]:
    """Counts the block as an attempt of each subject (None: nobody), unless it succeeds.

    `TooManyRequests`, and nobody's attempt is counted, if one of them has none left.
    """
    known = [(limit, subject) for limit, subject in subjects if subject is not None]
    _take(known)
    yield
    _give_back(known)


def _key(limit: Limit, subject: str) -> str:
    return salted_hmac("accounts.limits", f"{limit.name}\n{subject}", algorithm="sha256").hexdigest()


@retry_races
@unit_of_work
def _take(subjects: Sequence[tuple[Limit, str]]) -> None:
    for limit, subject in subjects:
        if not _count(_key(limit, subject), limit):
            raise errors.TooManyRequests


def _count(key: str, limit: Limit) -> bool:
    moment = now()
    row = Attempts.objects.filter(pk=key)
    if row.filter(until__gt=moment, number__lt=limit.number).update(number=F("number") + 1):
        return True
    if row.filter(until__lte=moment).update(number=1, until=moment + limit.window):
        return True
    if row.filter(until__gt=moment, number__gte=limit.number).exists():
        return False  # any other row has just come from somebody else: making it, below, loses that race
    Attempts.objects.filter(until__lt=moment - _KEPT).delete()
    Attempts.objects.create(key=key, number=1, until=moment + limit.window)
    return True


@unit_of_work
def _give_back(subjects: Sequence[tuple[Limit, str]]) -> None:
    for limit, subject in subjects:
        Attempts.objects.filter(pk=_key(limit, subject), number__gt=0).update(number=F("number") - 1)
