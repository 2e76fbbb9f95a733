"""What stands beside this server in `make bench`: the yardstick on Node, the one on Bun, the floors in C and Python.

They are this folder's own: `yardstick/`, `yardstick-bun/`, `floor.c`, `floor.py`. Another folder can take the place of
the first two: it has a `server.js` or `peer-node/server.js`, `peer-bun/server.js` if it likes, and its own load if it
has a `fanout.c`.
"""

import contextlib
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench import fanout
from bench.fanout import Participants
from bench.programs import compiled, need
from bench.results import FOLDER, ROOT
from bench.servers import Server, stopping
from tests.support.node import install_packages

HERE = Path(__file__).parent
#: Where npm puts Bun, in the folder of its yardstick.
BUN = Path("node_modules", "bun", "bin", "bun.exe")
#: bcrypt's cost: the accounts of a run are to be made quickly, and how fast passwords are hashed is not measured.
ROUNDS = "4"


@dataclass(frozen=True)
class Yardsticks:
    """Where the yardsticks are, and the source of the load."""

    node: Path
    bun: Path
    load: Path

    @classmethod
    def of(cls, folder: Path | None) -> "Yardsticks":
        """Those of `folder`, or the project's own without one; ValueError if there are none in it."""
        own = cls(HERE / "yardstick", HERE / "yardstick-bun", fanout.SOURCE)
        if folder is None:
            return own
        node = next((place for place in (folder / "peer-node", folder) if (place / "server.js").exists()), None)
        if node is None:
            raise ValueError(f"{folder} has no yardstick: neither server.js nor peer-node/server.js is there")
        bun, load = folder / "peer-bun", folder / "fanout.c"
        return cls(node, bun if (bun / BUN).exists() else own.bun, load if load.exists() else own.load)

    @property
    def bun_is_installed(self) -> bool:
        return (self.bun / BUN).exists()

    def sides(self) -> dict[str, Callable[[], AbstractContextManager[Server]]]:
        """What starts each of them, by side; Bun only where it is installed."""
        bun = {"bun": self.start_bun} if self.bun_is_installed else {}
        return {"yardstick": self.start_node, **bun, "floor": floor, "python_floor": floor_in_python}

    @contextlib.contextmanager
    def start_node(self) -> Iterator[Server]:
        """The yardstick on Node, its packages installed."""
        need("node", "npm")
        folder = self.node
        if HERE not in folder.parents:  # others' folders are left as they are
            folder = FOLDER / "yardstick"
            without = shutil.ignore_patterns("node_modules")
            shutil.copytree(self.node, folder, ignore=without, copy_function=shutil.copyfile, dirs_exist_ok=True)
            folder.chmod(0o755)
        install_packages(folder)
        with stopping(Server(["node", "server.js"], folder, ROUNDS=ROUNDS)) as server:
            yield server

    @contextlib.contextmanager
    def start_bun(self) -> Iterator[Server]:
        """The yardstick on Bun, which is installed."""
        with stopping(Server([str(self.bun / BUN), "server.js"], self.bun, ROUNDS=ROUNDS)) as server:
            yield server


@contextlib.contextmanager
def floor() -> Iterator[Server]:
    """The floor in C, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        program = compiled(HERE / "floor.c", Path(folder))
        with stopping(_Floor([str(program)], Path(folder))) as server:
            yield server


@contextlib.contextmanager
def floor_in_python() -> Iterator[Server]:
    """The floor in Python."""
    with stopping(_Floor([sys.executable, "-m", "bench.floor"], ROOT)) as server:
        yield server


class _Floor(Server):
    def open_class(self, students: int) -> Participants:
        """It knows nobody, so everybody is somebody."""
        return Participants(["anybody"], [secrets.token_hex(12) for _ in range(students)])
