"""`make bench-docs`: docs/benchmarks.md and docs/scaling.md, from what the benchmarks found.

Takes the results that are in FOLDER (the others stay as they were) into docs/benchmarks/, draws their curves there,
and fills in bench/templates/. Nothing in those documents that a run can find out is typed by hand.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bench import live_steps_table, request_steps_table, rush, year_table
from bench import simulate_nine_oclock as simulation
from bench.results import FOLDER, ROOT, Figures, read, write
from bench.side_by_side_table import heading, in_words, many_in_words
from bench.storm import in_words as in_words_of_storm
from bench.table import shown

DOCUMENTS = simulation.DOCUMENTS
#: The file with what the simulation has found, for the committed costs.
SIMULATION = "simulation"
#: The file of `python -m bench.request_steps`.
REQUEST_STEPS = "request-steps"
#: The file of `python -m bench.live_steps`.
LIVE_STEPS = "live-steps"
TEMPLATES = Path(__file__).parent / "templates"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mongodb": "MongoDB (SecantusDB)"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="with the results (default: %(default)s)")
    arguments = parser.parse_args()
    others = ("side-by-side", "storm", REQUEST_STEPS, LIVE_STEPS, *rush.NAMES.values())
    for name in (*others, *(f"{kind}-{database}" for kind in ("scale", "year") for database in NAMES)):
        found = read(arguments.folder, name)
        if found is not None:
            write(DOCUMENTS, name, found)

    write(DOCUMENTS, SIMULATION, simulation.searched(DOCUMENTS))

    from bench.plots import draw  # here: the documents can be rendered without what draws

    for path in draw(scales(), DOCUMENTS):
        print(path)
    for path, text in rendered().items():
        path.write_text(text)
        print(path)
    return 0


def scales() -> dict[str, Figures]:
    """The committed growth curves, by database."""
    found = {database: read(DOCUMENTS, f"scale-{database}") for database in NAMES}
    return {database: figures for database, figures in found.items() if figures is not None}


def simulated() -> Figures:
    """The committed figures of the simulation."""
    machines = read(DOCUMENTS, SIMULATION)
    assert machines is not None, "make bench-docs has not run yet"
    return simulation.figures(DOCUMENTS, machines)


def rendered() -> dict[Path, str]:
    """The documents' texts, as the committed results have them."""
    compared = read(DOCUMENTS, "side-by-side")
    assert compared is not None, "make bench has not run yet"
    of_scales, of_simulation = scales(), simulated()
    return {
        ROOT / "docs" / "benchmarks.md": _filled("benchmarks.md", _benchmarks(compared, of_scales)),
        ROOT / "docs" / "scaling.md": _filled("scaling.md", _scaling(of_simulation)),
    }


def _filled(name: str, values: dict[str, str]) -> str:
    return (TEMPLATES / name).read_text().format_map(values)


# docs/benchmarks.md


def _benchmarks(compared: Figures, of_scales: dict[str, Figures]) -> dict[str, str]:
    return {
        "side_by_side": side_by_side_table(compared),
        "request_steps": _request_steps(),
        "live_steps": _live_steps(),
        "frames": _by_database(
            of_scales,
            "frames",
            ("sockets", "sockets"),
            [
                ("µs a frame", lambda point: point["steady"]["cpu_us_per_frame"]),
                ("p99, ms", lambda point: point["steady"]["p99_ms"]),
                ("at once: µs a frame", lambda point: point["burst"]["cpu_us_per_frame"]),
                ("lost", lambda point: point["steady"]["lost"] + point["burst"]["lost"]),
                ("KiB a socket", lambda point: point["steady"]["kib_per_socket"]),
            ],
        ),
        "ends": _by_database(
            of_scales,
            "ends",
            ("students", "students"),
            [
                ("seconds", lambda point: point["seconds"]),
                ("worst", lambda point: point["worst_seconds"]),
                ("server CPU, s", lambda point: point["cpu_s"]),
            ],
        ),
        "recovery": _by_database(
            of_scales,
            "recovery",
            ("marks", "marks in the journal"),
            [
                ("ready, s", lambda point: point["ready_s"]),
                ("SYNC answered, s", lambda point: point["synced_s"]),
            ],
        ),
        "matrices": _by_database(
            of_scales,
            "matrices",
            ("sessions", "sessions"),
            [("read, s", lambda point: point["read_s"]), ("as CSV, s", lambda point: point["csv_s"])],
        ),
        "open_sessions": _by_database(
            of_scales,
            "open_sessions",
            ("sessions", "live sessions"),
            [
                ("ready, s", lambda point: point["ready_s"]),
                ("watching, ms of CPU a second", lambda point: point["watching_ms_per_s"]),
                ("a mark, µs of CPU", lambda point: point["cpu_us_per_mark"]),
                ("memory, MiB", lambda point: point["memory_mib"]),
            ],
        ),
        "shared_commits": _by_database(
            of_scales,
            "shared_commits",
            ("window", "on the way, each"),
            [
                ("marks a second", lambda point: point["marks_per_s"]),
                ("marks a commit", lambda point: point["marks_per_commit"]),
                ("p50, ms", lambda point: point["p50_ms"]),
                ("p99, ms", lambda point: point["p99_ms"]),
            ],
        ),
        "rushes": _rushes(),
        "costs": _costs(of_scales),
        "storm": storm_table(),
        **_years(),
        "runs": _runs(compared, of_scales),
    }


