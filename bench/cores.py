"""Which core is whose: the server's is the first, the load's and the database's are the others."""

import os

_FIRST = "0"


def keep_off_the_server() -> None:
    """This process, and what it starts from now on without `for_the_server`, runs on the other cores."""
    others = os.sched_getaffinity(0) - {int(_FIRST)}
    if others:
        os.sched_setaffinity(0, others)


def for_the_server() -> list[str]:
    """What a command begins with that is to run on the server's core."""
    return ["taskset", "-c", _FIRST] if (os.cpu_count() or 1) > 1 else []
