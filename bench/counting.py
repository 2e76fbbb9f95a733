"""`python -m bench.counting FILE PORT`: `manage.py serve`, and a count of the commits that write marks.

The program appends a line to FILE for each commit: how many marks are in it.
"""

import os
import sys
from collections.abc import Sequence

import django

from tests.support.processes import ROOT


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")
    os.chdir(ROOT)
    django.setup()
    from django.core.management import call_command

    from attendance.live import commit
    from attendance.live.commit import Refusal, Unit
    from attendance.live.facts import Marked

    count, append = open(sys.argv[1], "a", buffering=1), commit._append  # noqa: SIM115  as long as the process

    def counted(units: Sequence[Unit]) -> list[list[Marked] | Refusal]:
        outcomes = append(units)
        count.write(f"{sum(len(unit.marks) for unit in units)}\n")
        return outcomes

    commit._append = counted
    call_command("serve", port=int(sys.argv[2]))


if __name__ == "__main__":
    main()
