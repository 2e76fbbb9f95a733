"""The load `fanout.c`: many sockets that listen, and the first of them marks."""

import contextlib
import json
import resource
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.programs import compiled
from bench.results import Figures
from bench.usage import tree

SOURCE = Path(__file__).with_name("fanout.c")


@dataclass(frozen=True)
class Participants:
    """Who takes part in an open session: tokens, the teacher's first, and the ids of the students to be marked."""

    tokens: Sequence[str]
    student_ids: Sequence[str]


class Fanout:
    """The compiled load."""

    def __init__(self, program: Path) -> None:
        self.program = program

    def run(self, port: int, pid: int, who: Participants, *, sockets: int, marks: int, gap: int) -> Figures:
        """Opens the sockets and sends the marks; what `fanout.c` prints, with the CPU time of the processes from `pid`.

        `gap`: microseconds from a mark's arrival everywhere to the next mark; 0: all marks at once.
        """
        with tempfile.TemporaryDirectory() as folder:
            tokens, students = Path(folder, "tokens"), Path(folder, "students")
            tokens.write_text("\n".join([*who.tokens, ""]))
            students.write_text("\n".join([*who.student_ids, ""]))
            pids = ",".join(map(str, tree(pid)))
            command = [
                str(self.program),
                str(port),
                str(tokens),
                str(students),
                str(sockets),
                str(marks),
                str(gap),
                pids,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        found: Figures = json.loads(done.stdout or '{"error": "no answer"}')
        if "error" in found:
            raise RuntimeError(f"the load failed: {found['error']} {done.stderr[-500:]}")
        found["cpu_us_per_mark"] = found["cpu_us_per_frame"] * found["frames"] / found["marks"]
        return found


@contextlib.contextmanager
def fanout(source: Path = SOURCE) -> Iterator[Fanout]:
    """The load, compiled from `source`."""
    with tempfile.TemporaryDirectory() as folder:
        yield Fanout(compiled(source, Path(folder)))


def allow_many_sockets() -> int:
    """Raises the limit on open files as far as the system lets us; how many sockets that leaves for a load."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - 100
