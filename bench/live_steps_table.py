"""The tables of `python -m bench.live_steps`: the steps of a lone mark, and of a connection."""

from bench.results import Figures
from bench.table import shown

#: What lies between two moments of `bench.live_steps.KINDS`, in their order.
STEPS = {
    "mark": (
        "the frame is read",
        "the guards: event, role, session, data, enrolment",
        "the row of the mark is made and queued",
        "the queue's task",
        "to the writer's thread",
        "the transaction begins",
        "two statements",
        "facts of the rows",
        "the commit, with the disk's sync",
        "back to the event loop",
        "the gate, and who is to hear it",
        "the frames' text",
        "the frames to {sockets} sockets",
    ),
    "connection": (
        "the handshake is read",
        "the scope, a task, the application's door",
        "origin, path, consumer",
        "to the reader's thread",
        "the token, and the account in the database",
        "back to the event loop",
        "the hub, the ends of tokens",
        "the answer",
    ),
}
HEADINGS = {"mark": "a lone mark", "connection": "one connection"}


def tables(result: Figures) -> list[list[tuple[str, ...]]]:
    """A table of each kind, the heading first; µs by the clock, medians."""
    return [_table(kind, result) for kind in STEPS]


def _table(kind: str, result: Figures) -> list[tuple[str, ...]]:
    found = result[kind]
    steps = zip(STEPS[kind], found["steps"], strict=True)
    lines = [(name.format(sockets=result["sockets"]), shown(round(us, 1))) for name, us in steps]
    heading = f"{HEADINGS[kind]}, median of {found['count']}"
    return [(heading, "µs"), *lines, ("all of these", shown(round(sum(found["steps"]), 1)))]
