"""The processor time that each step of some work takes in its thread, without the watched steps in it."""

import functools
import time
from collections.abc import Callable
from typing import Any


class Watch:
    """Seconds of a thread by step. What a step calls that is watched is not in the step's own time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._running: list[str] = []
        self._since = 0.0

    def watched(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, with its time counted."""

        @functools.wraps(work)
        def run(*args: Any, **kwargs: Any) -> Any:
            self._change(lambda: self._running.append(step))
            try:
                return work(*args, **kwargs)
            finally:
                self._change(self._running.pop)

        return run

    def _change(self, change: Callable[[], object]) -> None:
        moment = time.thread_time()
        if self._running:
            self.seconds[self._running[-1]] = self.seconds.get(self._running[-1], 0.0) + moment - self._since
        change()
        self._since = time.thread_time()
