"""A simulation of a country's schools at nine o'clock, with the costs that `make bench-scale` has measured.

`python -m bench.simulate_nine_oclock [FOLDER]` prints what docs/scaling.md quotes. FOLDER has the files
scale-DATABASE.json; without it the simulation takes those of docs/benchmarks. It measures nothing, and its random
numbers have a seed: equal costs give equal figures.

A machine runs one process of this server. The process has three parts, and each serves in order of arrival:

- the loop is one core, for all that is Python: requests, openings, messages, frames, the look once a second;
- the hashes have the other cores, but no more than `accounts.passwords` takes;
- the commits: marks that arrive during a commit share the next one.

A class begins at some moment of the 15 minutes. Few begin at their start and end, and in the middle twice as many as on
the average. The people of a class come in the two minutes before: they log in, read who they are and their class, and
open a socket. Their teacher starts the session, marks a student every two seconds, and sends DONE. All people of the
class hear every mark.
"""

import heapq
import itertools
import random
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.percentiles import percentile
from bench.results import ROOT, Figures, read

DOCUMENTS = ROOT / "docs" / "benchmarks"

#: Not MongoDB: its figures are a stand-in's, which says nothing of the real one's speed.
DATABASES = ("sqlite", "postgresql")

STUDENTS = 10_000_000
CLASSES = 300_000
WINDOW = 900.0  # seconds
#: How much busier than the average the triangle's middle is.
PEAK = 2.0
CLASS_SIZE = round(STUDENTS / CLASSES)
#: The people in a class's live session: its students and its teacher.
PEOPLE = CLASS_SIZE + 1
COMING = 120.0  # seconds before a class begins
PACE = 2.0  # seconds from a mark to the next

#: What people may be made to wait, seconds at p99.
LOGIN_LIMIT = 10.0
MARK_LIMIT = 1.0
#: Sockets on one process, as far as they were measured.
SOCKETS = 10_000
#: The cores of a larger machine than the measured one.
LARGE = 8
#: Hashes at once in one process (accounts.passwords).
HASHES = 4


@dataclass(frozen=True)
class Costs:
    """What was measured; seconds."""

    database: str
    cores: int
    hash: float
    #: A login besides its hash, and the reads that follow it.
    login: float
    reads: float
    socket: float
    start: float
    done: float
    #: A mark, heard by its teacher only, among so many open sessions; each frame more.
    mark: Sequence[tuple[float, float]]
    frame: float
    #: A second's look at so many open sessions.
    look: Sequence[tuple[float, float]]
    #: A commit of one mark, and what each further mark in it adds.
    commit: float
    commit_more: float
    socket_kib: float

    @classmethod
    def measured(cls, found: Figures) -> "Costs":
        costs, frames, sessions = found["costs"], found["frames"], found["open_sessions"]
        few, many = frames[0], next(point for point in frames if point["sockets"] >= 1000 or point is frames[-1])
        per_mark = [point["steady"]["cpu_us_per_frame"] * point["sockets"] for point in (few, many)]
        in_a_row = max(found["shared_commits"], key=lambda point: float(point["window"]))
        return cls(
            database=found["database"],
            cores=found["machine"]["cores"],
            hash=costs["hash"]["cpu_ms"] / 1e3,
            login=max(costs["login"]["cpu_ms"] - costs["hash"]["cpu_ms"], costs["me"]["cpu_ms"]) / 1e3,
            reads=(costs["me"]["cpu_ms"] + costs["class"]["cpu_ms"]) / 1e3,
            socket=costs["socket"]["cpu_ms"] / 1e3,
            start=costs["start"]["cpu_ms"] / 1e3,
            done=costs["done"]["cpu_ms"] / 1e3,
            mark=[(point["sessions"], point["cpu_us_per_mark"] / 1e6) for point in sessions],
            frame=max(per_mark[1] - per_mark[0], 0) / (many["sockets"] - few["sockets"]) / 1e6,
            look=[(point["sessions"], point["watching_ms_per_s"] / 1e3) for point in sessions],
            commit=costs["lone_mark"]["p50_ms"] / 1e3,
            commit_more=1 / in_a_row["marks_per_s"],
            socket_kib=frames[-1]["steady"]["kib_per_socket"],
        )

    def hashes_at_once(self, cores: int) -> int:
        return min(HASHES, max(1, cores - 1))


