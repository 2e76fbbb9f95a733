"""The table of `make bench`: what is compared, what is wanted of it, and how it is put into words.

A line is a dict: `name`, `unit`, a figure by side (`ours`, `yardstick`, and where they were measured `bun` and the
floors), `ratio` (ours divided by the yardstick's), `bun_ratio` (ours divided by Bun's), `target`, and whether the
target is `reached` (None: there is none).
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.results import Figures
from bench.rush import ANSWERED_WITHIN, MARKED_WITHIN
from bench.table import columns, shown

#: What the load counts that must not be.
FAULTS = ("lost", "out_of_order", "errors", "closed")
#: The sides that do nothing but send, with their headings.
FLOORS = {"floor": "floor in C", "python_floor": "floor in Python"}
HEADINGS = {"ours": "this server", "yardstick": "Node", "bun": "Bun", **FLOORS}


@dataclass(frozen=True)
class Row:
    """A line of the table before it is measured: a figure of every side's runs, and what is wanted of it."""

    name: str
    figure: Callable[[Figures], float]
    unit: str = ""
    #: The most that ours divided by Node's may be.
    of_node: float | None = None
    #: The most that ours divided by Bun's may be; where Bun was measured this stands in the place of `of_node`.
    of_bun: float | None = None
    #: The most that ours may be.
    at_most: float | None = None
    #: Whether the floors' figures tell anything.
    floor: bool = False

    def is_in(self, found: Figures) -> bool:
        """Whether the runs have the figure."""
        try:
            self.figure(found["ours"][0])
        except KeyError:
            return False
        return True

    def of(self, found: Figures) -> Figures:
        """The line: medians of the runs, their ratios, whether they are what is wanted."""
        sides = {side: runs for side, runs in found.items() if side not in FLOORS or self.floor}
        line: Figures = {side: median(self.figure(run) for run in runs) for side, runs in sides.items()}
        line["ratio"] = _ratio(line, "yardstick")
        line["bun_ratio"] = _ratio(line, "bun")
        target, compared, wanted = self._wanted(line)
        reached = None if compared is None or wanted is None else compared <= wanted
        return {"name": self.name, "unit": self.unit, **line, "target": target, "reached": reached}

    def _wanted(self, line: Figures) -> tuple[str, float | None, float | None]:
        """The target in words, what it is about, and the most that this may be (None: whatever it is)."""
        if self.of_bun is not None and (line["bun_ratio"] is not None or self.of_node is None):
            return f"≤ {self.of_bun} of Bun", line["bun_ratio"], self.of_bun
        if self.of_node is not None:
            return f"≤ {self.of_node} of Node", line["ratio"], self.of_node
        if self.at_most is not None:
            return f"≤ {self.at_most:g}{self.unit}".replace("≤ 0", "0"), line["ours"], self.at_most
        return "", line["ours"], None


def _ratio(line: Figures, side: str) -> float | None:
    return line["ours"] / line[side] if line.get(side) else None


ROWS = (
    Row(
        "one mark at a time: server CPU a frame",
        lambda run: run["steady"]["cpu_us_per_frame"],
        " µs",
        of_node=0.8,
        of_bun=1.0,
        floor=True,
    ),
    Row("one mark at a time: mark to last socket, p50", lambda run: run["steady"]["p50_ms"], " ms", floor=True),
    Row(
        "one mark at a time: mark to last socket, p99",
        lambda run: run["steady"]["p99_ms"],
        " ms",
        of_node=1.0,
        of_bun=1.0,
        floor=True,
    ),
    Row(
        "500 marks at once: server CPU a frame",
        lambda run: run["burst"]["cpu_us_per_frame"],
        " µs",
        of_node=0.25,
        of_bun=0.3,
        floor=True,
    ),
    Row("500 marks at once: frames lost", lambda run: run["burst"]["lost"], at_most=0),
    Row("500 marks at once: frames out of order", lambda run: run["burst"]["out_of_order"], at_most=0),
    Row(
        "connecting, 64 at a time: server CPU a socket", lambda run: run["steady"]["opening_cpu_us"], " µs", of_node=0.5
    ),
    Row("memory a socket", lambda run: run["steady"]["kib_per_socket"], " KiB", of_bun=1.15),
)


def rest_line(route: str, rounds: list[dict[str, Figures]]) -> Figures:
    """The line of a route: medians of requests a second, and of the ratios of runs that were neighbours in time."""
    line: Figures = {side: median(run[side]["per_s"] for run in rounds) for side in rounds[0]}
    for name, side in (("ratio", "yardstick"), ("bun_ratio", "bun")):
        ratios = [run["ours"]["per_s"] / run[side]["per_s"] for run in rounds if side in run]
        line[name] = median(ratios) if ratios else None
    failed = sum(run["ours"]["failed"] for run in rounds)
    wanted = 2.5 if route.startswith("GET ") else 1.5
    return {
        "name": f"`{route}`, requests a second",
        "unit": "",
        **line,
        "target": f"≥ {wanted} of Node",
        "reached": line["ratio"] >= wanted and not failed,
    }


