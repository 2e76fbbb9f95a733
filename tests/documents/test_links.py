"""The documents lead their readers to what is there."""

import re

import pytest
from django.core.management import get_commands

from tests.documents.markdown import DOCUMENTS, anchors, links, read
from tests.support.processes import ROOT


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_relative_link_leads_to_a_file_and_a_heading_that_exist(name: str) -> None:
    document = DOCUMENTS[name]
    for link in links(document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{name} links to {link}, which does not exist"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{name} links to {link}, and there is no such heading"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_and_command_that_a_document_names_exists(name: str) -> None:
    text = DOCUMENTS[name].read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    |\$ )(?:[A-Z_]+=\S+ )*make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert named <= targets, f"{name} names targets that the Makefile does not have: {named - targets}"
    commands = {command for command in re.findall(r"manage\.py ([a-z_]+)", text) if command != "help"}
    assert commands <= get_commands().keys(), f"{name} names unknown commands: {commands - get_commands().keys()}"


def test_the_operators_page_names_each_command_of_ours() -> None:
    apps = ("core", "accounts", "classes", "attendance")
    ours = {name for name, app in get_commands().items() if app in apps and name != "runserver"}
    assert ours
    assert ours <= set(re.findall(r"manage\.py ([a-z_]+)", read("docs/operations.md")))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_of_ours_that_a_document_names_exists(name: str) -> None:
    folders = "|".join(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
    named = re.findall(rf"(?<![\w/.-])(?:{folders}|\.github|\.ci)/[\w./-]*\w", DOCUMENTS[name].read_text())
    lost = [path for path in named if "NAME" not in path and not path.startswith("var/") and not (ROOT / path).exists()]
    assert not lost, f"{name} names paths that do not exist: {lost}"


def test_the_readme_has_at_most_200_lines() -> None:
    assert len(read("README.md").splitlines()) <= 200


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached:
            continue
        reached.add(document)
        targets = [link.partition("#")[0] for link in links(document.read_text()) if ".md" in link]
        waiting += [(document.parent / target).resolve() for target in targets if target and "://" not in target]
    lost = [name for name, path in DOCUMENTS.items() if path not in reached]
    assert not lost, f"no link leads to {lost}"
