"""A clock and database threads that keep an example's pace, not the computer's: the same choices are the same run.

How soon a thread answers decides which of two marks is the first, and whether a process that dies has told of its last
commit. How late it is decides whether a client who is refused causes another look. If the computer decided that, an
example that Hypothesis runs again would be another one. So both are choices of the example.
"""

import asyncio
import itertools
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest
from django.db import connections
from django.db.models import QuerySet

from attendance.live import events, gateway, hub, look, replica
from core import buckets
from core.database.failures import DATABASE_ERRORS

R = TypeVar("R")

#: No timer of the live sessions is longer. Whoever still waits then waits for what never comes.
LONGEST_WAIT = 60.0  # seconds

#: The thread that runs here, if its calls pause.
_here = threading.local()
_fetch_all = QuerySet._fetch_all


class _Clock(selectors.DefaultSelector):
    """Where an event loop would wait for its next timer, the clock goes on instead."""

    moment = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout != 0:
            if timeout is None or timeout > LONGEST_WAIT:
                raise AssertionError("the event loop waits for what never comes")
            self.moment += timeout
        return found


class PacedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes when there is nothing to do, and by `skip`."""

    def __init__(self) -> None:
        self._clock = _Clock()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.moment

    def skip(self, seconds: float) -> None:
        self._clock.moment += seconds


class PacedThread:
    """Stands for a thread of `attendance.live.gateway`. The event loop stands still while it works.

    A call is made in steps: it begins, goes on after each pause, and is answered. `pace` says how many more turns of
    the loop than one each step waits for. With `pauses` a call pauses before each query, so that what the other thread
    commits comes in between.
    """

    def __init__(self, pace: Callable[[], int], *, pauses: bool) -> None:
        self._pace = pace
        self._pauses = pauses
        self._thread = ThreadPoolExecutor(1)  # one, which keeps its connection
        self._calls: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._has_ended = True
        self._stopped, self._may_go_on = threading.Semaphore(0), threading.Semaphore(0)

    async def call(self, work: Callable[[], R]) -> R:
        """What `work` returns or raises. A call that is cancelled before its turn is never made."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._calls.append((future, work))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        return await future

    def forget(self) -> None:
        """For the next event loop: ends the call that runs, and makes none of those that wait."""
        while not self._has_ended:
            self._go_on()
        self._calls.clear()
        self._serving = None

    def close(self) -> None:
        self.forget()
        self._thread.submit(connections.close_all).result()
        self._thread.shutdown()

    async def _serve(self) -> None:
        while self._calls:
            await self._turns()
            future, work = self._calls.popleft()
            if future.cancelled():
                continue
            running = self._begin(work)
            while not self._has_ended:
                await self._turns()
                self._go_on()
            await self._turns()  # the answer is on its way
            if future.done():
                continue
            failure = running.exception()
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(running.result())
        self._serving = None

    async def _turns(self) -> None:
        for _ in range(1 + self._pace()):
            await asyncio.sleep(0)

    def _begin(self, work: Callable[[], R]) -> "Future[R]":
        self._has_ended = False
        running = self._thread.submit(self._run, work)
        self._stopped.acquire()
        return running

    def _go_on(self) -> None:
        self._may_go_on.release()
        self._stopped.acquire()

    # In the thread

    def _run(self, work: Callable[[], R]) -> R:
        _here.thread = self if self._pauses else None
        try:
            return work()
        except DATABASE_ERRORS:
            connections.close_all()  # as the gateway's thread does
            raise
        finally:
            self._has_ended = True
            self._stopped.release()

    def pause(self) -> None:
        self._stopped.release()
        self._may_go_on.acquire()


def _fetch_after_a_pause(rows: "QuerySet[Any]") -> None:
    thread: PacedThread | None = getattr(_here, "thread", None)
    if thread is not None and rows._result_cache is None:
        thread.pause()
    _fetch_all(rows)


class Paced:
    """The pace of one example after the other."""

    def __init__(self) -> None:
        self.loop = PacedLoop()
        self._pace: Iterator[int] = itertools.repeat(0)
        # What writes is one transaction, which nobody sees in between.
        self.writer, self.reader = PacedThread(self._next, pauses=False), PacedThread(self._next, pauses=True)

    def new_loop(self) -> PacedLoop:
        """An example begins."""
        self.writer.forget()
        self.reader.forget()
        self.keep([])
        self.loop.close()
        self.loop = PacedLoop()
        return self.loop

    def keep(self, pace: Sequence[int]) -> None:
        """From now on the steps of the threads take so many turns longer, over and over."""
        self._pace = itertools.cycle(pace or [0])

    def _next(self) -> int:
        return next(self._pace)

    def monotonic(self) -> float:
        return self.loop.time()

    def close(self) -> None:
        self.writer.close()
        self.reader.close()
        self.loop.close()


@pytest.fixture
def paced(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Paced]:
    """The live sessions keep the example's pace, whatever time that takes."""
    made = Paced()
    with monkeypatch.context() as patch:
        patch.setattr(gateway, "_writer", made.writer)
        patch.setattr(gateway, "_reader", made.reader)
        patch.setattr(QuerySet, "_fetch_all", _fetch_after_a_pause)
        patch.setattr(hub, "monotonic", made.monotonic)
        patch.setattr(buckets, "time", SimpleNamespace(monotonic=made.monotonic))
        patch.setattr(events, "TURN", float("inf"))
        # By the clock on the wall: an example is over before a finished session is forgotten.
        patch.setattr(look, "RECENT", timedelta(hours=1))
        patch.setattr(replica, "MEMORY", float("inf"))
        yield made
        made.close()