def side_by_side_table(compared: Figures) -> str:
    """The table of `make bench`, and the line under it."""
    table = _table(heading(compared), in_words(compared))
    return f"{table}\n\n{many_in_words(compared['many'])}\n\n{_made(compared['made'])}"


def storm_table() -> str:
    """The table of `make bench ARGS=--storm`."""
    found = read(DOCUMENTS, "storm")
    assert found is not None, "make bench ARGS=--storm has not run yet"
    return f"{_table(('', 'found', 'wanted'), in_words_of_storm(found))}\n\n{_made(found['made'])}"


def _request_steps() -> str:
    found = read(DOCUMENTS, REQUEST_STEPS)
    assert found is not None, "python -m bench.request_steps has not run yet"
    head, *lines = request_steps_table.table(found)
    return f"{_table(head, lines)}\n\n{_made(found['made'])}"


def _live_steps() -> str:
    found = read(DOCUMENTS, LIVE_STEPS)
    assert found is not None, "python -m bench.live_steps has not run yet"
    tables = [_table(head, lines) for head, *lines in live_steps_table.tables(found)]
    return "\n\n".join([*tables, _made(found["made"])])


def _years() -> dict[str, str]:
    """What a school costs for a year: sizes, what is asked, commands, and when that was measured."""
    found = {NAMES[kind]: figures for kind in NAMES if (figures := read(DOCUMENTS, f"year-{kind}")) is not None}
    schools = {
        database: [figures["years"][years] for years in sorted(figures["years"], key=int)]
        for database, figures in found.items()
    }
    sizes = [
        f"{database}, after {' and after '.join(map(year_table.years_of, each))}:\n\n"
        f"{_headed(year_table.table_of_sizes(each))}"
        for database, each in schools.items()
    ]
    return {
        "year_shown_from": shown(year_table.SHOWN_FROM),
        "year_units": _headed(year_table.by_unit({database: of[0] for database, of in schools.items()})),
        "year_sizes": "\n\n".join(sizes),
        "year_asked": _headed(year_table.table_of_asked(schools)),
        "year_commands": _headed(year_table.table_of_commands(schools)),
        "year_made": "\n".join(
            f"- {database}, {year_table.years_of(of)}: {_made_parts(of['made'])}"
            for database, each in schools.items()
            for of in each
        ),
    }


def _headed(lines: Sequence[Sequence[str]]) -> str:
    return _table(lines[0], lines[1:])


def _by_database(
    of_scales: dict[str, Figures],
    curve: str,
    along: tuple[str, str],
    columns: Sequence[tuple[str, Callable[[Any], float]]],
) -> str:
    """One table of a curve's points, all databases below each other."""
    lines = [
        (NAMES[database], shown(point[along[0]]), *(shown(figure(point)) for _, figure in columns))
        for database, found in of_scales.items()
        for point in found.get(curve, [])
    ]
    return _table(("on", along[1], *(name for name, _ in columns)), lines)


def _rushes() -> str:
    """What each request costs whoever waits for it, where students are signed in already and where they sign in."""
    rushes = [found for name in rush.NAMES.values() if (found := read(DOCUMENTS, name)) is not None]
    lines = [
        (
            "each signs in first" if found["signs_in"] else "signed in already",
            kind,
            *(shown(found["times"][kind][figure]) for figure in ("p50_ms", "p99_ms", "most_ms")),
        )
        for found in rushes
        for kind in ("claim", "sign-in", "check-in", "teacher's mark")
        if kind in found["times"]
    ]
    table = _table(("the students", "who waits for", "p50, ms", "p99, ms", "the longest, ms"), lines)
    return "\n\n".join([table, *(f"{rush.in_words(found)} {_made(found['made'])}" for found in rushes)])


