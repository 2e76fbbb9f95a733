"""The growth curves as SVG: small files, the same for the same figures, readable on a light and on a dark page."""

from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.results import Figures

#: Stands for the reader's own text colour until the file is written.
INK = "#010203"
COLOURS = {"sqlite": "#4493f8", "postgresql": "#db6d28", "mongodb": "#3fb950"}
LABELS = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mongodb": "MongoDB's stand-in"}
STYLE = (
    "<style>svg{color:#1f2328;font-family:system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
)

mpl.use("svg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "attendance",
        "svg.fonttype": "none",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.2,
        **dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK
        ),
    }
)

#: What a line shows of a point, and how it is drawn and called.
Line = tuple[Callable[[Any], float], str, str]


def draw(of_scales: dict[str, Figures], folder: Path) -> Iterator[Path]:
    """Writes each curve that there are figures of; yields the files."""
    yield from _draw(
        folder / "frames.svg",
        of_scales,
        ("frames", "sockets", "sockets", "µs of server CPU a frame"),
        [
            (lambda point: point["steady"]["cpu_us_per_frame"], "-", "one mark at a time"),
            (lambda point: point["burst"]["cpu_us_per_frame"], "--", "many at once"),
        ],
    )
    yield from _draw(
        folder / "done.svg",
        of_scales,
        ("ends", "students", "students on the roster", "seconds from DONE sent to DONE heard"),
        [(lambda point: point["seconds"], "-", "")],
        limit=(2.0, "wanted"),
    )
    yield from _draw(
        folder / "recovery.svg",
        of_scales,
        ("recovery", "marks", "marks in the journal", "seconds from the start"),
        [
            (lambda point: point["synced_s"], "-", "SYNC answered"),
            (lambda point: point["ready_s"], "--", "ready"),
        ],
    )
    yield from _draw(
        folder / "reports.svg",
        of_scales,
        ("matrices", "sessions", "finished sessions of a class of 30", "seconds"),
        [(lambda point: point["csv_s"], "-", "as CSV"), (lambda point: point["read_s"], "--", "read")],
    )
    yield from _draw(
        folder / "open-sessions.svg",
        of_scales,
        ("open_sessions", "sessions", "live sessions in one process", "ms of server CPU"),
        [
            (lambda point: point["watching_ms_per_s"], "-", "watching them, a second"),
            (lambda point: point["cpu_us_per_mark"] / 1e3, "--", "a mark"),
        ],
    )


def _draw(
    path: Path,
    of_scales: dict[str, Figures],
    curve: tuple[str, str, str, str],
    lines: Sequence[Line],
    limit: tuple[float, str] | None = None,
) -> Iterator[Path]:
    """`curve`: its name in the results, the key of x in a point, the names of both axes."""
    name, key, along, up = curve
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log", xlabel=along, ylabel=up)
    for database, found in of_scales.items():
        points = found.get(name, [])
        for value, style, label in lines:
            if points:
                axes.plot(
                    [point[key] for point in points],
                    [value(point) for point in points],
                    style,
                    marker="o",
                    markersize=4,
                    color=COLOURS[database],
                    label=", ".join(filter(None, (LABELS[database], label))),
                )
    if not axes.lines:
        return
    if limit is not None:
        axes.axhline(limit[0], linestyle=":", color=INK, label=limit[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axis.set_minor_formatter("")
    axes.legend(frameon=False)
    text = StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue().replace(INK, "currentColor")
    start = svg.index(">", svg.index("<svg ")) + 1
    path.write_text("\n".join(line.rstrip() for line in (svg[:start] + STYLE + svg[start:]).splitlines()) + "\n")
    yield path
