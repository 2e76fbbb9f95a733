"""The one crossing between the event loop and the database.

Threads with a database connection each. One thread writes, so that batches are committed in the order in which they
were given. Another reads, so that nobody's look waits for a commit.
"""

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from django.db import connections

from core.database.failures import DATABASE_ERRORS

P = ParamSpec("P")
R = TypeVar("R")


class _DatabaseThread:
    """A thread that runs one call after the other, in the order in which they were given.

    `ThreadPoolExecutor(1)` does the same with two futures and a condition for each call, and as many locks: with it a
    lone mark costs the server a twentieth more.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._starting = threading.Lock()

    async def call(self, work: Callable[[], R]) -> R:
        """What `work` returns or raises. A call that is cancelled before its turn is never made."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._calls.put((future, work))
        if not self._thread.is_alive():
            self._start()
        try:
            return await future
        finally:
            # A failure's traceback holds this frame. With the future in it, all of a refused client would be a cycle.
            del future

    def _start(self) -> None:
        with self._starting:
            if not self._thread.is_alive():
                self._thread.start()

    def _run(self) -> None:
        while True:
            future, work = self._calls.get()
            if future.cancelled():
                continue
            result: Any = None
            failure: BaseException | None = None
            try:
                result = work()
            except DATABASE_ERRORS as error:
                connections.close_all()  # the next call starts with a fresh connection
                failure = error
            except BaseException as error:
                failure = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                future.get_loop().call_soon_threadsafe(_finish, future, result, failure)
            del future, work, result, failure  # nothing is kept until the next call


def _finish(future: "asyncio.Future[Any]", result: Any, failure: BaseException | None) -> None:
    if future.done():
        return  # whoever waited has been cancelled
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)


_writer = _DatabaseThread("live-writer")
_reader = _DatabaseThread("live-reader")
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
