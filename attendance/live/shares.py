"""What each account's sockets in this process may still have and send, by the rows of `core.limits`.

A live message cannot afford a row of the database, so this is counted in the process: an account whose sockets are at
several processes has as much at each of them. A check costs 0.3 µs. The library `limits` takes 5.5 to 14 µs
for one in memory, and has no limit that can be saved up.
"""

import asyncio
import time

from core import errors, limits
from core.limits import Limit
from core.refusals import count_refusal

#: An account without a socket is forgotten after this long, seconds: by then it has saved up everything again.
KEPT = 30.0


class _Bucket:
    """What is left of one limit. The amounts are reckoned once, because settings are slow to read."""

    __slots__ = ("each", "saved", "spent_until")

    def __init__(self, limit: Limit) -> None:
        window = limit.window.total_seconds()
        #: The time in which one comes again, and in which all that may be saved up comes again, seconds.
        self.each = 0.0 if limit.is_lifted else window / limit.number
        self.saved = window * limit.saved + self.each / 2  # half a one, for the rounding of floats
        #: The time at which everything that was spent has come again.
        self.spent_until = 0.0


class Share:
    """What one account's sockets may still send."""

    __slots__ = ("_buckets", "account", "forgetting", "sockets")

    def __init__(self, account: str = "") -> None:
        self.account = account
        self.sockets = 0
        self.forgetting: asyncio.TimerHandle | None = None
        self._buckets: dict[Limit, _Bucket] = {}

    def take(self, limit: Limit, amount: int = 1) -> None:
        """Spends `amount` of a limit that can be saved up. Raises `TooManyRequests`, and spends nothing, if it lacks.

        More than can be saved up is never granted, also not at once to somebody who has spent nothing.
        """
        bucket = self._buckets.get(limit)
        if bucket is None:
            bucket = self._buckets[limit] = _Bucket(limit)
        moment = time.monotonic()
        spent_until = bucket.spent_until
        spent_until = max(spent_until, moment)
        spent_until += bucket.each * amount
        if spent_until - moment > bucket.saved:
            count_refusal(limit.label, account=self.account or None)
            raise errors.TooManyRequests(spent_until - moment - bucket.saved)
        bucket.spent_until = spent_until


class Shares:
    """The shares of the accounts whose sockets are in this process, or were until a moment ago."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}

    def enter(self, account: str) -> Share:
        """Another socket of the account, which has the account's share. `""` stands for somebody unknown.

        Raises `TooManyRequests` if the account has too many sockets.
        """
        if not account:
            return Share()
        share = self._shares.setdefault(account, Share(account))
        if share.sockets >= limits.SOCKETS.number and not limits.SOCKETS.is_lifted:
            count_refusal(limits.SOCKETS.label, account=account)
            raise errors.TooManyRequests
        share.sockets += 1
        return share

    def take(self, account: str, limit: Limit, amount: int) -> None:
        """Spends `amount` of the account's share for a request of it. Raises `TooManyRequests`."""
        share = self._shares.setdefault(account, Share(account))
        if not share.sockets:
            self._forget_later(share)
        share.take(limit, amount)

    def leave(self, account: str) -> None:
        """A socket of the account is gone."""
        share = self._shares.get(account)
        if share is None:
            return
        share.sockets -= 1
        if not share.sockets:
            self._forget_later(share)

    def _forget_later(self, share: Share) -> None:
        """Forgets the share after KEPT, unless it is used until then."""
        if share.forgetting is not None:
            share.forgetting.cancel()
        share.forgetting = asyncio.get_running_loop().call_later(KEPT, self._forget, share)

    def _forget(self, share: Share) -> None:
        if not share.sockets and self._shares.get(share.account) is share:
            del self._shares[share.account]
