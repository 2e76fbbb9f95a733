"""The results of a run: a JSON file with the figures, the machine, the time, the commit and the command."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Where runs put their results, unless told otherwise; git ignores it.
FOLDER = ROOT / "var" / "bench"

Figures = dict[str, Any]


def made_by(command: str) -> Figures:
    """When the figures were made, from which commit, and by which command."""
    return {
        "command": command,
        "at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "commit": commit_of(ROOT),
        # The machine's load average over the minute before the run: other work makes the figures worse.
        "load_before": round(os.getloadavg()[0], 2),
    }


def commit_of(checkout: Path) -> str:
    """The commit in short, and whether files differ from it."""
    changed = _said_by(checkout, "git", "status", "--porcelain", "--untracked-files=no")
    return _said_by(checkout, "git", "rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def machine() -> Figures:
    """The machine, on which the figures depend as on the code."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _said_by(folder: Path, *command: str) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()


def write(folder: Path, name: str, figures: Figures) -> Path:
    """Writes `figures` to `folder/name.json`, whole or not at all: a run that fails leaves the file of the last one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(figures, indent=1) + "\n")
    return unfinished.replace(path)


def read(folder: Path, name: str) -> Figures | None:
    """The results `name` in `folder`, None where there are none."""
    path = folder / f"{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else None


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)