def between(points: Sequence[tuple[float, float]], at: float) -> float:
    """The curve's value at `at`: a straight line between the points, the first and last going on."""
    low, high = points[0], points[-1]
    for left, right in itertools.pairwise(points):
        low, high = left, right
        if at <= right[0]:
            break
    slope = (high[1] - low[1]) / (high[0] - low[0]) if high[0] > low[0] else 0.0
    return max(low[1] + slope * (at - low[0]), 0.0)


# The parts of a machine


@dataclass
class Servers:
    """So many servers, alike, that serve in order of arrival."""

    count: int
    free: list[float] = field(default_factory=list)
    #: Seconds of work by the minute in which it began.
    busy: dict[int, float] = field(default_factory=dict)

    def serve(self, at: float, seconds: float) -> float:
        """When what comes at `at` is done."""
        if len(self.free) < self.count:
            begin = at
        else:
            begin = max(at, heapq.heappop(self.free))
        heapq.heappush(self.free, begin + seconds)
        minute = int(begin // 60)
        self.busy[minute] = self.busy.get(minute, 0.0) + seconds
        return begin + seconds

    @property
    def busiest(self) -> float:
        """The part of its time that it worked, in its busiest minute."""
        return max(self.busy.values(), default=0.0) / 60 / self.count


@dataclass
class Commits:
    """One commit at a time; who comes during one goes with the next."""

    first: float
    more: float
    until: float = 0.0
    waiting: int = 0

    def serve(self, at: float, seconds: float) -> float:
        if self.waiting and at >= self.until:
            self.until, self.waiting = self._next_end(), 0
        if at >= self.until:
            self.until = at + self.first
            return self.until
        self.waiting += 1
        return self._next_end()

    def _next_end(self) -> float:
        return self.until + self.first + self.more * (self.waiting - 1)


# What happens


class OverloadedError(Exception):
    """More than one in a hundred has waited too long; nothing that follows makes that good."""


#: Yields what it needs next, and of what part (None: just time to pass); is sent the moment at which that is done.
#: What it yields first is nothing: it waits for its beginning.
Life = Generator[tuple[Any, float], float, None]


@dataclass
class Machine:
    """One process, and what people on it had to wait for, seconds."""

    costs: Costs
    cores: int
    #: Whether people log in that morning; otherwise their tokens are still good.
    logging_in: bool
    classes: int = 0
    #: Whether it must keep within the limits: `OverloadedError` as soon as it cannot.
    within_limits: bool = False
    logins: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    #: How many of each took longer than the limit.
    late_logins: int = 0
    late_marks: int = 0
    open_sessions: int = 0
    most_open: int = 0

    def __post_init__(self) -> None:
        self.loop = Servers(1)
        self.hashes = Servers(self.costs.hashes_at_once(self.cores))
        self.commits = Commits(self.costs.commit, self.costs.commit_more)

    def person(self, moment: float) -> Life:
        """Comes at `moment`, and has an open socket in the end."""
        yield None, moment
        if self.logging_in:
            yield self.hashes, self.costs.hash
            logged_in = yield self.loop, self.costs.login
            self.logins.append(logged_in - moment)
            self.late_logins += logged_in - moment > LOGIN_LIMIT
        yield self.loop, self.costs.reads + self.costs.socket

    def lesson(self, moment: float) -> Life:
        """A class's session from `moment` to DONE."""
        yield None, moment
        yield self.loop, self.costs.start
        self.open_sessions += 1
        self.most_open = max(self.most_open, self.open_sessions)
        began = moment
        for number in range(CLASS_SIZE):
            began = moment + number * PACE
            yield None, began
            yield self.loop, between(self.costs.mark, self.open_sessions)
            yield self.commits, 0.0
            told = yield self.loop, self.costs.frame * (PEOPLE - 1)
            self.marks.append(told - began)
            self.late_marks += told - began > MARK_LIMIT
        yield None, began + PACE
        yield self.loop, self.costs.done
        self.open_sessions -= 1

    def check(self) -> None:
        """`OverloadedError` if the 99th percentile of logins or of marks will be over its limit."""
        if self.late_logins > _may_be_late(self.classes * PEOPLE) or self.late_marks > _may_be_late(
            self.classes * CLASS_SIZE
        ):
            raise OverloadedError

    def looks(self) -> Life:
        """Once a second, as long as anything happens."""
        for second in range(int(-COMING), int(WINDOW + CLASS_SIZE * PACE)):
            yield None, float(second)
            if self.within_limits:
                self.check()
            yield self.loop, between(self.costs.look, self.open_sessions)


def play(costs: Costs, *, classes: int, cores: int, logging_in: bool, within_limits: bool = False) -> Machine:
    """The 15 minutes on one machine that carries so many classes."""
    chance = random.Random(9)
    machine = Machine(costs, cores, logging_in, classes, within_limits)
    agenda: list[tuple[float, int, Life]] = []
    numbers = itertools.count()

    def begin(at: float, life: Life) -> None:
        next(life)
        heapq.heappush(agenda, (at, next(numbers), life))

    begin(-COMING, machine.looks())
    for _ in range(classes):
        moment = chance.triangular(0, WINDOW)
        begin(moment, machine.lesson(moment))
        for _ in range(PEOPLE):
            comes = moment - chance.uniform(0, COMING)
            begin(comes, machine.person(comes))
    while agenda:
        at, number, life = agenda[0]
        try:
            part, need = life.send(at)
        except StopIteration:
            heapq.heappop(agenda)
        else:
            done = max(at, need) if part is None else part.serve(at, need)
            heapq.heapreplace(agenda, (done, number, life))
    if within_limits:
        machine.check()
    return machine


def _may_be_late(number: int) -> int:
    """How many of so many values may be over a limit under which their 99th percentile is to stay."""
    return number - 1 - min(number - 1, int(0.99 * number))


def carried(costs: Costs, *, cores: int, logging_in: bool) -> tuple[int, int, Machine]:
    """How many classes the machine carries within the limits, sockets aside; too many, at most 5 % more; the 15 minutes
    with what it carries."""
    least, most, middle = 0, 0, 128
    best = Machine(costs, cores, logging_in)
    while not most or most - least > max(1, least // 20):
        try:
            best = play(costs, classes=middle, cores=cores, logging_in=logging_in, within_limits=True)
            least = middle
        except OverloadedError:
            most = middle
        middle = (least + most) // 2 if most else 2 * least
    return least, most, best


def parts(costs: Costs, cores: int) -> list[tuple[str, float, float]]:
    """Each part by itself: its name, what a class needs of it (seconds), and how many classes would fill it at the
    peak; the one that gives way first comes first."""
    hashes = costs.hashes_at_once(cores)
    opened, among = costs.look[-1], costs.mark
    there = (CLASS_SIZE * PACE) * PEAK / WINDOW  # of all classes are open at the peak
    needs = {
        f"passwords ({hashes} hash{'es' if hashes > 1 else ''} at once)": (PEOPLE * costs.hash, hashes),
        "Python: requests and openings": (PEOPLE * (costs.login + costs.reads + costs.socket) + costs.start, 1),
        "Python: marks and DONE": (
            CLASS_SIZE * (among[0][1] + costs.frame * (PEOPLE - 1)) + costs.done,
            1,
        ),
        "Python: the look once a second": (WINDOW / PEAK * there * opened[1] / opened[0], 1),
        "commits": (CLASS_SIZE * costs.commit_more, 1),
    }
    found = [(name, need, WINDOW / PEAK * count / need) for name, (need, count) in needs.items()]
    found.append((f"sockets ({SOCKETS:,} measured on one process)", 0.0, SOCKETS / PEOPLE))
    return sorted(found, key=lambda part: part[2])


#: What is seen of a machine in the 15 minutes.
Seen = dict[str, float]


def seen(machine: Machine) -> Seen:
    """Waits (p99), how busy the parts are in their busiest minute, and how many sessions are open at once at most."""
    return {
        "login_p99_s": percentile(machine.logins, 0.99),
        "mark_p99_ms": 1e3 * percentile(machine.marks, 0.99),
        "loop_busy": machine.loop.busiest,
        "hashes_busy": machine.hashes.busiest,
        "most_open": machine.most_open,
    }


def measured_costs(folder: Path) -> dict[str, Costs]:
    """The costs that were measured whole, by database."""
    found = {database: read(folder, f"scale-{database}") for database in DATABASES}
    whole = {"costs", "frames", "open_sessions", "shared_commits"}
    return {key: Costs.measured(measured) for key, measured in found.items() if measured and whole <= measured.keys()}


def searched(folder: Path) -> Figures:
    """What each machine carries, by database. It plays the 15 minutes through many times: half a minute."""
    found: Figures = {}
    for database, costs in measured_costs(folder).items():
        found[database] = []
        # Without logins further cores have nothing to do.
        for cores, logging_in in ((costs.cores, True), (LARGE, True), (costs.cores, False)):
            classes, too_many, machine = carried(costs, cores=cores, logging_in=logging_in)
            found[database].append(
                {"cores": cores, "logging_in": logging_in, "classes": classes, "too_many": too_many} | seen(machine)
            )
    return found


def figures(folder: Path, machines: Figures) -> Figures:
    """All that is printed and quoted, by database; `machines` is what `searched` found for the same folder."""
    country = {
        "students": STUDENTS,
        "classes": CLASSES,
        "people": CLASSES * PEOPLE,
        "peak_arrivals_per_s": CLASSES * PEOPLE * PEAK / WINDOW,
        "peak_marks_per_s": CLASSES * CLASS_SIZE * PEAK / WINDOW,
        "peak_frames_per_s": CLASSES * CLASS_SIZE * PEOPLE * PEAK / WINDOW,
    }
    found: Figures = {"country": country, "databases": {}}
    for database, costs in measured_costs(folder).items():
        found["databases"][costs.database] = {
            "costs": costs,
            "parts": parts(costs, costs.cores),
            "hash_cores": CLASSES * PEOPLE * costs.hash / WINDOW,
            "socket_gib": CLASSES * PEOPLE * costs.socket_kib / 2**20,
            "machines": [_within_sockets(machine) for machine in machines[database]],
        }
    return found


def _within_sockets(machine: Figures) -> Figures:
    within = min(machine["classes"], SOCKETS // PEOPLE)
    people = machine["classes"] * PEOPLE
    return machine | {"people": people, "within_sockets": within, "machines": -(-CLASSES // within)}


def as_text(found: Figures) -> str:
    """What is printed."""
    country = found["country"]
    lines = [
        f"{country['students']:,} students in {country['classes']:,} classes within {WINDOW / 60:.0f} minutes.",
        f"At the peak, each second: {country['peak_arrivals_per_s']:,.0f} people come, "
        f"{country['peak_marks_per_s']:,.0f} marks are made, {country['peak_frames_per_s']:,.0f} frames are told.",
    ]
    for database, of in found["databases"].items():
        lines += [
            f"\n{database}, one machine of {of['costs'].cores} cores: each part alone",
            *(
                f"  {name:48} {1e3 * need:8,.0f} ms a class  {classes:7,.0f} classes"
                if need
                else f"  {name:48} {'':19}{classes:8,.0f} classes"
                for name, need, classes in of["parts"]
            ),
            "  all together:",
        ]
        for each in of["machines"]:
            who = "everybody logs in" if each["logging_in"] else "tokens are good"
            lines.append(
                f"  {each['cores']} cores, {who:18}{each['classes']:6,} classes ({each['people']:,} people), "
                f"login p99 {each['login_p99_s']:.1f} s, mark p99 {each['mark_p99_ms']:.0f} ms, "
                f"Python {each['loop_busy']:.0%} and hashes {each['hashes_busy']:.0%} busy; "
                f"for the country {each['machines']:,} machines of {each['within_sockets']:,} classes"
            )
        lines.append(
            f"  for the country: {of['hash_cores']:,.0f} cores do nothing but hash for 15 minutes, "
            f"sockets take {of['socket_gib']:,.0f} GiB"
        )
    return "\n".join(lines)


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS
    print(as_text(figures(folder, searched(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
