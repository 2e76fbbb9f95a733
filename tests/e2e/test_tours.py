"""The README's tour by hand, in a browser, and the tour with curl: both word for word."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.tour import run_tour, tour_steps
from tests.support.browser import Browser, needs_chromium
from tests.support.database import Databases
from tests.support.processes import ROOT
from tests.support.server import SERVE, Server, only_serve

pytestmark = pytest.mark.long

#: `**label** `value`` is a field to fill in, `**label**` something to press, `*text*` what the page says then.
STEP = re.compile(r"\*\*(?P<field>[^*]+)\*\*\s+`(?P<value>[^`]+)`|\*\*(?P<press>[^*]+)\*\*|\*(?P<says>[^*]+)\*")


def steps_by_hand() -> list[re.Match[str]]:
    section = (ROOT / "README.md").read_text().split("\n## Tour\n")[1].split("\n## ")[0]
    return [step for line in section.split("\n1. ", 1)[1].split("\n\n")[:1] for step in STEP.finditer(line)]


def field(label: str) -> str:
    return f'//*[@id = //label[normalize-space() = "{label}"]/@for]'


def pressed(label: str) -> str:
    """A button or a link of this text, or one with it in a part of it, such as a student's name."""
    text = f'normalize-space() = "{label}"'
    return f"//*[self::a or self::button or self::summary][{text} or .//*[{text}]]"


def do(browser: Browser, step: re.Match[str]) -> None:
    if step["field"]:
        if browser.find(field(step["field"])).get_attribute("type") == "file":
            browser.find(field(step["field"])).send_keys(str(ROOT / step["value"]))
        else:
            browser.write(field(step["field"]), step["value"])
    elif step["press"] == "OK":
        browser.confirm()
    elif step["press"]:
        browser.click(pressed(step["press"]))
    else:
        browser.find(f'//*[normalize-space() = "{step["says"]}"]')


@pytest.fixture
def new_server(databases: Databases, tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has used yet, as `make serve` starts it."""
    with Server(databases.fresh(), [*SERVE, "--setup", "--port", "{port}"], DATA_DIR=str(tmp_path)) as running:
        yield running
    running.assert_clean()


@needs_chromium
@only_serve
@pytest.mark.one_database("What a browser does with pages does not depend on who gave the rows.")
def test_a_lesson_by_hand_leads_from_an_empty_server_to_the_offices_report(
    new_server: Server, browser: Browser
) -> None:
    steps = steps_by_hand()
    assert len(steps) > 20
    printed = re.search(r"password +(\S+)", new_server.log_text())
    assert printed is not None
    browser.open(new_server.url)
    for step in steps:
        if step["value"] == "…":
            browser.write(field(step["field"]), printed[1])
        else:
            do(browser, step)


def test_the_tour_with_curl_answers_what_its_page_says(server: Server) -> None:
    assert len(tour_steps()) >= 5
    run_tour(server.url, **{**os.environ, "DATABASE_URL": server.database.url})
