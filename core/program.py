"""How this project's commands are called here, for lines that somebody pastes into a shell."""

import shlex
import shutil
import sys
from pathlib import Path

from django.conf import settings


def command_line(*arguments: str) -> str:
    """A `manage.py` command as it is typed in the folder of this process: `.venv/bin/python manage.py demo`."""
    return shlex.join([python(), near(Path(settings.BASE_DIR) / "manage.py"), *arguments])


def python() -> str:
    """This Python, as it is typed here: `python` where the shell finds it by that, else its path."""
    found = shutil.which("python")
    return "python" if found == sys.executable else near(Path(sys.executable))


def near(path: Path) -> str:
    """The path as it is shortest from the folder of this process: within it a relative one."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
