"""What maps name is there: files, functions, classes and tests.

The maps are docs/architecture.md, docs/security.md, docs/reliability.md, and CONTRIBUTING.md in "Where things go".

What stands between backticks there is held to this: a path exists; a dotted name of ours can be imported; names that
follow a file at once (`file.py` `one`, `two`) are defined in that file, and any other name somewhere in the project,
or it is a setting.
"""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from tests.documents.markdown import prose, read, rows, section
from tests.support.processes import ROOT

PACKAGES = (
    "core",
    "audit",
    "accounts",
    "classes",
    "attendance",
    "notices",
    "dialects",
    "web",
    "attendance_project",
    "tests",
    "bench",
)
NAME = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
PATH = re.compile(r"^[\w.][\w./-]*(/|/[\w.-]+|\.(py|md|txt|toml|yaml|yml|svg|example))$")


@cache
def defined_in(path: Path) -> frozenset[str]:
    """What a module defines: `function`, `CONSTANT`, `Class`, `Class.member`, `member`, and the keys of its tables."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        names = _names(node)
        found.update(names)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                for name in _names(member):
                    found.update({name, f"{node.name}.{name}"})
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
            found.update(str(key.value) for key in node.value.keys if isinstance(key, ast.Constant))
    return frozenset(found)


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(name)):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


@cache
def defined_anywhere() -> frozenset[str]:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    settings = re.findall(r"^#([A-Z_]+)=", read(".env.example"), re.MULTILINE)
    return frozenset(settings).union(*(defined_in(path) for path in modules))


def missing(block: str) -> list[str]:
    """What a paragraph, an item or a row names and is not there."""
    lost: list[str] = []
    file, end = None, 0
    for span in re.finditer(r"`([^`]+)`", block):
        gap, end = block[end : span.start()].strip(), span.end()
        if gap not in ("", ",", "and", ", and"):
            file = None
        name = span[1].removesuffix("()")
        if PATH.match(name):
            file = ROOT / name if name.endswith(".py") and "/" in name else None
            if not _is_there(name):
                lost.append(name)
        elif NAME.match(name):
            if name.split(".")[0] in PACKAGES:
                found = _can_be_imported(name)
            else:
                found = name in (defined_in(file) if file is not None and file.exists() else defined_anywhere())
            if not found:
                lost.append(f"{name} in {file.relative_to(ROOT)}" if file is not None else name)
    return lost


def _is_there(path: str) -> bool:
    """Whether there is this file or folder; of a name alone, whether a package of ours has such a file."""
    alone = "/" not in path and path.endswith(".py")
    return (ROOT / path).exists() or (alone and any(any((ROOT / package).rglob(path)) for package in PACKAGES))


def _can_be_imported(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)  # type: ignore[assignment]
        return found is not None
    return False


def blocks(text: str) -> list[str]:
    """A text's paragraphs, list items and table rows, each on one line."""
    parts = re.split(r"\n\s*\n|\n(?=[|#])|\n(?=\s*(?:-|\d+\.) )", prose(text))
    return [" ".join(part.split()) for part in parts]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("docs/architecture.md", read("docs/architecture.md")),
        ("CONTRIBUTING.md", section(read("CONTRIBUTING.md"), "Where things go")),
        ("docs/security.md", read("docs/security.md")),
        ("docs/reliability.md", read("docs/reliability.md")),
    ],
    ids=["architecture", "contributing", "security", "reliability"],
)
def test_every_file_function_and_class_that_a_map_names_exists(name: str, text: str) -> None:
    lost = [lost for block in blocks(text) for lost in missing(block)]
    assert not lost, f"{name} names what does not exist: {lost}"


@pytest.mark.parametrize(
    ("block", "lost"),
    [
        (
            "`core/errors.py` `ApiError`, `new_id` and `Nowhere`",
            ["new_id in core/errors.py", "Nowhere in core/errors.py"],
        ),
        ("`core/errors.py` `ApiError`, whose id `new_id` made", []),
        ("`core/nowhere.py`", ["core/nowhere.py"]),
        ("`core.errors.ApiError`, `core.errors.Nowhere`", ["core.errors.Nowhere"]),
        ("`ApiError`, `no_such_function()`", ["no_such_function"]),
        ("`/ws` and `ATTENDANCE_MARKED`", []),
    ],
)
def test_a_name_that_is_not_there_is_found_out(block: str, lost: list[str]) -> None:
    assert missing(block) == lost


def test_every_package_that_the_server_runs_on_has_its_reason_in_the_map() -> None:
    required = re.findall(r"^([a-z][\w-]*)", read("requirements.txt"), re.MULTILINE)
    named = [name for cell, _ in rows(read("docs/architecture.md"), "Packages") for name in cell.split(", ")]
    assert sorted(named) == sorted(required)
