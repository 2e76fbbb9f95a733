"""Modules and styles of pages, joined into one file each."""

import subprocess
from pathlib import Path

import pytest

from tests.support.node import needs_node
from web.joining import NotJoined, joined


def write(folder: Path, **sources: str) -> Path:
    """The folder with these modules; the path of `entry`."""
    for name, text in sources.items():
        (folder / f"{name.replace('_', '-')}.js").write_text(text)
    return folder / "entry.js"


@needs_node
def test_a_joined_script_does_what_its_modules_do_and_no_module_sees_the_names_of_another(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        entry="""
            import { Counter, START } from "./counter.js";
            import { shown } from "./in-words.js";
            const hidden = "of entry";
            console.log(shown(new Counter().next()), START, hidden);
            """.replace("            ", ""),
        counter="""
            import {
              shown,
            } from "./in-words.js";
            const hidden = "of counter";
            export const START = 41;
            export class Counter {
              next() {
                return shown(START + 1) + " " + hidden;
              }
            }
            """.replace("            ", ""),
        in_words='const hidden = ["<", ">"];\nexport function shown(text) {\n  return hidden.join(text);\n}\n',
    )
    (tmp_path / "joined.mjs").write_text(joined(entry))
    for script in ("entry.js", "joined.mjs"):
        (tmp_path / "package.json").write_text('{"type": "module"}')
        run = subprocess.run(["node", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert run.stdout == "<<42> of counter> 41 of entry\n"


@pytest.mark.parametrize(
    ("entry", "other", "said"),
    [
        ('import all from "./other.js";\n', "", "not known"),
        ('import * as all from "./other.js";\n', "", "not known"),
        ('import { a as b } from "./other.js";\n', "export const a = 1;\n", "does not export"),
        ('const other = await import("./other.js");\n', "", "not known"),
        ('import { a } from "./other.js";\n', "export let a = 1;\n", "not known"),
        ('import { a } from "./other.js";\n', "const a = 1;\nexport { a };\n", "not known"),
        ('import { b } from "./other.js";\n', "export const a = 1, b = 2;\n", "two names"),
        ('import { b } from "./other.js";\n', "export const a = 1;\n", "does not export"),
        ('import { a } from "./other.js";\n', 'import { b } from "./entry.js";\nexport const a = 1;\n', "each other"),
    ],
)
def test_what_would_be_joined_wrongly_is_refused(tmp_path: Path, entry: str, other: str, said: str) -> None:
    with pytest.raises(NotJoined, match=said):
        joined(write(tmp_path, entry=entry, other=other))


def test_a_style_has_what_it_imports_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "all.css").write_text('@import "./one.css";\n@import "./two.css";\n')
    (tmp_path / "one.css").write_text("a { b: c }\n")
    (tmp_path / "two.css").write_text("d { e: f }\n")
    assert joined(tmp_path / "all.css") == "a { b: c }\n\nd { e: f }\n\n"
    (tmp_path / "all.css").write_text('@import url("one.css");\n')
    with pytest.raises(NotJoined, match="not known"):
        joined(tmp_path / "all.css")
