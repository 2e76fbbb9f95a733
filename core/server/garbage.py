"""Python's garbage collector in a server: full collections wait for a quiet moment.

A full collection visits every object, and the process does nothing else meanwhile. An open socket is some 130 objects.
With Python's own timing, 15 full collections ran while 10,000 sockets were opened and took a sixth of the time, and one
ran amid marks. Full collections find little: a closed socket at /ws leaves no garbage, and a closed socket of Socket.IO
leaves 60 objects in cycles. Collections of young objects run as Python times them.
"""

import gc
import time

#: A threshold that no process reaches: the interpreter starts no full collection by itself. (Python 3.14 collects in
#: small steps and has no such threshold.)
NEVER = 1_000_000_000
#: A full collection is due after this many collections of young objects, each of which may leave some 5,000 objects.
DUE = 50
#: After this many it runs without waiting for a quiet moment: the garbage of Socket.IO's closed sockets would pile up.
OVERDUE = 300
#: A second is quiet when the process used less CPU than this, seconds.
QUIET = 0.05


class Collector:
    """Runs full collections at quiet moments.

    Make it once the process has loaded what it keeps for good: collections then leave those objects out.
    """

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, NEVER)
        self._used = time.process_time()

    def collect_if_quiet(self) -> None:
        """Runs a full collection if one is due and the last second was quiet, or if one is overdue.

        Call this once a second.
        """
        used = time.process_time() - self._used
        waiting = gc.get_count()[2]
        if waiting > OVERDUE or (waiting > DUE and used < QUIET):
            gc.collect()
        self._used = time.process_time()
