"""What CONTRIBUTING.md says of findings holds for each of them. Running them is for people: they install packages."""

import os
import re

import pytest

from tests.documents.markdown import read
from tests.support.processes import ROOT

SCRIPTS = sorted((ROOT / "findings").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_pins_what_it_installs_and_says_what_was_seen_and_when(script: os.PathLike[str]) -> None:
    text = read(f"findings/{os.path.basename(script)}")
    for line in re.findall(r"pip\" install (.*?[^\\])$", text, re.DOTALL | re.MULTILINE):
        packages = [word for word in line.split() if not word.startswith(("-", "\\"))]
        assert packages
        assert all("==" in package for package in packages)
    assert re.search(r"^# .*seen on \d{4}-\d\d-\d\d\.$", text, re.MULTILINE)
    assert "diff " in text, "it must fail if what is found is not what was seen"
    assert "attendance" not in text, "it runs without this project"


def test_every_finding_is_listed_and_none_is_run_before_a_change_lands() -> None:
    listed = re.findall(r"^\| \[(\S+\.sh)\]", read("findings/README.md"), re.MULTILINE)
    assert sorted(listed) == [script.name for script in SCRIPTS]
    assert "findings" not in (ROOT / ".ci" / "run").read_text()
