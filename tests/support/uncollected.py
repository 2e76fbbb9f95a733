"""`manage.py serve` without a garbage collector: `python -m tests.support.uncollected FILE PORT`.

At SIGUSR1 it writes into FILE how much of each kind of object only a collector would free, as JSON.
"""

import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import django

from tests.support.processes import ROOT


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")
    os.chdir(ROOT)
    django.setup()
    from django.core.management import call_command

    def tell(*_: object) -> None:
        gc.collect()
        kinds = Counter(type(thing).__qualname__ for thing in gc.garbage)
        whole = Path(f"{sys.argv[1]}.new")
        whole.write_text(json.dumps(kinds))
        whole.rename(sys.argv[1])

    gc.disable()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    signal.signal(signal.SIGUSR1, tell)
    call_command("serve", port=int(sys.argv[2]))


if __name__ == "__main__":
    main()
