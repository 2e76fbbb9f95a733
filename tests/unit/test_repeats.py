"""core.logs.CountRepeats: what repeats is written once and counted, and the count is always told."""

import io
import logging
import re
import threading
from collections.abc import Callable, Iterator

import pytest

from core.logs import WARNINGS, CountRepeats, RedactTokens, event


class Stream(io.StringIO):
    """A stream that says when a text was written to it."""

    def __init__(self, awaited: str) -> None:
        super().__init__()
        self.awaited = awaited
        self.came = threading.Event()

    def write(self, text: str) -> int:
        if self.awaited in text:
            self.came.set()
        return super().write(text)


MakeLog = Callable[..., tuple[logging.Logger, CountRepeats, Stream]]


@pytest.fixture
def make_log() -> Iterator[MakeLog]:
    """A logger with one handler of this kind, which waits long by default."""
    logger = logging.getLogger("tests.repeats")
    logger.propagate = False
    handlers: list[CountRepeats] = []

    def make(window: float = 3600) -> tuple[logging.Logger, CountRepeats, Stream]:
        stream = Stream("more like this")
        handler = CountRepeats(stream, window=window)
        handler.addFilter(RedactTokens())
        logger.addHandler(handler)
        handlers.append(handler)
        return logger, handler, stream

    yield make
    for handler in handlers:
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


def fail(logger: logging.Logger, number: int) -> None:
    try:
        raise OSError(28, f"No space left on device {number}")
    except OSError:
        logger.exception("A mark of session %s cannot be committed.", number)


def test_a_fault_that_repeats_has_one_traceback_and_one_line_with_the_count(make_log: MakeLog) -> None:
    logger, handler, stream = make_log()
    for number in range(3000):
        fail(logger, number)
    written = stream.getvalue()
    assert written.count("Traceback") == 1
    assert written.startswith("A mark of session 0 cannot be committed.")
    handler.close()
    told = stream.getvalue()[len(written) :]
    assert re.fullmatch(r"… 2999 more like this in \d+ s: A mark of session 0 cannot be committed\.\n", told)


def test_the_count_is_told_when_the_window_ends_though_nothing_more_is_logged(make_log: MakeLog) -> None:
    logger, _, stream = make_log(window=0.05)
    for _ in range(3):
        logger.error("again")
    assert stream.came.wait(15)
    assert stream.getvalue().startswith("again\n… ")


def test_another_fault_at_the_same_line_is_written(make_log: MakeLog) -> None:
    logger, _, stream = make_log()
    for fault in (ValueError("one"), OSError("other"), ValueError("one")):
        try:
            raise fault
        except Exception:
            logger.exception("It failed.")
    assert stream.getvalue().count("Traceback") == 2


def test_warnings_have_a_few_lines_before_they_are_counted(make_log: MakeLog) -> None:
    logger, handler, stream = make_log()
    for number in range(WARNINGS + 5):
        logger.warning("Worker %d ended.", number)
    assert stream.getvalue().count("ended") == WARNINGS
    handler.close()
    assert "… 5 more like this" in stream.getvalue()


def test_what_is_no_warning_is_never_left_out(make_log: MakeLog) -> None:
    logger, _, stream = make_log()
    logger.setLevel(logging.INFO)
    for _ in range(100):
        logger.info("a line")
    assert stream.getvalue() == "a line\n" * 100


def test_the_line_with_the_count_shows_no_secret(make_log: MakeLog) -> None:
    logger, handler, stream = make_log()
    for _ in range(2):
        logger.error("%s", "/ws?token=s3cr3t-v4lu3")
    handler.close()
    assert "1 more like this" in stream.getvalue()
    assert "s3cr3t" not in stream.getvalue()


def test_events_of_one_name_are_counted_together_limit_by_limit(make_log: MakeLog) -> None:
    logger, handler, stream = make_log()
    for limit in ("marks", "sockets"):
        for number in range(WARNINGS + 5):
            event(logger, "limit_reached", "%s refused %d", limit, number, limit=limit)
    handler.close()
    lines = stream.getvalue().splitlines()
    for limit in ("marks", "sockets"):
        assert len([line for line in lines if line.startswith(f"{limit} refused")]) == WARNINGS
        assert len([line for line in lines if line.startswith("… 5 more like this") and limit in line]) == 1
