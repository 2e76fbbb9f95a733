"""docs/benchmarks.md and docs/scaling.md say what the committed results come to."""

import re
from pathlib import Path

import pytest

from bench import docs
from bench import simulate_nine_oclock as simulation
from bench.results import ROOT


def committed() -> list[Path]:
    return [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]


@pytest.mark.timeout(600)  # it plays the 15 minutes through many times
def test_the_documents_say_what_the_committed_results_come_to() -> None:
    rendered = docs.rendered()
    for path, text in rendered.items():
        assert path.read_text() == text, f"{path.name} is out of date: make bench-docs"
    scaling = next(text for path, text in rendered.items() if path.name == "scaling.md")
    assert simulation.as_text(simulation.figures(docs.DOCUMENTS)) in scaling


def test_every_picture_of_the_documents_is_there() -> None:
    pictures = [
        path.parent / name for path in committed() for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", path.read_text())
    ]
    assert pictures
    for picture in pictures:
        assert "currentColor" in picture.read_text(), f"{picture.name} has a colour for light paper only"
