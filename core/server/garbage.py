"""Python's garbage collector in a server: full collections wait for a quiet moment.

A full collection looks at every object, and nothing else happens meanwhile. An open socket is some 130 objects. Left
alone, full collections came 15 times while 10,000 sockets were opened and took a sixth of that time, and one came amid
marks. What they find is little: a closed socket at /ws goes at once, one of Socket.IO's leaves 60 objects in cycles.
Collections of what is young go on as ever.
"""

import gc
import time

#: As far as the interpreter is concerned. (Python 3.14 collects in small steps, and asks nobody.)
NEVER = 1_000_000_000
#: A full collection is due after so many of the young, each of which may leave some 5,000 objects …
DUE = 50
#: … and no longer waits after so many: what Socket.IO's closed sockets leave would pile up.
OVERDUE = 300
#: A second in which the process used less than this is quiet, seconds of CPU.
QUIET = 0.05


class Collector:
    """Made once the process has loaded what it always needs: that is not looked at any more."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, NEVER)
        self._used = time.process_time()

    def look(self) -> None:
        """Collects if it is time to. Called once a second."""
        used = time.process_time() - self._used
        waiting = gc.get_count()[2]
        if waiting > OVERDUE or (waiting > DUE and used < QUIET):
            gc.collect()
        self._used = time.process_time()
