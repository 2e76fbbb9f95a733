"""A pool of threads that serves whoever waits in turn: nobody's flood is in front of another's single request.

Whoever waits has a turn: first their address, then their account. Addresses are served one after another, and so are
the accounts of an address. A class that signs in from one address therefore waits for itself, and a pupil at home for
nobody but those who are being served.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

R = TypeVar("R")


class Turn(NamedTuple):
    """Who waits."""

    address: str = ""
    account: str = ""


#: Whose turn the running request is: for the pools that it waits for in turn.
current: ContextVar[Turn] = ContextVar("turn", default=Turn())  # noqa: B039  it cannot be changed

_Waiting = deque[tuple[Callable[[], Any], "Future[Any]"]]


class FairPool:
    """`threads` threads, named after `name`."""

    def __init__(self, threads: int, name: str) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, OrderedDict[str, _Waiting]] = OrderedDict()

    def submit(self, work: Callable[[], R], turn: Turn) -> "Future[R]":
        """Runs `work` when it is `turn`'s turn; one that is cancelled before is left out."""
        future: Future[R] = Future()
        with self._lock:
            accounts = self._waiting.setdefault(turn.address, OrderedDict())
            accounts.setdefault(turn.account, deque()).append((work, future))
        self._threads.submit(self._serve)
        return future

    def shutdown(self, *, cancel_futures: bool = False) -> None:
        """As `ThreadPoolExecutor.shutdown`."""
        self._threads.shutdown(cancel_futures=cancel_futures)

    def _serve(self) -> None:
        work, future = self._next()
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
