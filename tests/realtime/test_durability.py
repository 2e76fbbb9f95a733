"""A mark is on the disk before it is told, as the kernel sees it."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients import Api, Socket
from tests.support.database import ON_SQLITE
from tests.support.server import Server

CALLS = "fsync,fdatasync,write,writev,sendto,sendmsg"


@pytest.mark.skipif(not ON_SQLITE, reason="elsewhere the database's own server writes to the disk")
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (apt-get install strace)")
async def test_every_batch_of_broadcasts_follows_a_sync_of_the_disk(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    watched = ["strace", "-f", "-qq", "-s", "64", "-e", f"trace={CALLS}", "-o", str(trace)]
    server = make_server(command=[*watched, sys.executable, "manage.py", "serve", "--port", "{port}"])
    api = Api(server.url)
    room = api.make_room(students=2)
    async with (
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        for turn in range(30):
            await teacher.mark(room.students[turn % 2].id)
            await teacher.frame()
            await student.frame()
    api.close()
    server.stop()

    synced, told = False, 0
    first_told: str | None = None
    for line in trace.read_text(errors="replace").splitlines():
        call = re.search(r"(?:write|writev|sendto|sendmsg)\((\d+)", line)
        if re.search(r"f(data)?sync\(", line):
            synced, first_told = True, None
        elif "ATTENDANCE_MARKED" in line and call is not None and first_told in (None, call[1]):
            # The first socket of a batch; the others follow it without a sync of their own.
            assert synced, f"told before it was synced: {line}"
            first_told, synced = call[1], False
            told += 1
    assert told == 30
