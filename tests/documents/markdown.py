"""The project's documents, and what stands in them: links, headings, code."""

import re
from pathlib import Path

from tests.support.processes import ROOT

#: Everything that people read here, by its path in the repository.
DOCUMENTS = {
    str(path.relative_to(ROOT)): path
    for folder in (ROOT, ROOT / "docs", ROOT / "findings")
    for path in sorted(folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
}


def prose(text: str) -> str:
    """`text` without its blocks of code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^    .*$", "", text, flags=re.MULTILINE)


def links(text: str) -> list[str]:
    """The targets of a text's links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


def anchors(text: str) -> set[str]:
    """The names under which a text's headings can be reached, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(text: str, heading: str) -> str:
    """What stands under `heading`, up to the next one."""
    return re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of a table's lines, the first table under `heading`."""
    lines = [line for line in section(text, heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def read(name: str) -> str:
    """A document, by its path in the repository."""
    return (ROOT / Path(name)).read_text()


def loose_rows(text: str) -> list[str]:
    """The rows that are shown as they are typed: no table's, because its head or a cell is missing."""
    found = []
    for block in re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE).split("\n\n"):
        lines = block.strip("\n").splitlines()
        cells = [len(re.findall(r"(?<!\\)\|", line)) for line in lines]
        has_head = len(lines) > 1 and re.fullmatch(r"\|(:?-+:?\|)+", lines[1].replace(" ", ""))
        for number, line in enumerate(lines):
            if line.startswith("|") and not (has_head and lines[0].startswith("|") and cells[number] == cells[1]):
                found.append(line)
    return found
