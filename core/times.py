"""Times, in the precision and the form of the contracts."""

import re
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

#: How far ahead of this server's clock another clock may be. An instant further ahead is a mistake: its session would
#: stay the class's last one until it has come.
CLOCKS_DIFFER = timedelta(minutes=5)


def now() -> datetime:
    """The current time in whole milliseconds, which is the precision of the contracts and of every database."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


#: When the request that runs had come whole, before it waited for its turn.
arrived: ContextVar[datetime | None] = ContextVar("arrived", default=None)


def asked_at() -> datetime:
    """When the server had the whole of the request that runs; now where nothing says so.

    For what is good for seconds only: a busy server lets requests wait for their turn, which is no fault of theirs.
    """
    return arrived.get() or now()


def latest() -> datetime:
    """The last instant that is not in the future, as far as clocks differ. No record is later."""
    return now() + CLOCKS_DIFFER


def today() -> date:
    """The day that it is in the school's time (TIME_ZONE)."""
    return datetime.now(timezone.get_current_timezone()).date()


def day_of(moment: datetime) -> date:
    """The day of `moment` in the school's time."""
    return timezone.localdate(moment)


def midnight(day: date, *, days_after: int = 0) -> datetime:
    """The instant at which the local day begins that is so many days after `day`."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=days_after), time.min))


def local_instant(day: date, at: time) -> datetime:
    """The instant, in UTC, of a local time: 09:00 stays 09:00 whatever the clocks do.

    A time that the day does not have, because the clocks go forward, is the next minute that it has. Of one that it has
    twice it is the first.
    """
    naive = datetime.combine(day, at)
    while True:
        # In UTC: two times of one zone are compared and added by their clocks, whatever happens between them.
        moment = timezone.make_aware(naive).astimezone(UTC)
        if timezone.localtime(moment).replace(tzinfo=None) == naive:
            return moment
        naive += timedelta(minutes=1)


def is_far(day: date) -> bool:
    """Whether a day is so far away that times around it may not exist in every zone and database."""
    return not 1900 <= day.year <= 9000


def to_iso(moment: datetime) -> str:
    """`moment` as JavaScript's `toISOString()` prints it, in UTC: `2025-03-11T10:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})\Z", re.ASCII)


def from_iso(text: str) -> datetime | None:
    """The moment that `text` says in the form of RFC 3339, in whole milliseconds; None for anything else."""
    if not _ISO.match(text):
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def in_words(seconds: int) -> str:
    """A wait for people to read: `1 second`, `2 minutes`; rounded up."""
    count, unit = (seconds, "second") if seconds < 60 else (-(-seconds // 60), "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
