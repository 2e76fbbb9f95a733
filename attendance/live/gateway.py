"""The one crossing between the event loop and the database.

Two threads with a database connection each: one writes (so that batches are committed in the order in which
they were given), one reads (so that nobody's look waits for a commit).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections

from core.database.failures import DATABASE_ERRORS

P = ParamSpec("P")
R = TypeVar("R")

_writer = ThreadPoolExecutor(1, thread_name_prefix="live-writer")
_reader = ThreadPoolExecutor(1, thread_name_prefix="live-reader")


async def write(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `work` in the writer's thread, after everything that was given to it before."""
    return await asyncio.get_running_loop().run_in_executor(_writer, lambda: _call(work, *args, **kwargs))


async def read(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Runs `work` in the reader's thread."""
    return await asyncio.get_running_loop().run_in_executor(_reader, lambda: _call(work, *args, **kwargs))


def _call(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return work(*args, **kwargs)
    except DATABASE_ERRORS:
        connections.close_all()  # the next call starts with a fresh connection
        raise
