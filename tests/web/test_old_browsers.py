"""Pages ask no more of a browser than the oldest that docs/pages.md names has, by MDN's tables; or do without it."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import CLIENTS, install_packages, needs_node
from web import files

pytestmark = [needs_node, pytest.mark.one_database("Nothing here is in a database.")]

WEB = Path(files.__file__).parent
OLDEST = {"chrome": (109,), "chrome_android": (109,), "firefox": (115,), "safari": (15, 6), "safari_ios": (15, 6)}

#: What one of them lacks, and what becomes of the page there.
STYLES_WITHOUT = {
    "content-visibility: auto": "as content-visibility",
    "contain-intrinsic-size": "as content-visibility",
    "content-visibility": "tiles that nobody sees are laid out as well",
    "cursor: default": "a phone has no cursor",
    "cursor: none": "a phone has no cursor",
    "cursor: pointer": "a phone has no cursor",
    "font-family: ui-monospace": "the next of the list is taken",
    "forced-colors": "a browser without forced colours has none to adapt to",
    "user-select: all": "one selects by hand",
}
SCRIPTS_WITHOUT = {
    "beforeunload": "an iPhone asks nobody before it closes a page",
    "contextmenu": "an iPhone has the long press of board.js",
    "exitFullscreen": "the projector's button is hidden",
    "fullscreenElement": "the projector's button is hidden",
    "requestFullscreen": "the projector's button is hidden",
    "touchend": "a Mac has no touch screen",
    "touchstart": "a Mac has no touch screen",
    "hasBeenActive": "as vibrate",
    "userActivation": "as vibrate",
    "vibrate": "the words tell",
    "wakeLock": "the projector says that the device's screen is to stay on",
}
TEMPLATES_WITHOUT = {"autocapitalize": "no keyboard of a PC writes capitals by itself"}

Table = dict[str, Any]


@cache
def tables() -> Table:
    install_packages(CLIENTS)
    read: Table = json.loads((CLIENTS / "node_modules/@mdn/browser-compat-data/data.json").read_text())
    return read


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.removeprefix("≤").split("."))


def is_in(support: Table, oldest: tuple[int, ...]) -> bool:
    """Whether the browser had it as it is written here, without a prefix or a switch."""
    added, removed = support["version_added"], support.get("version_removed")
    if not added or added == "preview" or {"flags", "prefix", "alternative_name"} & support.keys():
        return False
    return version(added) <= oldest and not (removed and version(removed) <= oldest)


def is_everywhere(entry: Table) -> bool:
    for browser, oldest in OLDEST.items():
        support = entry["__compat"]["support"][browser]
        if not any(is_in(one, oldest) for one in (support if isinstance(support, list) else [support])):
            return False
    return True


def sources(pattern: str) -> Iterator[str]:
    """The texts without their comments."""
    for path in sorted(WEB.glob(pattern)):
        text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.DOTALL)
        yield re.sub(r"(^|\s)//\s.*$", "", text, flags=re.MULTILINE) if path.suffix == ".js" else text


def lacking_in_style(css: str) -> Iterator[str]:
    rules, properties, selectors, types = (
        tables()["css"][part] for part in ("at-rules", "properties", "selectors", "types")
    )
    for name, condition in re.findall(r"@([\w-]+)([^{;]*)", css):
        features = [re.sub("^(min|max)-", "", found) for found in re.findall(r"\(([\w-]+)", condition)]
        asked = {name: rules[name]} | {feature: rules["media"][feature] for feature in features}
        yield from (one for one, entry in asked.items() if not is_everywhere(entry))
    for selector in re.findall(r"(?:^|[{}])\s*([^{}@;]+)\{", css):
        names = re.findall(r"::?(?!-webkit-)([a-z-]+)", selector)
        yield from (name for name in names if not is_everywhere(selectors[name]))
    functions = {**types, **properties["grid-template-columns"]}
    for group in ("basic-shape", "color", "filter-function", "gradient", "transform-function"):
        functions |= types[group]
    for block in re.findall(r"\{([^{}]*)\}", css):
        declared = dict(re.findall(r"(?:^|;)\s*([\w-]+)\s*:\s*([^;]+)", block))
        for name, value in declared.items():
            yield from (f"{one}()" for one in re.findall(r"([a-z-]+)\(", value) if not is_everywhere(functions[one]))
            if name.startswith("-"):
                continue
            if not is_everywhere(properties[name]) and f"-webkit-{name}" not in declared:
                yield name
            for word in re.findall(r"(?<![\w-])[a-z][a-z-]+(?![\w(-])", value):
                if word in properties[name] and not is_everywhere(properties[name][word]):
                    yield f"{name}: {word}"


@cache
def of_browsers() -> dict[str, list[Table]]:
    """Of each name that a script can use: the entries of all that is called so."""
    named: dict[str, list[Table]] = {}
    built_in = tables()["javascript"]["builtins"]
    for group in (tables()["api"], built_in, built_in["Intl"]):
        for interface, entry in group.items():
            for name, member in [(interface, entry), *entry.items()]:
                if "__compat" in member:
                    named.setdefault(re.sub("_(static|event)$", "", name), []).append(member)
    return named


def lacking_in_scripts(scripts: list[str]) -> Iterator[str]:
    """What is used and not their own. Of a name that many things have, one that is everywhere is enough."""
    text = "\n".join(scripts)
    given = r"this\.(\w+)\s*=|(?:const|let|function|class) (\w+)|^\s*(?:async |get |set )*(\w+)\(.*\) \{$|(\w+): "
    own = {name for names in re.findall(given, text, re.MULTILINE) for name in names}
    for names in re.findall(r"\{([\w\s,]+)\}", text):  # what is taken out of an object
        own |= set(re.findall(r"\w+", names))
    used = set(re.findall(r"\.([A-Za-z]\w*)|", text)) | set(re.findall(r"\bnew (\w+)", text))
    used |= set(re.findall(r"EventListener\(\"(\w+)\"", text))
    for name in sorted(used - own):
        entries = of_browsers().get(name, [])
        if entries and not any(is_everywhere(entry) for entry in entries):
            yield name


def lacking_in_template(html: str) -> Iterator[str]:
    elements = {**tables()["svg"]["elements"], **tables()["html"]["elements"]}
    everywhere = tables()["html"]["global_attributes"]
    for tag, rest in re.findall(r"<([a-z]\w*)(?![\w-])([^>]*)>", re.sub(r"{%.*?%}|{{.*?}}", "", html)):
        if not is_everywhere(elements[tag]):
            yield tag
        for name in re.findall(r"\s([a-z-]+)(?=[=\s]|$)", re.sub(r'"[^"]*"', '""', rest)):
            entry = elements[tag].get(name) or everywhere.get(name)
            if entry is not None and not is_everywhere(entry):
                yield name


def test_styles_use_what_the_oldest_browsers_have_or_do_without_it() -> None:
    assert {name for css in sources("styles/*.css") for name in lacking_in_style(css)} == STYLES_WITHOUT.keys()


def test_scripts_use_what_the_oldest_browsers_have_or_do_without_it() -> None:
    assert set(lacking_in_scripts(list(sources("scripts/*.js")))) == SCRIPTS_WITHOUT.keys()


def test_templates_use_what_the_oldest_browsers_have_or_do_without_it() -> None:
    assert {
        one for html in sources("templates/**/*.html") for one in lacking_in_template(html)
    } == TEMPLATES_WITHOUT.keys()


def test_what_is_newer_is_found() -> None:
    assert set(lacking_in_style("b:has(i) { color: color-mix(in srgb, red, blue); text-wrap: balance }")) == {
        "color-mix()",
        "has",
        "text-wrap",
        "text-wrap: balance",
    }
    script = 'this.form.requestSubmit();\nnew CloseWatcher();\nthis.own.at(-1);\nb.addEventListener("command", go);\n'
    assert set(lacking_in_scripts([script])) == {"CloseWatcher", "command", "requestSubmit"}
    assert set(lacking_in_template("<p popover><search>")) == {"popover", "search"}
