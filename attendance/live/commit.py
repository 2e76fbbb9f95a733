"""Group commit: marks that arrive while a commit is under way go together into the next one.

So a commit's cost (a sync of the disk) is shared by all who wait for it, and a lone mark waits for nobody.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from attendance.live import gateway, journal
from attendance.live.journal import Refusal
from attendance.live.statements import NewMark

logger = logging.getLogger(__name__)

#: Marks in one transaction at most, so that a flood's first marks need not wait for its last.
MAX_BATCH = 1000

#: What became of a mark: its seq, or why it is not in the journal. Of several in one unit: the last one's.
Outcome = int | Refusal


class GroupCommit:
    """Commits marks in the order of `submit`, one transaction at a time.

    `committed` is called with each batch's accepted marks, after the commit and before anybody's future
    is done: whoever awaits a mark finds it in the replica.
    """

    def __init__(self, committed: Callable[[Sequence[NewMark]], Awaitable[None]]) -> None:
        self._committed = committed
        self._waiting: list[tuple[Sequence[NewMark], asyncio.Future[Outcome]]] = []
        self._task: asyncio.Task[None] | None = None
        #: Marks that no transaction has taken yet.
        self.waiting = 0

    def submit(self, *unit: NewMark) -> asyncio.Future[Outcome]:
        """Queues a mark, or several of one session that go together: all of them or none. The future never raises."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        self.waiting += len(unit)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return future

    async def drain(self) -> None:
        """Returns when nothing waits any more."""
        while self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = self._next_batch()
                outcomes = await self._commit([unit for unit, _ in batch])
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    if not future.done():
                        future.set_result(outcome)
        finally:
            self._task = None

    def _next_batch(self) -> list[tuple[Sequence[NewMark], asyncio.Future[Outcome]]]:
        """Units of MAX_BATCH marks together, or one that alone has more."""
        marks, count = 0, 0
        for unit, _ in self._waiting:
            if count and marks + len(unit) > MAX_BATCH:
                break
            marks += len(unit)
            count += 1
        self.waiting -= marks
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _commit(self, units: list[Sequence[NewMark]]) -> list[Outcome]:
        try:
            outcomes = await gateway.write(journal.commit_units, units)
        except Exception:
            logger.exception("%d marks cannot be committed.", sum(map(len, units)))
            return [Refusal.FAILED] * len(units)
        accepted: list[NewMark] = []
        for unit, outcome in zip(units, outcomes, strict=True):
            if isinstance(outcome, int):
                for seq, mark in enumerate(unit, start=outcome - len(unit) + 1):
                    mark.seq = seq
                accepted += unit
        try:
            await self._committed(accepted)
        except Exception:
            # They are in the journal: the next look finds them there and tells everybody.
            logger.exception("%d committed marks could not be announced at once.", len(accepted))
        return outcomes
