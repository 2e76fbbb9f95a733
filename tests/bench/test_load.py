"""What `make bench` measures with: the load hears all that a server says, and counts what the server does for it."""

import shutil
from collections.abc import Iterator

import pytest

from bench.fanout import Fanout, fanout
from bench.servers import Server
from bench.yardsticks import floor, floor_in_python

pytestmark = pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler here")

SOCKETS = 20
MARKS = 200


@pytest.fixture(scope="module")
def load() -> Iterator[Fanout]:
    with fanout() as compiled:
        yield compiled


@pytest.fixture(scope="module", params=[floor, floor_in_python])
def silent_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param() as server:
        yield server


@pytest.mark.parametrize("gap", [100, 0], ids=["one by one", "all at once"])
def test_every_socket_hears_every_mark_in_order(load: Fanout, silent_server: Server, gap: int) -> None:
    who = silent_server.open_class(7)
    found = load.run(silent_server.port, silent_server.pid, who, sockets=SOCKETS, marks=MARKS, gap=gap)
    assert found["frames"] == SOCKETS * MARKS
    assert [found[fault] for fault in ("lost", "out_of_order", "errors", "closed")] == [0, 0, 0, 0]
    assert (found["p99_ms"] > 0) == bool(gap)


def test_the_load_counts_no_more_cpu_than_the_server_used_meanwhile(load: Fanout, silent_server: Server) -> None:
    who, used = silent_server.open_class(7), silent_server.usage()
    found = load.run(silent_server.port, silent_server.pid, who, sockets=SOCKETS, marks=MARKS, gap=100)
    assert 0 < found["cpu_us_per_mark"] * MARKS < 1e6 * used.cpu
