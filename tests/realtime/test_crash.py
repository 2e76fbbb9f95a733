"""A server that is killed while it marks loses nothing that anybody heard, and doubles nothing."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.crash import run
from tests.support.database import Database, Databases, Unblock
from tests.support.killable import crash_database

pytestmark = pytest.mark.long


@pytest.fixture
def database(databases: Databases, tmp_path: Path, unblock: Unblock) -> Iterator[Database]:
    with crash_database(tmp_path, databases, unblock) as made:
        yield made


async def test_ten_kills_lose_and_double_nothing(database: Database) -> None:
    seed = random.randrange(10**6)
    report = await run(10, seed=seed, database=database, done_every=1000)
    assert report.faults == [], f"seed {seed}"
    assert (report.kills, report.lost, report.doubled) == (10, 0, 0)
    assert report.heard > 0


async def test_kills_during_done_leave_all_of_it_or_nothing(database: Database) -> None:
    seed = random.randrange(10**6)
    report = await run(4, seed=seed, database=database, done_every=1)
    assert report.faults == [], f"seed {seed}"
    assert report.open_after_done + report.ended_after_done == report.kills == 4
