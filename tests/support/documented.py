"""The commands that the operators' pages give, and how tests run them: in folders of their own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.processes import ROOT

PAGES = ("docs/deploy.md", "docs/operations.md")
#: At the end of a command that no test runs, for the page says so.
NOT_RUN = "# not run"


def commands(page: str) -> list[str]:
    """The lines of a page that are to be typed. Those that only set a name to a value are settings."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    return [line for line in lines if not re.fullmatch(r"[A-Z_]+=\S+", line)]


def to_run(page: str) -> list[str]:
    return [line for line in commands(page) if NOT_RUN not in line]


def documented(page: str, text: str) -> str:
    """The one command of the page that has this text; the same command may stand there more than once."""
    found = {line for line in to_run(page) if text in line}
    assert len(found) == 1, (page, text, found)
    return found.pop()


def run(command: str, environment: Mapping[str, str], *, given: str = "", **places: Path | str) -> str:
    """What the command prints, in the project's folder, with other `places` for those that the page names.

    AssertionError if it fails. The keys of `places` are the last parts of the page's folders.
    """
    folders = {
        "/var/lib/attendance": places.get("data", ""),
        "/var/backups/attendance": places.get("backups", ""),
        "/srv/attendance": places.get("project", ""),
        "/tmp/rehearsal": places.get("rehearsal", ""),
    }
    for before, after in (*folders.items(), ("sudo -u postgres ", ""), ("sudo -u attendance ", "")):
        command = command.replace(before, str(after))
    command = re.sub(r"(?<!\S)(?:\.venv/bin/python|python3?)(?= )", sys.executable, command)
    done = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=places.get("cwd", ROOT),
        env={**os.environ, **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # so that nothing asks the terminal
        timeout=120,
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout
