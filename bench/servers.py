"""Servers that are measured from outside: each has the canonical REST routes and `/ws`, and a core to itself."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.cores import for_the_server
from bench.fanout import Participants
from bench.results import ROOT
from bench.usage import Usage

PASSWORD = "password"
START_LIMIT = 120.0  # seconds


class Server:
    """A running server. Accounts, classes and sessions are made on it over REST, as anybody would."""

    def __init__(self, command: Sequence[str], folder: Path, *, ready: str = "", **environment: str) -> None:
        """Runs `command` in `folder` with PORT in its environment; returns once it listens, and the path `ready` is
        answered by 200 if there is one. RuntimeError if it ends, or is not ready within START_LIMIT."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.environment = {**os.environ, "PORT": str(self.port), "NODE_ENV": "production", **environment}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        self.process = subprocess.Popen(
            [*for_the_server(), *command], cwd=folder, env=self.environment, stdout=self._log, stderr=self._log
        )
        try:
            self._wait(ready)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _wait(self, path: str) -> None:
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args!r} ended with {self.process.returncode}:\n{self._said()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                if path:
                    urllib.request.urlopen(self.url + path, timeout=60).close()
                return
            except OSError:  # an answer other than 200 is one as well
                time.sleep(0.1)
        raise RuntimeError(f"{self.process.args!r} was not ready after {START_LIMIT:.0f} s:\n{self._said()}")

    def _said(self) -> str:
        """The end of its log."""
        self._log.seek(max(0, self._log.seek(0, os.SEEK_END) - 4000))
        return self._log.read().decode(errors="replace")

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The answer's `data`."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", "Authorization": token}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def person(self, name: str, role: str) -> tuple[str, str]:
        """A new account's id and token."""
        email = f"{name.lower().replace(' ', '.')}@example.com"
        made = self.call("POST", "/auth/signup", {"name": name, "email": email, "password": PASSWORD, "role": role})
        login = self.call("POST", "/auth/login", {"email": email, "password": PASSWORD})
        return made["_id"], login["token"]

    def enrol(self, class_id: str, names: Sequence[str], teacher: str) -> None:
        """New students onto a roster. They need not be able to log in."""
        for name in names:
            student_id, _ = self.person(name, "student")
            self.call("POST", f"/class/{class_id}/add-student", {"studentId": student_id}, teacher)

    def open_class(self, students: int) -> Participants:
        """A class of so many students, with its session open; all of them logged in."""
        _, teacher = self.person("Teacher", "teacher")
        people = [self.person(f"Student {number}", "student") for number in range(students)]
        class_id = self.call("POST", "/class", {"className": "Class"}, teacher)["_id"]
        for student_id, _ in people:
            self.call("POST", f"/class/{class_id}/add-student", {"studentId": student_id}, teacher)
        self.call("POST", "/attendance/start", {"classId": class_id}, teacher)
        return Participants([teacher, *(token for _, token in people)], [student_id for student_id, _ in people])

    def usage(self) -> Usage:
        """The CPU time that the server uses from now on, and its memory."""
        return Usage(self.pid)

    def stop(self) -> None:
        """Ends the process; RuntimeError if it had ended before."""
        ended = self.process.poll()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if ended is not None:
            raise RuntimeError(f"{self.process.args!r} ended by itself with {ended}:\n{self._said()}")
        self._log.close()


@contextlib.contextmanager
def stopping(server: Server) -> Iterator[Server]:
    """The server, until this is left."""
    try:
        yield server
    finally:
        server.stop()


class Ours(Server):
    """`manage.py serve` of a checkout, with its SQLite database and whatever else it writes in `data`."""

    def __init__(self, checkout: Path, data: Path) -> None:
        own = checkout / ".venv" / "bin" / "python"
        self.checkout, self.data = checkout, data
        self.python = str(own) if own.exists() else sys.executable
        settings = {"DATABASE_URL": "", "LIVE_SESSIONS": "single", "LOG_LEVEL": "WARNING", "LIMITS": "False"}
        command = [self.python, "manage.py", "serve", "--setup"]
        super().__init__(command, checkout, ready="/readyz", DATA_DIR=str(data), **settings)

    def enrol(self, class_id: str, names: Sequence[str], teacher: str) -> None:
        """By the import, which hashes no passwords: a thousand would take a minute."""
        roster = self.data / f"{class_id}.csv"
        rows = [f"{name},{name.lower().replace(' ', '.')}@example.com" for name in names]
        roster.write_text("\n".join(["name,email", *rows]))
        command = [self.python, "manage.py", "import_roster", class_id, str(roster)]
        subprocess.run(command, cwd=self.checkout, env=self.environment, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def ours(checkout: Path = ROOT) -> Iterator[Server]:
    """A checkout's server on a new database on that checkout's disk.

    The checkout's own virtual environment runs it, or the one that runs this if there is none.
    """
    place = checkout / "var"
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as data, stopping(Ours(checkout, Path(data))) as server:
        yield server
