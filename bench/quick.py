"""`make bench ARGS="--quick --against FOLDER"`: the hot path before and after a change, in under two minutes.

Both servers run on the first core all the time, and are measured in turn, so that a pair's two runs are neighbours in
time: the ratio of a pair tells more than the figures, which follow the machine's moods. Others' work only ever adds to
a run, so on a busy machine the least of each side's runs tells most.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import servers
from bench.fanout import Fanout, Participants, allow_many_sockets, fanout
from bench.results import ROOT, Figures, commit_of, machine, made_by, say, write
from bench.table import columns, shown

ROUNDS = 6
STUDENTS = 10
#: Microseconds between two marks.
GAP = 2000


@dataclass(frozen=True)
class Question:
    """A figure that is asked for: which of the load's it is (µs), and the load: sockets, marks, pairs in each round."""

    name: str
    figure: Callable[[Figures], float]
    sockets: int
    marks: int
    pairs: int


QUESTIONS = (
    Question("CPU of a lone mark", lambda run: run["cpu_us_per_mark"], sockets=10, marks=100, pairs=2),
    Question("CPU of a frame", lambda run: run["cpu_us_per_frame"], sockets=1000, marks=60, pairs=1),
)


@dataclass(frozen=True)
class Side:
    """A running server with an open session."""

    server: servers.Server
    participants: Participants

    def run(self, load: Fanout, question: Question) -> Figures:
        """What the load prints."""
        found = load.run(
            self.server.port,
            self.server.pid,
            self.participants,
            sockets=question.sockets,
            marks=question.marks,
            gap=GAP,
        )
        if any(found[fault] for fault in ("lost", "out_of_order", "errors", "closed")):
            raise RuntimeError(f"the load did not hear every mark once and in order: {found}")
        return found


def run(against: Path | None, *, rounds: int, folder: Path, command: str) -> None:
    """Measures this checkout, and the one in `against` beside it; prints the table and writes folder/quick.json."""
    allow_many_sockets()
    made = made_by(command)
    checkouts = {"this": ROOT, **({"against": against.resolve()} if against else {})}
    found: dict[str, list[Figures]] = {question.name: [] for question in QUESTIONS}
    with contextlib.ExitStack() as stack:
        load = stack.enter_context(fanout())
        say(f"Starting {' and '.join(map(str, checkouts.values()))} …")
        sides = {}
        for name, checkout in checkouts.items():
            server = stack.enter_context(servers.ours(checkout))
            sides[name] = Side(server, server.open_class(STUDENTS))
        _pairs(load, sides)  # the first marks pay for what is made once
        for number in range(rounds):
            for name, pairs in _pairs(load, sides).items():
                found[name] += pairs
                say(f"  {number + 1} of {rounds}: {name} {', '.join(map(_in_short, pairs))}")
    result: Figures = {
        "made": made,
        "machine": machine(),
        "against": commit_of(against) if against else None,
        "answers": [answer(question, found[question.name]) for question in QUESTIONS],
    }
    path = write(folder, "quick", result)
    print(as_text(result))
    print(path)


def _pairs(load: Fanout, sides: dict[str, Side]) -> dict[str, list[Figures]]:
    """A round: by question, of each pair the figure by side."""
    found: dict[str, list[Figures]] = {}
    for question in QUESTIONS:
        for number in range(question.pairs):
            # Each side is first in every other pair: the first one's frames cost 4 % more, of equal code too.
            order = list(sides) if number % 2 == 0 else list(reversed(sides))
            measured = {name: question.figure(sides[name].run(load, question)) for name in order}
            found.setdefault(question.name, []).append({name: measured[name] for name in sides})
    return found


def _in_short(pair: Figures) -> str:
    return " / ".join(f"{value:.4g}" for value in pair.values()) + " µs"


def answer(question: Question, pairs: list[Figures]) -> Figures:
    """Medians and least of each side; the pairs' ratios, this one divided by the other."""
    return {
        "name": f"{question.name}, {question.sockets:,} sockets",
        "median": {side: median(pair[side] for pair in pairs) for side in pairs[0]},
        "least": {side: min(pair[side] for pair in pairs) for side in pairs[0]},
        "ratios": [pair["this"] / pair["against"] for pair in pairs if "against" in pair],
    }


def as_text(result: Figures) -> str:
    """The table as it is printed."""
    lines = [("", "this", "against", "ratio", "pair by pair")]
    for found in result["answers"]:
        middle, least, ratios = found["median"], found["least"], found["ratios"]
        each = " ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append((f"{found['name']}, median", *_sides(middle), f"{median(ratios):.3f}" if ratios else "", each))
        of_least = f"{least['this'] / least['against']:.3f}" if ratios else ""
        lines.append((f"{found['name']}, least", *_sides(least), of_least, ""))
    made = result["made"]
    against = f" against {result['against']}" if result["against"] else ""
    load = f"the machine's load before it was {made['load_before']}"
    return (
        f"{columns(lines)}\n\nCommit {made['commit']}{against}; {load}. A median's ratio is the median of the pairs'."
    )


def _sides(figures: Figures) -> tuple[str, str]:
    this, against = (f"{shown(figures[side])} µs" if side in figures else "" for side in ("this", "against"))
    return this, against
