"""Programs under Node: the real clients in tests/clients, and what they and others need installed."""

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.processes import ROOT

CLIENTS = ROOT / "tests" / "clients"

needs_node = pytest.mark.skipif(not shutil.which("npm"), reason="no node and npm here")


def install_packages(folder: Path) -> None:
    """Installs the packages of a folder's lock file, or of its package.json without one, unless they are there."""
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed"
    wanted, how = (lock, "ci") if lock.exists() else (folder / "package.json", "install")
    with wanted.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # other processes want them too
        if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
            command = ["npm", how, "--no-audit", "--no-fund", "--prefix", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            shutil.copy(wanted, installed)


async def run_client(script: str, *arguments: str, **environment: str) -> str:
    """What `node SCRIPT ARGUMENTS` prints; AssertionError if it fails."""
    install_packages(CLIENTS)
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
