"""What is left of limits that can be saved up, counted in this process.

A live message cannot afford a row of the database. A check costs 0.3 µs. The library `limits` takes 5.5 to 14 µs for
one in memory, and has no limit that can be saved up.
"""

import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from core.limits import Limit

Kept = TypeVar("Kept")

#: Between two looks for subjects that need not be remembered, seconds.
_LOOKING = 30.0


class Bucket:
    """What is left of one limit. The amounts are reckoned once, because settings are slow to read."""

    __slots__ = ("_each", "_saved", "_spent_until")

    def __init__(self, limit: Limit) -> None:
        window = limit.window.total_seconds()
        #: The time in which one comes again, and in which all that may be saved up comes again, seconds.
        self._each = 0.0 if limit.is_lifted else window / limit.number
        self._saved = window * limit.saved + self._each / 2  # half a one, for the rounding of floats
        #: The time at which everything that was spent has come again.
        self._spent_until = 0.0

    def take(self, amount: int = 1) -> float:
        """Spends `amount` and returns 0. If so much is not there, spends nothing and returns the wait for it, seconds.

        More than can be saved up is never granted, also not at once to somebody who has spent nothing.
        """
        moment = time.monotonic()
        spent_until = max(self._spent_until, moment) + self._each * amount
        if spent_until - moment > self._saved:
            return spent_until - moment - self._saved
        self._spent_until = spent_until
        return 0.0

    @property
    def is_full(self) -> bool:
        """Whether everything that was spent has come again: a new bucket would have as much."""
        return self._spent_until <= time.monotonic()


class Remembered(Generic[Kept]):
    """What is kept of each subject, made when it is first asked for.

    Every half a minute, when a new subject comes, those that `is_idle` says are like new are forgotten.
    """

    def __init__(self, make: Callable[[str], Kept], is_idle: Callable[[Kept], bool]) -> None:
        self._make, self._is_idle = make, is_idle
        self._kept: dict[str, Kept] = {}
        self._looked_at = time.monotonic()

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def get(self, subject: str) -> Kept | None:
        return self._kept.get(subject)

    def of(self, subject: str) -> Kept:
        kept = self._kept.get(subject)
        if kept is None:
            self._forget()
            kept = self._kept[subject] = self._make(subject)
        return kept

    def _forget(self) -> None:
        if time.monotonic() - self._looked_at >= _LOOKING:
            self._looked_at = time.monotonic()
            self._kept = {subject: kept for subject, kept in self._kept.items() if not self._is_idle(kept)}


class Buckets:
    """One limit's buckets, by who is counted."""

    def __init__(self, limit: Limit) -> None:
        self._buckets = Remembered(lambda _: Bucket(limit), lambda bucket: bucket.is_full)

    def take(self, subject: str, amount: int = 1) -> float:
        """`Bucket.take` of the subject's bucket."""
        return self._buckets.of(subject).take(amount)
