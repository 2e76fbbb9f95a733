"""What is left of limits that can be saved up, counted in this process.

A live message cannot afford a row of the database. A check costs 0.3 µs. The library `limits` takes 5.5 to 14 µs for
one in memory, and has no limit that can be saved up.
"""

import time

from core.limits import Limit

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


class Buckets:
    """One limit's buckets, by who is counted. A full one is forgotten after a while."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._buckets: dict[str, Bucket] = {}
        self._looked_at = time.monotonic()

    def take(self, subject: str, amount: int = 1) -> float:
        """`Bucket.take` of the subject's bucket."""
        bucket = self._buckets.get(subject)
        if bucket is None:
            self._forget()
            bucket = self._buckets[subject] = Bucket(self._limit)
        return bucket.take(amount)

    def _forget(self) -> None:
        if time.monotonic() - self._looked_at >= _LOOKING:
            self._looked_at = time.monotonic()
            self._buckets = {subject: bucket for subject, bucket in self._buckets.items() if not bucket.is_full}
