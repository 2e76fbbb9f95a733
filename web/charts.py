"""Charts as SVG, drawn on the server. A table of the same numbers stands beside each; stylesheets have the colours."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: The drawing's size, in its own units; the page scales it.
WIDTH, HEIGHT = 640, 200
#: Room for the words of the axes.
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 24


def percent_chart(percents: Sequence[float | None], *, label: str, first: str, last: str, limit: float) -> SafeString:
    """A line of percentages in the order of time; a gap where there is none. A dashed line shows the limit.

    `label` is what a screen reader says, `first` and `last` stand below the two ends.
    """
    points = [(_x(place, len(percents)), _y(percent)) for place, percent in enumerate(percents) if percent is not None]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = format_html_join("", '<circle cx="{}" cy="{}" r="3.5"/>', ((f"{x:.1f}", f"{y:.1f}") for x, y in points))
    grid = format_html_join(
        "",
        '<path class="chart-grid" d="M{} {}H{}"/><text x="{}" y="{}" text-anchor="end">{} %</text>',
        ((LEFT, f"{_y(at):.1f}", WIDTH - RIGHT, LEFT - 8, f"{_y(at) + 4:.1f}", at) for at in (0, 50, 100)),
    )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}'
        '<path class="chart-limit" d="M{} {}H{}"/><polyline points="{}"/>{}'
        '<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text></svg>',
        WIDTH,
        HEIGHT,
        label,
        grid,
        LEFT,
        f"{_y(limit):.1f}",
        WIDTH - RIGHT,
        line,
        dots,
        LEFT,
        HEIGHT - 4,
        first,
        WIDTH - RIGHT,
        HEIGHT - 4,
        last if len(percents) > 1 else "",
    )


def _x(place: int, number: int) -> float:
    width = WIDTH - LEFT - RIGHT
    return LEFT + (width * place / (number - 1) if number > 1 else width / 2)


def _y(percent: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)
