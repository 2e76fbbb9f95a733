"""Runs `manage.py` at another time: `python tests/programs/at.py 2026-09-14T09:04:00+00:00 serve --port 3000`.

The clock goes on from there. What the tests start with it has the environment of the tests.
"""

import sys
from datetime import datetime
from pathlib import Path

import time_machine
from django.core.management import execute_from_command_line

#: The script, for a command at the root of the project.
SCRIPT = "tests/programs/at.py"


def main() -> None:
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    time_machine.travel(datetime.fromisoformat(sys.argv.pop(1))).start()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
