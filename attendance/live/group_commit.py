"""Group commit: marks that arrive while a commit is under way go together into the next one.

So all who wait share a commit's cost (a sync of the disk), and a lone mark waits for nobody.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from attendance.live import gateway
from attendance.live.commit import Refusal, Unit, commit
from attendance.live.facts import EVERYBODY, Audience, Marked
from core import metrics
from core.plurals import counted

logger = logging.getLogger(__name__)

#: Marks in one transaction at most, so that a flood's first marks need not wait for its last.
MAX_BATCH = 1000


class Committed(msgspec.Struct, frozen=True):
    """The marks of a unit, which are in the journal now, in order, and who was told them."""

    marks: Sequence[Marked]
    audience: Audience


#: What became of a unit of marks.
Outcome = Committed | Refusal

#: Tells everybody the marks of a commit, by session, and returns who was told, by session.
Announce = Callable[[Mapping[str, Sequence[Marked]]], Awaitable[Mapping[str, Audience]]]


class GroupCommit:
    """Commits marks in the order of `submit`, one transaction at a time, and announces them after each commit."""

    def __init__(self, announce: Announce) -> None:
        self._announce = announce
        self._waiting: list[tuple[Unit, asyncio.Future[Outcome]]] = []
        self._task: asyncio.Task[None] | None = None
        #: How many marks no transaction has taken yet.
        self.waiting = 0
        #: By session: marks that are neither in the journal nor refused yet.
        self._on_their_way: Counter[str] = Counter()

    def submit(self, unit: Unit) -> asyncio.Future[Outcome]:
        """Queues marks that go together.

        The future is done once the marks are announced. It never raises.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        self.waiting += len(unit.marks)
        self._on_their_way[unit.session_id] += len(unit.marks)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return future

    def on_their_way(self, session_id: str) -> int:
        """How many marks of a session are neither in the journal nor refused yet."""
        return self._on_their_way.get(session_id, 0)

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

    def _next_batch(self) -> list[tuple[Unit, asyncio.Future[Outcome]]]:
        """Units of MAX_BATCH marks together, or one unit that alone has more."""
        marks, count = 0, 0
        for unit, _ in self._waiting:
            if count and marks + len(unit.marks) > MAX_BATCH:
                break
            marks += len(unit.marks)
            count += 1
        self.waiting -= marks
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    def _arrived(self, units: Sequence[Unit]) -> None:
        for unit in units:
            self._on_their_way[unit.session_id] -= len(unit.marks)
            if not self._on_their_way[unit.session_id]:
                del self._on_their_way[unit.session_id]

    async def _commit(self, units: Sequence[Unit]) -> list[Outcome]:
        began = time.perf_counter()
        try:
            outcomes = await gateway.write(commit, units)
        except Exception:
            logger.exception("%s cannot be committed.", counted(sum(len(unit.marks) for unit in units), "mark"))
            return [Refusal.FAILED] * len(units)
        finally:
            self._arrived(units)  # the replica takes them before anything else runs
        committed: dict[str, list[Marked]] = {}
        for unit, outcome in zip(units, outcomes, strict=True):
            if not isinstance(outcome, Refusal):
                committed.setdefault(unit.session_id, []).extend(outcome)
        audiences: Mapping[str, Audience] = {}
        if committed:
            count = sum(map(len, committed.values()))
            metrics.COMMIT_SECONDS.observe(time.perf_counter() - began)
            metrics.COMMIT_MARKS.observe(count)
            metrics.MARKS.inc(count)
            try:
                audiences = await self._announce({key: _once(marks) for key, marks in committed.items()})
            except Exception:
                # The marks are in the journal: the next look finds them there and tells everybody.
                logger.exception("%s could not be announced at once.", counted(count, "committed mark"))
        return [
            outcome if isinstance(outcome, Refusal) else Committed(outcome, audiences.get(unit.session_id, EVERYBODY))
            for unit, outcome in zip(units, outcomes, strict=True)
        ]


def _once(marks: list[Marked]) -> list[Marked]:
    """The marks in order, once each: a mark with a key may be the answer to several units."""
    if all(mark.key is None for mark in marks):
        return marks
    by_seq = {mark.seq: mark for mark in marks}
    return [by_seq[seq] for seq in sorted(by_seq)]
