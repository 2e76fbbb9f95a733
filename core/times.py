"""Times, in the precision and the form of the contracts."""

from datetime import UTC, datetime

from django.utils import timezone


def now() -> datetime:
    """The current time in whole milliseconds, which is the precision of the contracts and of every database."""
    moment = timezone.now()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_iso(moment: datetime) -> str:
    """`moment` as JavaScript's `toISOString()` prints it, in UTC: `2025-03-11T10:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_words(seconds: int) -> str:
    """A wait for people to read: `1 second`, `2 minutes`; rounded up."""
    count, unit = (seconds, "second") if seconds < 60 else (-(-seconds // 60), "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
