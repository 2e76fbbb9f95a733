"""docs/benchmarks.md and docs/scaling.md say what the committed results come to."""

import re
from pathlib import Path
from typing import Any

import pytest

from bench import docs
from bench import simulate_nine_oclock as simulation
from bench.results import ROOT, read

pytestmark = pytest.mark.long


def committed() -> list[Path]:
    return [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]


def test_the_documents_say_what_the_committed_results_come_to() -> None:
    rendered = docs.rendered()
    for path, text in rendered.items():
        assert path.read_text() == text, f"{path.name} is out of date: make bench-docs"
    scaling = next(text for path, text in rendered.items() if path.name == "scaling.md")
    assert simulation.as_text(docs.simulated()) in scaling


MACHINES = [
    pytest.param(database, machine, id=f"{database}-{machine['cores']}-{machine['logging_in']}")
    for database, machines in (read(docs.DOCUMENTS, docs.SIMULATION) or {}).items()
    for machine in machines
]


def test_a_machine_is_simulated_for_each_database_that_was_measured() -> None:
    measured = simulation.measured_costs(docs.DOCUMENTS)
    assert [machine.values[0] for machine in MACHINES] == [database for database in measured for _ in range(3)]


@pytest.mark.parametrize(("database", "machine"), MACHINES)
def test_a_machine_carries_what_the_results_say_and_a_twentieth_more_is_too_many(
    database: str, machine: dict[str, Any]
) -> None:
    costs = simulation.measured_costs(docs.DOCUMENTS)[database]
    options = {"cores": machine["cores"], "logging_in": machine["logging_in"], "within_limits": True}
    played = simulation.play(costs, classes=machine["classes"], **options)
    assert simulation.seen(played).items() <= machine.items(), "the costs or the simulation changed: make bench-docs"
    assert machine["classes"] < machine["too_many"] <= machine["classes"] + max(1, machine["classes"] // 20)
    with pytest.raises(simulation.OverloadedError):
        simulation.play(costs, classes=machine["too_many"], **options)


def test_every_picture_of_the_documents_is_there() -> None:
    pictures = [
        path.parent / name for path in committed() for name in re.findall(r"!\[[^]]*\]\(([^)]+)\)", path.read_text())
    ]
    assert pictures
    for picture in pictures:
        assert picture.is_file(), f"{picture.name} is not there"
    for picture in (picture for picture in pictures if picture.suffix == ".svg"):
        assert "currentColor" in picture.read_text(), f"{picture.name} has a colour for light paper only"
