"""The real clients under Node, socket.io-client and ws, over each transport. They stand in tests/clients."""

import pytest

from tests.support.node import needs_node, run_client
from tests.support.server import Server

pytestmark = [
    needs_node,
    pytest.mark.one_database("What differs is the client; the dialects' contract tests run on each database."),
]


@pytest.mark.parametrize("transport", ["websocket", "polling", "upgrade"])
@pytest.mark.parametrize("script", ["events.js", "rooms.js"])
async def test_a_real_client_is_served(server: Server, script: str, transport: str) -> None:
    assert await run_client(script, server.url, transport) == f"ok: {transport}\n"
