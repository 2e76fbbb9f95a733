"""The script and the style of a page: one file each, which a browser may keep for good."""

import re
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support.http import Client
from web import files

pytestmark = pytest.mark.one_database("Nothing here is in a database.")


def address(kind: str, name: str) -> str:
    found = files.page_file(name, kind)
    assert found is not None
    return found.address


def test_every_script_of_a_page_can_be_joined() -> None:
    scripts = {path.stem for path in Path(files.__file__).parent.joinpath("scripts").glob("*.js")}
    assert {"board", "connection"} < scripts
    for name in scripts:
        answer = Client().get(address("js", name))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/javascript; charset=utf-8"
        assert not re.search(r"^(import|export) ", answer.content.decode(), re.MULTILINE)


def test_a_browser_keeps_the_address_of_a_text_for_good_and_no_other_address(tmp_path: Path) -> None:
    right = address("css", "pages")
    answer = Client().get(right)
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    # A page that an earlier version of the server made.
    earlier = Client().get("/app/files/pages.0123456789abcdef.css")
    assert (earlier.status_code, earlier.content) == (200, answer.content)
    assert earlier["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["nothing.0.js", "board.0.css", "board.0.txt", "..%2fpages.0.css", "board.js"])
def test_there_are_no_other_files(name: str) -> None:
    assert Client().get(f"/app/files/{name}").status_code == 404


def test_a_change_of_a_source_changes_the_address_at_once_where_one_develops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "board.js").write_text("1;\n")
    monkeypatch.setitem(files._FOLDERS, "js", tmp_path)
    with override_settings(DEBUG=True):
        before = address("js", "board")
        (tmp_path / "board.js").write_text("2;\n")
        assert address("js", "board") != before
