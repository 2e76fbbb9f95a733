"""Tests of what the workers of one server do for each other run on both event loops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from tests.workers.running import Running


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[tuple[Running, Running]]:
    pair = Running("one", tmp_path), Running("two", tmp_path)
    for worker in pair:
        await worker.start()
    yield pair
    for worker in pair:
        await worker.stop()
