"""How figures are printed."""

from collections.abc import Sequence


def shown(value: float) -> str:
    """Three digits that matter; whole numbers whole."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def columns(lines: Sequence[Sequence[str]]) -> str:
    """The lines' cells below each other."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join(rows)
