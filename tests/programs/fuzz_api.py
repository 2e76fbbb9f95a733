"""Sends a server what its OpenAPI document allows, and what it does not, and holds the answers to the document.

`make fuzz-api`, or `python -m tests.programs.fuzz_api --examples 30`. schemathesis makes the requests: the cases at
the edges of every schema, then so many examples a route, asked by nobody, by a student and by a teacher. The program
ends with 1 and shows the requests whose answers the document does not foresee.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import tests.support.environment  # noqa: F401  sets Django up, so it comes first
from tests.support.clients import Api
from tests.support.database import databases_of_a_run
from tests.support.server import Server

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_suffix(".toml")
PEOPLE = ("nobody", "student", "teacher")


def run(server: Server, people: Sequence[str], *arguments: str) -> list[str]:
    """Asks all routes as each of `people`; what schemathesis says to those answers that should be others."""
    api = Api(server.url)
    room = api.make_room(students=1, start=False)
    api.close()
    as_whom: dict[str, list[str]] = {
        "nobody": [],
        # Who has signed out is nobody from then on.
        "student": ["--header", f"Authorization:{room.students[0].token}", "--exclude-path", "/auth/logout"],
        "teacher": ["--header", f"Authorization:{room.teacher.token}", "--exclude-path", "/auth/logout"],
    }
    command = [str(PROGRAM), "--config-file", str(CONFIG), "run", f"{server.url}/api-docs/schema", *arguments]
    found = []
    for person in people:
        with tempfile.TemporaryDirectory() as folder:  # schemathesis notes there what it found
            done = subprocess.run([*command, *as_whom[person]], check=False, text=True, capture_output=True, cwd=folder)
        if done.returncode:
            found.append(f"As {person}:\n{done.stdout}{done.stderr}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=30, help="of each route and person (default: %(default)s)")
    examples = parser.parse_args().examples
    with databases_of_a_run() as databases, Server(databases.fresh(), LIMITS="False") as server, server.clean_log():
        found = run(server, PEOPLE, "--max-examples", str(examples), "--continue-on-failure")
    print("\n".join(found) or f"Every answer is as the document says: {examples} examples of each route and person.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
