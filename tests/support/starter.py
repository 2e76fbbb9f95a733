"""Starts `manage.py` in a fifth of the time: a process that has the libraries loaded forks, and the fork runs it.

What is started is a process as any other: `manage.py` reads the settings from the environment that it is given, and
loads all of the project. It has a pid, a session, files and an exit status of its own. The starter itself reads no
settings, and has no thread and no connection that a fork could share. Other programs of the project are run likewise.

Tests have one each test process (tests/conftest.py), on Linux. Programs beside the tests and benchmarks have none.
"""

import gc
import importlib
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, "manage.py"]
#: The longest request, bytes: arguments and an environment.
LONGEST = 1 << 20
#: What takes most of the time, and reads no settings when it is imported.
LIBRARIES = (
    *(
        "bcrypt",
        "bson",
        "cryptography.x509",
        "dj_database_url",
        "dj_email_url",
        "environs",
        "inflection",
        "jwt",
        "msgspec",
    ),
    *("channels.generic.websocket", "channels.routing", "corsheaders.conf", "whitenoise.middleware"),
    *("django.contrib.admin.views.main", "django.contrib.admindocs.views", "django.contrib.auth.hashers"),
    *("django.contrib.auth.password_validation", "django.contrib.auth.tokens", "django.contrib.messages.storage"),
    *("django.contrib.postgres.fields", "django.contrib.sessions.backends.base", "django.conf.urls"),
    *("django.core.mail", "django.core.management.commands.migrate", "django.core.management.commands.runserver"),
    *("django.db.backends.sqlite3.base", "django.db.migrations.executor", "django.db.migrations.serializer"),
    *("django.db.models", "django.forms.models", "django.template.response", "django.test", "django.urls"),
    *("django.views.generic", "drf_spectacular.utils", "icalendar", "recurring_ical_events"),
    *("pygments.formatters", "pygments.lexer", "pygments.lexers", "rest_framework.permissions"),
    *("rest_framework.serializers", "rest_framework.validators", "rest_framework_simplejwt"),
    *("segno", "smtplib", "socketio", "uritemplate", "yaml"),
    *("uvicorn.lifespan.on", "uvicorn.protocols.http.httptools_impl", "uvicorn.supervisors", "uvloop"),
    "uvicorn.protocols.websockets.websockets_sansio_impl",
)


class Started:
    """A process that the starter has started; what the tests use of `subprocess.Popen`."""

    def __init__(self, starter: "Starter", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._starter = starter
        self._lock = threading.Lock()
        self._pidfd = os.pidfd_open(pid)  # readable once the process has ended, which is reaped for us alone
        self._end = select.poll()
        self._end.register(self._pidfd, select.POLLIN)

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while the process runs."""
        with self._lock:
            if self.returncode is None and self._end.poll(0):
                self.returncode = self._starter.ask({"reap": self.pid})
                os.close(self._pidfd)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; `subprocess.TimeoutExpired` after so many seconds."""
        if self.returncode is None:
            self._end.poll(None if timeout is None else timeout * 1000)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status


class Starter:
    """The starter, as its test process has it. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, self._its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, script: Sequence[str], files: Sequence[IO[Any]], cwd: Path, env: Mapping[str, str]) -> Started:
        """Runs a script of the folder with its arguments; `files` are its stdin, stdout and stderr."""
        request = {"script": list(script), "folder": str(cwd), "environment": dict(env)}
        return Started(self, self.ask(request, [file.fileno() for file in files]))

    def ask(self, request: Mapping[str, Any], files: Sequence[int] = ()) -> int:
        """The answer to one request: a pid or an exit status."""
        with self._lock:
            if self._process is None:  # many a run of a few tests starts nothing
                self._launch()
            socket.send_fds(self._control, [json.dumps(request).encode()], files)
            return int(self._control.recv(LONGEST))

    def _launch(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.starter", str(self._its_end.fileno())],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            pass_fds=[self._its_end.fileno()],
            start_new_session=True,
        )
        self._its_end.close()

    def close(self) -> None:
        """Ends the starter. What it has started goes on."""
        self._control.close()
        self._its_end.close()
        if self._process is not None:
            self._process.wait(30)


Running = subprocess.Popen[bytes] | Started

#: This test process's own, while the tests run.
_current: Starter | None = None


@contextmanager
def starter_of_the_tests() -> Iterator[None]:
    """Meanwhile `start` has a starter, where the system can have one."""
    global _current
    if not hasattr(os, "pidfd_open"):
        yield
        return
    with closing(Starter()) as _current:
        yield
    _current = None


def start(
    command: Sequence[str], files: Sequence[IO[Any]], *, cwd: Path = ROOT, env: Mapping[str, str] = os.environ
) -> Running:
    """Runs a command in a session of its own; `files` are its stdin, stdout and stderr."""
    if _current is not None and command[0] == sys.executable and (cwd / command[1]).is_file():
        return _current.start(command[1:], files, cwd, env)
    stdin, stdout, stderr = files
    return subprocess.Popen(
        command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )


def main() -> None:
    for library in LIBRARIES:
        importlib.import_module(library)
    from django.conf import settings

    assert not settings.configured, "a library has read the settings, which each process has of its own"
    assert threading.active_count() == 1
    gc.freeze()  # collections in the forks leave alone what they share
    with socket.socket(fileno=int(sys.argv[1])) as control:
        request = _serve(control)
    if request is not None:
        _become(**request)


def _serve(control: socket.socket) -> dict[str, Any] | None:
    """Answers requests until the test process is gone. Returns in each fork too, with the request that it is for."""
    while True:
        message, files, _, _ = socket.recv_fds(control, LONGEST, 3)
        if not message:
            return None
        request: dict[str, Any] = json.loads(message)
        if "reap" in request:
            _, status = os.waitpid(request["reap"], 0)
            control.send(str(os.waitstatus_to_exitcode(status)).encode())
        elif os.fork() == 0:
            os.setsid()  # before the answer, because a signal to the group may follow at once
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            control.send(str(os.getpid()).encode())
            return request
        for file in files:
            os.close(file)


def _become(script: list[str], folder: str, environment: dict[str, str]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = script, folder
    runpy.run_path(script[0], run_name="__main__")


if __name__ == "__main__":
    main()
