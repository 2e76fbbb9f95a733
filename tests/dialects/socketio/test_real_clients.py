"""The real clients, socket.io-client and ws under Node, over each transport: tests/clients, which also run by hand."""

import asyncio
import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.server import Server

pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="no node and npm here")

CLIENTS = ROOT / "tests" / "clients"


@pytest.fixture(scope="session")
def clients() -> Path:
    """The scripts' folder, with the packages of its lock file installed: `npm ci`, the first time."""
    lock, installed = CLIENTS / "package-lock.json", CLIENTS / "node_modules" / ".installed"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # other test processes want them too
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            command = ["npm", "ci", "--no-audit", "--no-fund", "--prefix", str(CLIENTS)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            shutil.copy(lock, installed)
    return CLIENTS


@pytest.mark.parametrize("transport", ["websocket", "polling", "upgrade"])
@pytest.mark.parametrize("script", ["events.js", "rooms.js"])
async def test_the_real_client_is_served(server: Server, clients: Path, script: str, transport: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(clients / script),
        server.url,
        transport,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output.decode()
    assert output.decode() == f"ok: {transport}\n"
