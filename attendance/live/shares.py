"""What each account's sockets in this process may still have and send, by the rows of `core.limits`.

It is counted in the process: an account whose sockets are at several processes has as much at each of them.
"""

import threading

from core import errors, limits
from core.buckets import Bucket, Remembered
from core.limits import Limit
from core.refusals import count_refusal


class Share:
    """What one account's sockets may still send."""

    __slots__ = ("_buckets", "account", "sockets")

    def __init__(self, account: str = "") -> None:
        self.account = account
        self.sockets = 0
        self._buckets: dict[Limit, Bucket] = {}

    def take(self, limit: Limit, amount: int = 1) -> None:
        """Spends `amount` of a limit that can be saved up. Raises `TooManyRequests`, and spends nothing, if it lacks.

        More than can be saved up is never granted, also not at once to somebody who has spent nothing.
        """
        bucket = self._buckets.get(limit)
        if bucket is None:
            bucket = self._buckets[limit] = Bucket(limit)
        if wait := bucket.take(amount):
            count_refusal(limit.label, account=self.account or None)
            raise errors.TooManyRequests(wait)

    @property
    def is_untouched(self) -> bool:
        """Whether a new share would be the same: the account has no socket, and all that was spent has come again."""
        return not self.sockets and all(bucket.is_full for bucket in self._buckets.values())


class Shares:
    """The shares of the accounts whose sockets are in this process, or that have spent something a moment ago."""

    def __init__(self) -> None:
        self._shares = Remembered(Share, lambda share: share.is_untouched)
        #: Where no live server runs, requests come in threads.
        self._lock = threading.Lock()

    def enter(self, account: str) -> Share:
        """Another socket of the account, which has the account's share. `""` stands for somebody unknown.

        Raises `TooManyRequests` if the account has too many sockets, or opens them too quickly.
        """
        if not account:
            return Share()
        share = self._shares.of(account)
        if share.sockets >= limits.SOCKETS.number and not limits.SOCKETS.is_lifted:
            count_refusal(limits.SOCKETS.label, account=account)
            raise errors.TooManyRequests
        share.take(limits.OPENINGS)
        share.sockets += 1
        return share

    def take(self, account: str, limit: Limit, amount: int) -> None:
        """Spends `amount` of the account's share for a request of it. Raises `TooManyRequests`. From any thread."""
        with self._lock:
            self._shares.of(account).take(limit, amount)

    def leave(self, account: str) -> None:
        """A socket of the account is gone."""
        share = self._shares.get(account)
        if share is not None:
            share.sockets -= 1
