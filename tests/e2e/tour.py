"""Runs the tour of docs/protocols/tour.md against a server and compares the answers: `python -m tests.e2e.tour http://127.0.0.1:3000`."""

import re
import subprocess
import sys

from tests.support.processes import ROOT

ADDRESS = "127.0.0.1:3000"


def tour_steps() -> list[tuple[str, str]]:
    """The tour's `sh` blocks, each with the `text` block that shows its output."""
    text = (ROOT / "docs" / "protocols" / "tour.md").read_text()
    return re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", text, re.DOTALL)


def run_tour(url: str, **environment: str) -> None:
    """AssertionError at the first answer that is not the document's (`…` there stands for anything)."""
    steps = tour_steps()
    mark = "=== next step ==="
    script = f"\necho '{mark}'\n".join(commands for commands, _ in steps)
    script = script.replace(ADDRESS, url.removeprefix("http://")).replace(".venv/bin/python", sys.executable)
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=ROOT,
        env=environment or None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    outputs = done.stdout.split(f"{mark}\n")
    for (commands, expected), output in zip(steps, outputs, strict=False):
        pattern = ".*?".join(map(re.escape, expected.split("…")))
        holds = re.fullmatch(pattern, output, re.DOTALL)
        assert holds, f"{commands}\nprinted\n{output}\n{done.stderr}\nnot\n{expected}"
    assert len(outputs) == len(steps), f"the tour stopped:\n{done.stdout}\n{done.stderr}"


if __name__ == "__main__":
    run_tour(sys.argv[1])
    print(f"The tour holds, {len(tour_steps())} steps.")
