"""`.env.example` and docs/operations.md have every setting that the project reads, and no other."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from dotenv import dotenv_values

from tests.documents.markdown import read, rows
from tests.support.processes import ROOT

#: `NAME=default` behind a comment's sign, under the sentence that explains it.
EXAMPLE = re.compile(r"^# (.+)\n#([A-Z_]+)=(.*)$", re.MULTILINE)

#: Prints every setting, as text, without what a developer's `.env` says.
SHOW = """
import json
from environs import Env
Env.read_env = lambda *given, **options: None
from attendance_project import settings
print(json.dumps({name: str(value) for name, value in vars(settings).items() if name.isupper()}))
"""


def variables_read() -> set[str]:
    """The environment's variables that the settings read."""
    found = set()
    for path in sorted((ROOT / "attendance_project").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("env"), attr=kind), args=[first, *_]) if kind not in (
                    "read_env",
                    "leave_out",
                    "add_parser",
                ):
                    assert isinstance(first, ast.Constant), f"{path.name}, line {node.lineno}: name the variable there"
                    found.add(str(first.value))
    return found


def settings_with(folder: Path, **environment: str) -> dict[str, str]:
    """Every setting, as text, in an environment that has nothing but this and what keeps the run in `folder`."""
    kept = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": f"sqlite:///{folder}/attendance.sqlite3",
        "JWT_SECRET": "a secret for tests only, and long enough",
        "SECRET_KEY": "another secret for tests only, as long",
    }
    done = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=ROOT,
        env={**environment, **kept},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.replace(f"{ROOT}/", ""))
    return found


def test_the_example_has_every_variable_that_the_settings_read_and_no_other() -> None:
    named = [name for _, name, _ in EXAMPLE.findall(read(".env.example"))]
    assert sorted(named) == sorted(variables_read())


def test_the_example_says_one_sentence_of_each_variable_and_sets_none() -> None:
    text = read(".env.example")
    for sentence, name, _ in EXAMPLE.findall(text):
        assert re.match(r"[A-Z]", sentence), f"{name}: {sentence}"
    assert len(EXAMPLE.findall(text)) == len(re.findall(r"^#[A-Z_]+=", text, re.MULTILINE))
    assert not re.findall(r"^[^#\n]", text, re.MULTILINE), "a copy of the file must change nothing"


def test_the_examples_defaults_are_the_settings_own(tmp_path: Path) -> None:
    defaults = {name: value for _, name, value in EXAMPLE.findall(read(".env.example")) if value}
    assert settings_with(tmp_path, **defaults) == settings_with(tmp_path)


def test_every_line_of_the_example_may_be_uncommented_as_it_is(tmp_path: Path) -> None:
    uncommented = re.sub(r"^#([A-Z_]+=)", r"\1", read(".env.example"), flags=re.MULTILINE)
    (tmp_path / ".env").write_text(uncommented)
    read_as_file = dict(dotenv_values(tmp_path / ".env"))
    assert len(read_as_file) == len(variables_read())
    environment = {name: value for name, value in read_as_file.items() if value is not None}
    assert settings_with(tmp_path, **environment) == settings_with(tmp_path)


def test_the_operators_page_explains_every_variable_with_its_default() -> None:
    table = {name.strip("`"): default.strip("`") for name, default, _ in rows(read("docs/operations.md"), "Settings")}
    assert sorted(table) == sorted(variables_read())
    said = {"on": "true", "off": "false", "none": "", "made once, kept in `DATA_DIR": ""}
    for _, name, default in EXAMPLE.findall(read(".env.example")):
        assert said.get(table[name], table[name]) == default, name