def _costs(of_scales: dict[str, Figures]) -> str:
    names = {
        "login": "login",
        "hash": "of which the password's hash",
        "me": "`GET /auth/me`",
        "class": "`GET /class/:id`",
        "socket": "opening a socket",
        "start": "`POST /attendance/start`",
        "lone_mark": "one mark, alone",
        "done": "`DONE`",
    }
    lines = []
    for database, found in of_scales.items():
        for key, name in names.items():
            cost = found.get("costs", {}).get(key)
            if cost is not None:
                cpu = cost["cpu_us_per_mark"] / 1e3 if "cpu_us_per_mark" in cost else cost["cpu_ms"]
                lines.append((NAMES[database], name, shown(cpu), shown(cost["p50_ms"]) if "p50_ms" in cost else ""))
    return _table(("on", "", "server CPU, ms", "until answered, ms (median)"), lines)


def _runs(compared: Figures, of_scales: dict[str, Figures]) -> str:
    machine = compared["machine"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}.",
        "",
        *(f"- {NAMES[database]}: {_made_parts(found['made'])}" for database, found in of_scales.items()),
    ]
    return "\n".join(lines)


def _made_parts(made: dict[str, Figures]) -> str:
    """When each curve was made, those of one run together."""
    runs: dict[str, list[str]] = {}
    for curve, run in made.items():
        runs.setdefault(_made(run), []).append(curve)
    return "; ".join(f"{', '.join(curves)}: {run}" for run, curves in runs.items())


def _made(made: Figures) -> str:
    return (
        f"{made['at'][:10]}, commit {made['commit']}, `{made['command']}`, the machine's load before it "
        f"{made['load_before']}."
    )


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# docs/scaling.md


def _scaling(found: Figures) -> dict[str, str]:
    country = {key: f"{value:,.0f}" for key, value in found["country"].items()}
    first = found["databases"]["sqlite"]
    costs: simulation.Costs = first["costs"]
    by_case = {(each["cores"], each["logging_in"]): each for each in first["machines"]}
    here, without = by_case[costs.cores, True], by_case[costs.cores, False]
    large = by_case[simulation.LARGE, True]
    return {
        **country,
        "class_size": str(simulation.CLASS_SIZE),
        "people_a_class": str(simulation.PEOPLE),
        "cores": str(costs.cores),
        "large": str(simulation.LARGE),
        "hashes": str(simulation.HASHES),
        "hash_ms": f"{1e3 * costs.hash:.0f}",
        "hash_cores": f"{first['hash_cores']:,.0f}",
        "socket_gib": f"{first['socket_gib']:,.0f}",
        "first_part": first["parts"][0][0],
        "second_part": first["parts"][1][0],
        "parts": _parts(found["databases"]),
        "machines": _machines(found["databases"]),
        "here_classes": f"{here['classes']:,}",
        "here_people": f"{here['people']:,}",
        "without_classes": f"{without['classes']:,}",
        "large_classes": f"{large['classes']:,}",
        "country_machines": f"{large['machines']:,}",
        "classes_a_machine": f"{large['within_sockets']:,}",
        "country_here": f"{here['machines']:,}",
        "sockets": f"{simulation.SOCKETS:,}",
        "login_limit": f"{simulation.LOGIN_LIMIT:.0f}",
        "mark_limit": f"{simulation.MARK_LIMIT:.0f}",
        "look_sessions": f"{costs.look[-1][0]:,}",
        "look_share": f"{costs.look[-1][1]:.0%}",
        "printed": simulation.as_text(found),
    }


def _parts(databases: Figures) -> str:
    lines = [
        (NAMES[database], name, f"{1e3 * need:,.0f} ms" if need else "", f"{classes:,.0f}")
        for database, of in databases.items()
        for name, need, classes in of["parts"]
    ]
    return _table(("on", "part", "a class needs of it", "classes that would fill it"), lines)


def _machines(databases: Figures) -> str:
    lines = [
        (
            NAMES[database],
            str(each["cores"]),
            "everybody logs in" if each["logging_in"] else "tokens are still good",
            f"{each['classes']:,}",
            f"{each['people']:,}",
            f"{each['within_sockets']:,}",
            f"{each['login_p99_s']:.1f} s" if each["logging_in"] else "",
            f"{each['mark_p99_ms']:.0f} ms",
            f"{each['loop_busy']:.0%}",
            f"{each['hashes_busy']:.0%}",
            f"{each['machines']:,}",
        )
        for database, of in databases.items()
        for each in of["machines"]
    ]
    head: tuple[str, ...] = ("on", "cores", "", "classes", "people", "as far as measured")
    head += ("login p99", "mark p99", "Python busy", "hashes busy", "machines")
    return _table(head, lines)


if __name__ == "__main__":
    sys.exit(main())
