"""bench.watch and bench.request_steps_table: times by step, and their table."""

from itertools import count
from unittest.mock import patch

import pytest

from bench.request_steps_table import STATEMENTS, TOKEN, VIEW, table
from bench.watch import Watch


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_steps_time_is_without_that_of_the_watched_steps_in_it(watch: Watch) -> None:
    statement = watch.watched(STATEMENTS, lambda: None)

    def ask() -> None:
        statement()
        statement()

    with patch("time.thread_time", side_effect=count()):
        watch.watched(VIEW, ask)()
    # The clock goes on by one each time that it is read: the view has three stretches of one, each statement one.
    assert watch.seconds == {VIEW: 3, STATEMENTS: 2}


def test_a_step_that_fails_is_over(watch: Watch) -> None:
    with pytest.raises(ZeroDivisionError):
        watch.watched(TOKEN, lambda: 1 // 0)()
    watch.watched(VIEW, lambda: None)()
    assert set(watch.seconds) == {TOKEN, VIEW}


def test_the_table_adds_the_steps_up() -> None:
    route = {"plain": {TOKEN: 100.0, VIEW: 60.0}, "quick": {TOKEN: 20.0, VIEW: 50.0}}
    lines = {name: cells for name, *cells in table({"routes": {"GET /auth/me": route}})}
    assert lines[TOKEN] == ["100", "20"]
    assert lines[STATEMENTS] == ["", ""]
    assert lines["all of these"] == ["160", "70"]
