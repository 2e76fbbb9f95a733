"""Marks of many teachers at once, each in a class of their own, share commits."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bench.fixtures import Lesson, fill
from tests.support.clients import Socket
from tests.support.database import Databases
from tests.support.server import Server

TEACHERS = 20
MARKS = 5


async def test_marks_of_twenty_teachers_at_once_share_commits(
    make_server: Callable[..., Server], databases: Databases, tmp_path: Path
) -> None:
    database = databases.fresh()
    rooms = await asyncio.to_thread(fill, database, classes=TEACHERS, students=MARKS)
    count = tmp_path / "commits"
    command = [sys.executable, "-m", "bench.counting", str(count), "{port}"]
    server = await asyncio.to_thread(make_server, database, command, LIVE_SESSIONS="per-class")
    assert server.process is not None
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(Socket(server.ws_url, room.teacher_token)) for room in rooms]
        # Held, so that it finds all marks when it goes on, however slowly this test sends them.
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            for socket, room in zip(sockets, rooms, strict=True):
                for student_id in room.student_ids:
                    await socket.mark(student_id)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        heard = await asyncio.gather(*(hears(socket, room) for socket, room in zip(sockets, rooms, strict=True)))
    assert all(heard)
    commits = [int(line) for line in count.read_text().splitlines()]
    assert sum(commits) == TEACHERS * MARKS
    assert len(commits) <= TEACHERS * MARKS / 10


async def hears(socket: Socket, room: Lesson) -> bool:
    """Whether the teacher hears all marks of this class, in order, and nothing else."""
    frames = await socket.frames(len(room.student_ids))
    await socket.hears_nothing()
    return [frame["data"]["studentId"] for frame in frames] == room.student_ids
