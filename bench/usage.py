"""What a running server uses: CPU time and memory of its processes, as the kernel counts them."""

import contextlib
import re
from pathlib import Path


class Usage:
    """What a process and its descendants use: CPU time since this was made, and memory now."""

    def __init__(self, pid: int) -> None:
        self.pids = tree(pid)
        self._before = self._seconds()

    @property
    def cpu(self) -> float:
        """Seconds on a core."""
        return self._seconds() - self._before

    @property
    def memory(self) -> int:
        """KiB."""
        return sum(
            int(line.split()[1])
            for pid in self.pids
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )

    def _seconds(self) -> float:
        total = 0
        for pid in self.pids:
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):  # a thread that has just ended
                    total += int(task.read_text().split()[0])
        return total / 1e9


def tree(pid: int) -> list[int]:
    """The process and its children, their children, and so on."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [below for child in children.read_text().split() for below in tree(int(child))]
    return found


def most_memory() -> int:
    """What this process had at most, KiB. Not `ru_maxrss`, which begins with what the process had that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1])