def logins_line(later_ms: float, logins: int) -> Figures:
    """The line that says how much later a mark comes beside so many logins at once."""
    return _alone(f"{logins} logins at once: a mark's p99 is later by", later_ms, " ms", 50)


def rush_lines(found: Figures) -> list[Figures]:
    """The lines of `bench.rush`: how long it took who was answered slowest but one in a hundred."""
    everybody = found["answered"] == found["students"] and not found["lost"] and not found["doubled"]
    of_whom = f"{found['students']:,} check in within {found['seconds']:.0f} s"
    return [
        _alone(f"{of_whom}: p99 of {what}", found["times"][kind]["p99_ms"], " ms", at_most, holds=everybody)
        for kind, what, at_most in (
            ("claim", "scans", ANSWERED_WITHIN),
            ("check-in", "check-ins", ANSWERED_WITHIN),
            ("teacher's mark", "a teacher's marks", MARKED_WITHIN),
        )
    ]


def page_lines(found: Figures) -> list[Figures]:
    """The lines of `bench.page`: what the board's page costs."""
    name = f"the board's page, {found['students']} students: "
    return [
        _alone(f"{name}requests a second", found["per_s"], "", holds=not found["failed"]),
        _alone(f"{name}server CPU a request", found["cpu_us"] / 1e3, " ms"),
    ]


def _alone(name: str, ours: float, unit: str, at_most: float | None = None, *, holds: bool = True) -> Figures:
    """A line of ours alone. `holds`: what must be besides."""
    return {
        "name": name,
        "unit": unit,
        "ours": ours,
        "yardstick": None,
        "ratio": None,
        "target": "" if at_most is None else f"≤ {at_most:,.0f}{unit}",
        "reached": None if at_most is None and holds else holds and (at_most is None or ours <= at_most),
    }


def as_text(result: Figures) -> str:
    """The table as it is printed."""
    text = columns([heading(result), *in_words(result)])
    return f"\n{text}\n\n{many_in_words(result['many'])}" if "many" in result else f"\n{text}"


def heading(result: Figures) -> tuple[str, ...]:
    table = result["table"]
    first = f"{table['sockets']:,} sockets, medians of {table['runs']} paired runs"
    return first, *_by_column(_sides(table), HEADINGS, "ratio", "ratio"), "target", ""


def in_words(result: Figures) -> list[tuple[str, ...]]:
    """The table's lines: name, each side's figure and ours divided by it, target, whether it is reached."""
    table = result["table"]
    lines = [(line["name"], *cells(line, _sides(table), table.get("missing", ()))) for line in table["rows"]]
    if "many" in result:
        many = result["many"]
        served = many["sockets"] == many["wanted"] and not any(many[fault] for fault in FAULTS)
        figures = {"ours": f"{many['sockets']:,}, {many['lost']} lost"}
        wanted = f"{many['wanted']:,}, 0 lost"
        many_cells = _by_column(_sides(table), figures, "", "")
        lines.append(("sockets on one process, all marked and served", *many_cells, wanted, _reached(served)))
    return lines


def cells(
    line: Figures, sides: tuple[str, ...] = ("ours", "yardstick"), missing: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """A line's figures in words. `missing`: the sides that are not installed."""
    words = {side: shown(line[side]) + line["unit"] for side in sides if line.get(side) is not None}
    if line.get("yardstick") is not None:  # otherwise nobody else is measured either
        words |= dict.fromkeys(missing, "not installed")
    ratios = ("" if line.get(name) is None else f"{line[name]:.2f}" for name in ("ratio", "bun_ratio"))
    return *_by_column(sides, words, *ratios), line["target"], _reached(line["reached"])


def _sides(table: Figures) -> tuple[str, ...]:
    return tuple(table.get("sides", ("ours", "yardstick")))


def _by_column(sides: tuple[str, ...], words: dict[str, str], ratio: str, bun_ratio: str) -> list[str]:
    """The cells of all sides, with their ratios behind those that have one."""
    ratios = {"yardstick": [ratio], "bun": [bun_ratio]}
    return [cell for side in sides for cell in (words.get(side, ""), *ratios.get(side, []))]


def _reached(reached: bool | None) -> str:
    return {True: "reached", False: "not reached", None: ""}[reached]


def many_in_words(many: Figures) -> str:
    sent = many["steady"]["marks"] + many["burst"]["marks"]
    frames = many["steady"]["frames"] + many["burst"]["frames"]
    limit = "" if many["sockets"] == many["wanted"] else f" (wanted {many['wanted']:,}; the limit on open files)"
    return (
        f"One process of ours with {many['sockets']:,} sockets{limit}: {sent} marks, {frames:,} frames, "
        f"{many['lost']} lost, {many['out_of_order']} out of order, {many['closed']} sockets closed; "
        f"one mark reaches the last socket after {shown(many['steady']['p50_ms'])} ms (median), "
        f"{shown(many['steady']['kib_per_socket'])} KiB a socket."
    )
