"""The one crossing between the event loop and the database.

Threads with a database connection each. One thread writes, so that batches are committed in the order in which they
were given. Another reads, so that nobody's look waits for a commit.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from django.db import connections

from core.database.failures import DATABASE_ERRORS

P = ParamSpec("P")
R = TypeVar("R")

#: Calls that were given together come back together, but none waits longer for those behind it, seconds.
TOGETHER = 0.005

_Call = tuple["asyncio.Future[Any]", Callable[[], Any]]
_Done = tuple["asyncio.Future[Any]", Any, BaseException | None]


class _DatabaseThread:
    """A thread that runs one call after the other, in the order in which they were given.

    With `gathers`, calls of the same moment go to the thread together, and what they return comes back together: when a
    class connects at once, each crossing between two threads costs as much as the read.

    `ThreadPoolExecutor(1)` does the same with two futures and a condition for each call, and as many locks: with it a
    lone mark costs the server a twentieth more.
    """

    def __init__(self, name: str, *, gathers: bool = False) -> None:
        self._calls: SimpleQueue[list[_Call]] = SimpleQueue()
        self._gathers = gathers
        #: The calls that go together once the loop's turn ends, and the loop.
        self._gathered: tuple[asyncio.AbstractEventLoop, list[_Call]] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._starting = threading.Lock()

    async def call(self, work: Callable[[], R]) -> R:
        """What `work` returns or raises. A call that is cancelled before its turn is never made."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        if self._gathers:
            self._gather(loop, (future, work))
        else:
            self._calls.put([(future, work)])
        if not self._thread.is_alive():
            self._start()
        try:
            return await future
        finally:
            # A failure's traceback holds this frame. With the future in it, all of a refused client would be a cycle.
            del future

    def _gather(self, loop: asyncio.AbstractEventLoop, call: "_Call") -> None:
        if self._gathered is not None and self._gathered[0] is loop:
            self._gathered[1].append(call)
            return
        calls = [call]
        self._gathered = loop, calls

        def hand_over() -> None:
            self._gathered = None
            self._calls.put(calls)

        loop.call_soon(hand_over)

    def _start(self) -> None:
        with self._starting:
            if not self._thread.is_alive():
                self._thread.start()

    def _run(self) -> None:
        while True:
            calls = self._calls.get()
            done: list[_Done] = []
            began = time.perf_counter()
            for future, work in calls:
                if future.cancelled():
                    continue
                done.append((future, *_outcome(work)))
                if time.perf_counter() - began > TOGETHER:
                    _give(done)
                    done, began = [], time.perf_counter()
            _give(done)
            calls.clear()
            del done  # nothing is kept until the next call
            future = work = None  # type: ignore[assignment]


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What a call returns, and what it raises."""
    try:
        return work(), None
    except DATABASE_ERRORS as error:
        connections.close_all()  # the next call starts with a fresh connection
        return None, error
    except BaseException as error:
        return None, error


def _give(done: list[_Done]) -> None:
    """Gives what calls of one event loop came to back to it."""
    if done:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            done[0][0].get_loop().call_soon_threadsafe(_finish, done)


def _finish(done: list[_Done]) -> None:
    for future, result, failure in done:
        if future.done():
            continue  # whoever waited has been cancelled
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)


_writer = _DatabaseThread("live-writer")
_reader = _DatabaseThread("live-reader", gathers=True)
#: For services that mark by themselves, and so wait for the other two.
_workers = itertools.cycle([_DatabaseThread(f"live-worker-{number}") for number in range(4)])


async def write(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `work` in the writer's thread, after all work that was given to it before."""
    return await _writer.call(lambda: work(*args, **kwargs))


async def read(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `work` in the reader's thread."""
    return await _reader.call(lambda: work(*args, **kwargs))


async def work(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `work`, which may itself have marks committed (`attendance.live.requests`), in a thread of its own."""
    return await next(_workers).call(lambda: work(*args, **kwargs))
