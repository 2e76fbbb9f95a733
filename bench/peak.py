"""`python -m bench.peak COMMAND …`: a `manage.py` command, and in the end how much memory it had at most, KiB."""

import os
import sys

from bench.usage import most_memory


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])
    print(most_memory())


if __name__ == "__main__":
    main()
