"""core.server.garbage: full collections wait for a quiet second, but not for ever."""

import gc
from collections.abc import Iterator

import pytest

from core.server.garbage import DUE, OVERDUE, QUIET, Collector


class Process:
    """What the collector is told of the process, and how often it collected."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.used = 0.0
        self.young = 0
        self.collected = 0
        monkeypatch.setattr("core.server.garbage.time.process_time", lambda: self.used)
        monkeypatch.setattr(gc, "get_count", lambda: (0, 0, self.young))
        monkeypatch.setattr(gc, "collect", self.collect)

    def collect(self) -> int:
        self.collected += 1
        self.young = 0
        self.used += 1.0  # which is no work of the server's
        return 0


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    before = gc.get_threshold()
    yield Process(monkeypatch)
    gc.unfreeze()
    gc.set_threshold(*before)


def test_the_interpreter_itself_collects_only_what_is_young(process: Process) -> None:
    before = gc.get_threshold()
    Collector()
    assert gc.get_threshold()[:2] == before[:2]
    assert gc.get_threshold()[2] > 1_000_000
    assert gc.get_freeze_count() > 0


def test_a_full_collection_that_is_due_waits_for_a_quiet_second(process: Process) -> None:
    collector = Collector()
    process.young = DUE + 1
    for _ in range(3):
        process.used += 2 * QUIET
        collector.collect_if_quiet()
    assert process.collected == 1  # at the start
    process.used += QUIET / 2
    collector.collect_if_quiet()
    assert process.collected == 2
    process.young = DUE
    collector.collect_if_quiet()
    assert process.collected == 2  # there is nothing to collect yet


def test_a_server_that_is_never_quiet_collects_at_last(process: Process) -> None:
    collector = Collector()
    process.young = OVERDUE + 1
    process.used += 1
    collector.collect_if_quiet()
    assert process.collected == 2
