"""Times as the contracts print them."""

from datetime import UTC, datetime


def to_iso(moment: datetime) -> str:
    """JavaScript's `toISOString()`: UTC, milliseconds, `2025-03-11T10:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
