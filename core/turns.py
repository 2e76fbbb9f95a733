"""A pool of threads that serves its clients in turn, so that one client's flood does not delay another's one request.

The pool takes one request of each address in turn, and within an address one request of each account. So a class that
signs in from one address waits for itself, and a pupil at home waits only for the requests that are being served.
"""

import asyncio
import contextlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

from core import metrics

R = TypeVar("R")


class Turn(NamedTuple):
    """The client that waits: its address, and the account that its request names."""

    address: str = ""
    account: str = ""


#: The turn of the running request, for the pools that the request waits for.
current: ContextVar[Turn] = ContextVar("turn", default=Turn())  # noqa: B039  it cannot be changed

#: What serves whoever waits.
_Waiting = deque[Callable[[], object]]


class FairPool:
    """A pool of `threads` threads, whose names begin with `name`."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        #: Threads that serve nobody.
        self._free = threads
        self._waits = metrics.WAITING.labels(name)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, OrderedDict[str, _Waiting]] = OrderedDict()

    def submit(self, work: Callable[[], R], turn: Turn) -> "Future[R]":
        """Runs `work` when it is `turn`'s turn. A future that is cancelled before then is left out."""
        future: Future[R] = Future()

        def serve() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work()
            except BaseException as failure:
                future.set_exception(failure)
            else:
                future.set_result(result)

        self._wait(serve, turn)
        return future

    def run(self, work: Callable[[], R], turn: Turn) -> "asyncio.Future[R]":
        """`submit` for the running event loop, in a third of the time that `asyncio.wrap_future` takes with it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()

        def tell(said: Callable[[Any], object], what: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(lambda: None if future.done() else said(what))

        def serve() -> None:
            if future.cancelled():
                return
            try:
                result = work()
            except BaseException as failure:
                tell(future.set_exception, failure)
            else:
                tell(future.set_result, result)

        self._wait(serve, turn)
        return future

    def shutdown(self, *, cancel_futures: bool = False) -> None:
        """As `ThreadPoolExecutor.shutdown`."""
        if cancel_futures:
            with self._lock:
                self._waiting.clear()
        self._threads.shutdown(cancel_futures=cancel_futures)

    def _wait(self, serve: Callable[[], object], turn: Turn) -> None:
        with self._lock:
            accounts = self._waiting.setdefault(turn.address, OrderedDict())
            accounts.setdefault(turn.account, deque()).append(serve)
            wakes = self._free > 0
            self._free -= wakes
        self._waits.inc()
        if wakes:
            self._threads.submit(self._serve)

    def _serve(self) -> None:
        """Serves in turn until nobody waits."""
        while (serve := self._next()) is not None:
            self._waits.dec()
            serve()

    def _next(self) -> Callable[[], object] | None:
        with self._lock:
            if not self._waiting:
                self._free += 1
                return None
            address, accounts = self._waiting.popitem(last=False)
            account, waiting = accounts.popitem(last=False)
            first = waiting.popleft()
            if waiting:
                accounts[account] = waiting  # behind the others
            if accounts:
                self._waiting[address] = accounts
        return first
