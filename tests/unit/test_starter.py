"""What the starter starts is a process of its own, as if `manage.py` were run from a shell."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT
from tests.support.starter import MANAGE, Running, Started, start

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="there is no starter on this system")

TELL = """
import json, os, sys, threading
from django.conf import settings
told = [os.getpid(), os.getsid(0), os.getcwd(), sys.argv[:2], settings.SESSION_IDLE_MINUTES, sorted(os.environ)]
print(json.dumps([*told, threading.active_count(), sorted(map(int, os.listdir("/proc/self/fd")))]))
sys.exit(3)
"""


def begin(tmp_path: Path, program: str, **environment: str) -> tuple[Running, Path]:
    """A process that runs the program, and the file of what it says."""
    said = tmp_path / "said"
    given = {name: os.environ[name] for name in ("DATA_DIR", "DJANGO_SETTINGS_MODULE", "PATH")}
    with said.open("wb") as output, open(os.devnull, "rb") as nothing:
        command = [*MANAGE, "shell", "--no-imports", "-c", program]
        return start(command, (nothing, output, output), env={**given, **environment}), said


def test_it_has_its_own_session_environment_settings_files_and_status(tmp_path: Path) -> None:
    process, said = begin(tmp_path, TELL, SESSION_IDLE_MINUTES="7")
    assert isinstance(process, Started)
    assert process.wait(60) == process.poll() == 3
    pid, session, folder, arguments, minutes, names, threads, files = json.loads(said.read_text())
    assert pid == session == process.pid != os.getpid()
    assert (folder, arguments, minutes, threads) == (str(ROOT), ["manage.py", "shell"], 7, 1)
    assert {"DATA_DIR", "SESSION_IDLE_MINUTES"} < set(names)
    assert "JWT_SECRET" not in names
    assert files[:3] == [0, 1, 2]
    assert len(files) == 4, "the folder that was just listed is the only other one"


def test_it_runs_until_a_signal_ends_it_which_its_status_says(tmp_path: Path) -> None:
    process, _ = begin(tmp_path, "import signal; signal.pause()")
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL


def test_what_is_not_manage_py_is_started_as_ever(tmp_path: Path) -> None:
    with open(os.devnull, "r+b") as nothing:
        files: Any = (nothing, nothing, nothing)
        process = start([sys.executable, "-c", "raise SystemExit(4)"], files)
    assert isinstance(process, subprocess.Popen)
    assert process.wait(60) == 4
