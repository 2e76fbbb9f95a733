"""One version: what the package says is what the documents and the package's description say."""

import re
import tomllib

from attendance_project import __version__
from core.rest.api_docs import document
from tests.documents.markdown import read
from tests.support.asyncapi import DOCUMENT


def test_the_documents_of_the_protocols_have_the_projects_version() -> None:
    assert document()["info"]["version"] == __version__
    assert DOCUMENT["info"]["version"] == __version__


def test_the_newest_changes_are_this_versions() -> None:
    newest = re.search(r"^## (\S+) \(\d{4}-\d{2}-\d{2}\)$", read("CHANGELOG.md"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__


def test_a_built_package_takes_its_version_from_the_code() -> None:
    described = tomllib.loads(read("pyproject.toml"))
    assert described["project"]["dynamic"] == ["version"]
    assert described["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "attendance_project.__version__"}
