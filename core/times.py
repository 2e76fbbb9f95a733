"""Times as the contracts print them."""

from datetime import UTC, datetime

from django.utils import timezone


def now() -> datetime:
    """The time in whole milliseconds: what clients are told, and what every database keeps."""
    moment = timezone.now()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_iso(moment: datetime) -> str:
    """JavaScript's `toISOString()`: UTC, milliseconds, `2025-03-11T10:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
