"""Requests that never become whole, against a real server process. `make slow-requests` opens hundreds."""

from collections.abc import Callable

import pytest

from tests.programs import slow_requests
from tests.support.server import Server

pytestmark = pytest.mark.one_database("The requests never come as far as a database.")


@pytest.mark.long
async def test_requests_that_never_become_whole_are_ended_and_others_are_answered_meanwhile(
    make_server: Callable[..., Server],
) -> None:
    report = await slow_requests.run(make_server(REQUEST_TIMEOUT="2"), connections=25)
    assert report.still_open == 0
    assert report.answers == {"": 5, "HTTP/1.1 408 Request Timeout": 20}
    assert min(report.closed_after) > 1
    assert report.health
