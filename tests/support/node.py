"""The real clients under Node, tests/clients, for the tests that run them."""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess

import pytest

from tests.support.processes import ROOT

CLIENTS = ROOT / "tests" / "clients"

needs_node = pytest.mark.skipif(not shutil.which("npm"), reason="no node and npm here")


def install_clients() -> None:
    """Installs the packages of the clients' lock file, the first time: `npm ci`."""
    lock, installed = CLIENTS / "package-lock.json", CLIENTS / "node_modules" / ".installed"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # other test processes want them too
        if not installed.exists() or installed.read_bytes() != lock.read_bytes():
            command = ["npm", "ci", "--no-audit", "--no-fund", "--prefix", str(CLIENTS)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            shutil.copy(lock, installed)


async def run_client(script: str, *arguments: str, **environment: str) -> str:
    """What `node SCRIPT ARGUMENTS` prints; AssertionError if it fails."""
    install_clients()
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / script),
        *arguments,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 0, output.decode()
    return output.decode()


async def assert_a_crowd_stays(url: str, **environment: str) -> None:
    """Twenty default clients of Socket.IO (polling first, then the upgrade) connect at once, are heard and told."""
    report = json.loads(await run_client("crowd.js", url, "20", **environment))
    assert sum(report.pop("workers")) == 20
    assert report == {"connected": 20, "upgraded": 20, "stayed": 20, "faults": []}
