"""A pool of threads that serves its clients in turn, so that one client's flood does not delay another's one request.

The pool takes one request of each address in turn, and within an address one request of each account. So a class that
signs in from one address waits for itself, and a pupil at home waits only for the requests that are being served.
"""

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

_Waiting = deque[tuple[Callable[[], Any], "Future[Any]"]]


class FairPool:
    """A pool of `threads` threads, whose names begin with `name`."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._waits = metrics.WAITING.labels(name)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, OrderedDict[str, _Waiting]] = OrderedDict()

    def submit(self, work: Callable[[], R], turn: Turn) -> "Future[R]":
        """Runs `work` when it is `turn`'s turn. A future that is cancelled before then is left out."""
        future: Future[R] = Future()
        with self._lock:
            accounts = self._waiting.setdefault(turn.address, OrderedDict())
            accounts.setdefault(turn.account, deque()).append((work, future))
        self._waits.inc()
        self._threads.submit(self._serve)
        return future

    def shutdown(self, *, cancel_futures: bool = False) -> None:
        """As `ThreadPoolExecutor.shutdown`."""
        self._threads.shutdown(cancel_futures=cancel_futures)

    def _serve(self) -> None:
        work, future = self._next()
        self._waits.dec()
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = work()
        except BaseException as failure:
            future.set_exception(failure)
        else:
            future.set_result(result)

    def _next(self) -> tuple[Callable[[], Any], "Future[Any]"]:
        with self._lock:
            address, accounts = self._waiting.popitem(last=False)
            account, waiting = accounts.popitem(last=False)
            first = waiting.popleft()
            if waiting:
                accounts[account] = waiting  # behind the others
            if accounts:
                self._waiting[address] = accounts
        return first
