"""Joins a script with the modules that it imports, and a style with those that it imports, into one file each.

A live page would ask for five scripts in three rounds otherwise, which a slow network feels. The sources stay ES
modules and plain styles that run as they are; what they become is a text that can be read as well.

Each module becomes a function that is called once and returns what the module exports, so that modules do not see each
other's names. Of the language of modules this knows what the sources use: `import { a, b } from "./module.js";` and
`export` before a class, a function, or one `const`. All else is refused, so that nothing is joined wrongly.
"""

import re
from collections.abc import Callable
from pathlib import Path

_IMPORT = re.compile(r'^import \{([\w\s,]+)\} from "\./([\w-]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|function|const) (\w+)\b)", re.MULTILINE)
_OF_MODULES = re.compile(r"^\s*(?:import|export)\b|\bimport\s*[(.]", re.MULTILINE)
#: `export const a = 1, b = 2`: the second name would be lost.
_SECOND_CONST = re.compile(r"^export const [^\n]*,\s*\w+ = ", re.MULTILINE)
_STYLE = re.compile(r'^@import "\./([\w-]+\.css)";$', re.MULTILINE)


class NotJoined(Exception):
    """A source uses what is not known here, imports what is not there, or itself."""


def joined(entry: Path) -> str:
    """The text of the script or the style `entry`, with all that it imports. Raises `NotJoined`."""
    return _joined_style(entry) if entry.suffix == ".css" else _joined_script(entry)


def _joined_style(path: Path) -> str:
    text = _STYLE.sub(lambda found: _joined_style(path.with_name(found[1])), path.read_text())
    if "@import" in text:
        raise NotJoined(f"{path.name} imports in a way that is not known here")
    return text


def _joined_script(entry: Path) -> str:
    exports: dict[str, set[str]] = {}  # of each module that is joined already
    parts: list[str] = []

    def join(path: Path, importers: tuple[str, ...]) -> None:
        name = path.stem
        if name in importers:
            raise NotJoined(f"modules import each other: {' → '.join((*importers, name))}")
        if name in exports:
            return
        text = path.read_text()
        for found in _IMPORT.finditer(text):
            join(path.with_name(f"{found[2]}.js"), (*importers, name))
        exports[name] = set(_EXPORT.findall(text))
        parts.append(_as_function(name, text, exports))

    join(entry, ())
    return "".join(parts)


def _as_function(name: str, text: str, exports: dict[str, set[str]]) -> str:
    if _SECOND_CONST.search(text):
        raise NotJoined(f"{name}.js exports two names by one const")
    body = _EXPORT.sub("", _IMPORT.sub(_from_function(name, exports), text))
    if _OF_MODULES.search(body):
        raise NotJoined(f"{name}.js imports or exports in a way that is not known here")
    returned = f"return {{ {', '.join(sorted(exports[name]))} }};\n" if exports[name] else ""
    return f"// {name}.js\nconst {_variable(name)} = (() => {{\n{body}{returned}}})();\n"


def _from_function(importer: str, exports: dict[str, set[str]]) -> Callable[[re.Match[str]], str]:
    def replaced(found: re.Match[str]) -> str:
        names = {name.strip() for name in found[1].split(",")} - {""}
        if missing := names - exports[found[2]]:
            raise NotJoined(f"{importer}.js imports {sorted(missing)}, which {found[2]}.js does not export")
        return f"const {{ {', '.join(sorted(names))} }} = {_variable(found[2])};"

    return replaced


def _variable(name: str) -> str:
    """No module has a name with a dollar, so none hides another module."""
    return f"${name.replace('-', '_')}"
