"""Looks for input that breaks what reads input: coverage-guided fuzzing (atheris) of the parsers.

`make fuzz-parsers SECONDS=60`, or `python -m tests.programs.fuzz_parsers --seconds 60 [READER …]`. Each reader gets
that many seconds in a process of its own. The program ends with 1 and shows the input where a reader raises what it
does not promise, or gives what is not as it promises.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["core", "classes.rosters", "attendance.check_in"]):
    import tests.support.environment  # noqa: F401  sets Django up, so it comes first
    from attendance import check_in
    from classes.rosters import entries, sources
    from classes.rosters.errors import RosterError
    from core import errors, ids, strict_json

#: Half of the earth's circumference and the rounding of doubles, metres.
FARTHEST = math.pi * check_in.EARTH + 1e-3


def read_json(data: bytes) -> None:
    """What is taken comes back from what is written of it."""
    try:
        value = strict_json.loads(data)
    except ValueError:
        return
    assert strict_json.loads(strict_json.dumps(value)) == value


def read_id(data: bytes) -> None:
    """An id is 24 lower-case hex digits, and an id of itself."""
    text = data.decode(errors="replace")
    found = ids.parse_id(text)
    if found is not None:
        assert len(found) == 24
        assert set(found) <= set("0123456789abcdef")
        assert found == text.lower() == ids.parse_id(found)


def read_check_in(data: bytes) -> None:
    """A check-in is taken or refused with an error of its own, and no place is farther than the other side."""
    try:
        body = strict_json.loads(data)
    except ValueError:
        return
    numbers = [*body, None, None, None, None] if isinstance(body, list) else [body] * 4
    here, there = check_in.Place.of(*numbers[:2]), check_in.Place.of(*numbers[2:4])
    circle = check_in.Circle(there, 100.0) if there is not None else None
    if here is not None and there is not None:
        distance = here.metres_to(there)
        assert 0 <= distance <= FARTHEST
        assert math.isclose(distance, there.metres_to(here), rel_tol=1e-6, abs_tol=1e-3)
    code = next((each for each in numbers if isinstance(each, str)), None)
    try:
        check_in.check(codes=["482913", ""], code=code, circle=circle, place=here)
    except (errors.WrongCode, errors.LocationMissing, errors.OutOfRange):
        return
    assert code == "482913"


def read_roster(data: bytes) -> None:
    """A file of students is read or refused with an error for people; each row has its line."""
    try:
        table = sources.read_file(data, name="roster")
    except RosterError:
        return
    assert table.columns.keys() & {"name", "first_name", "last_name"}
    lines = [line for line, _ in table.rows]
    assert lines == sorted(set(lines))
    assert lines[0] > 1
    assert {entry.line for entry in entries.entries_of(table)} <= set(lines)


#: Reader → the function, and inputs to begin with.
READERS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "json": (read_json, [b'{"event":"SYNC","data":{"a":[1,-2.5e3,true,null,"\\u00e9"]}}', b'{"a":1,"a":2}', b"[NaN]"]),
    "ids": (read_id, [b"65f1a2b3c4d5e6f708192a3b", "６5f1a2b3c4d5e6f708192a3b".encode()]),
    "check-in": (read_check_in, [b'[23.8,90.4,23.9,90.5,"482913"]', b"[90,180,-90,-180]", b"[true,1e308,0,0]"]),
    "rosters": (read_roster, [b"name,email\nAda,ada@x.edu\n", b'STUDNAME;EMAIL;ROLLNO\r\n"A\r\nB";a@x.edu;7\r\n']),
}


def _fuzz(reader: str, corpus: str, seconds: int) -> None:
    """Fuzzes in this process, and ends it."""
    function, _ = READERS[reader]
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10", f"-artifact_prefix={corpus}/found-"]
    atheris.Setup([sys.argv[0], *options, corpus], function)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="*", metavar="READER", help=", ".join(READERS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if unknown := set(options.readers) - READERS.keys():
        parser.error(f"there is no reader {', '.join(unknown)}; there are {', '.join(READERS)}")
    if options.corpus:
        _fuzz(options.readers[0], options.corpus, options.seconds)
    broken = []
    for reader in options.readers or READERS:
        with tempfile.TemporaryDirectory() as corpus:
            for number, begin in enumerate(READERS[reader][1]):
                (Path(corpus) / str(number)).write_bytes(begin)
            command = [sys.executable, "-m", "tests.programs.fuzz_parsers", reader, "--corpus", corpus]
            ran = subprocess.run(
                [*command, "--seconds", str(options.seconds)], check=False, text=True, stderr=subprocess.PIPE
            )
            last = [line for line in ran.stderr.splitlines() if line.startswith("Done ")]
            print(f"{reader}: {last[-1] if last else 'broken'}", flush=True)
            if ran.returncode:
                broken.append(reader)
                print(ran.stderr[-4000:])
                for found in Path(corpus).glob("found-*"):
                    print(f"{reader} breaks on {found.read_bytes()!r}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
