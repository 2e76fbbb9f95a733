"""Runs the cases of the Autobahn test suite against this project's WebSocket protocol.

`make autobahn`, or `python -m tests.programs.autobahn --client PATH/kosoku [SECTION …]`. The suite itself runs on
CPython 2.7 alone. Its case files are run here by kosoku, under the Python of today. The server sends back what it is
sent (tests/programs/echo.py); for the sections on compression it offers that. The program ends with 1 if a case comes
out otherwise than it should, or if the server's log is not clean.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import tests.support.environment  # noqa: F401  sets Django up, so it comes first
from tests.support.database import databases_of_a_run
from tests.support.server import Server

SECTIONS = ["1", "2", "3", "4", "5", "6", "7", "9", "10", "12", "13"]
COMPRESSION = {"12", "13"}
ECHO = [sys.executable, "-m", "tests.programs.echo", "--port", "{port}"]
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
#: What comes out otherwise, and why it stays so.
KNOWN = {
    "7.1.5": "websockets answers a close within a fragmented message with 1002 instead of with the close's own code",
}


def run(client: str, server: Server, sections: list[str], folder: Path) -> dict[str, str]:
    """How each case came out, in the suite's words: of its messages, and of its close."""
    chosen = [argument for section in sections for argument in ("--include", f"{section}.*")]
    subprocess.run(
        [client, f"127.0.0.1:{server.port}", *chosen, "--parallelism", "2", "--outdir", str(folder)],
        check=False,  # it ends with 1 for the known ones, too
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (cases,) = json.loads((folder / "index.json").read_text()).values()
    return {name: f"{case['behavior']}, {case['behaviorClose']}" for name, case in cases.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--client", required=True, help="the program `kosoku`")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all of them if none")
    options = parser.parse_args()
    sections = options.sections or SECTIONS
    if unknown := set(sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    found: dict[str, str] = {}
    with databases_of_a_run() as databases, tempfile.TemporaryDirectory() as folder:
        for compresses in (False, True):
            mine = [section for section in sections if (section in COMPRESSION) == compresses]
            command = [*ECHO, *(["--deflate"] if compresses else [])]
            if not mine:
                continue
            with Server(databases.fresh(), command) as server, server.clean_log():
                found |= run(options.client, server, mine, Path(folder) / str(compresses))
    bad = {name: how for name, how in found.items() if not set(how.split(", ")) <= GOOD}
    for how, count in sorted(Counter(found.values()).items()):
        print(f"{count:4} {how}")
    for name, how in bad.items():
        print(f"{name}: {how}{f' (known: {KNOWN[name]})' if name in KNOWN else ''}")
    mended = [name for name in KNOWN if name in found and name not in bad]
    if mended:
        print(f"Good by now, so take them out of KNOWN: {', '.join(mended)}")
    return 1 if mended or bad.keys() - KNOWN.keys() or not found else 0


if __name__ == "__main__":
    sys.exit(main())
