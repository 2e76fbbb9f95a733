"""Every page in a real Chromium: nothing that axe-core finds, and nothing wider than a phone of 320 pixels.

With PAGES=all (`make test-pages`) every page is looked at by everybody, in light and dark, left to right and right to
left, narrow and wide; otherwise a few of them, for a quick answer.
"""

import os
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.every_page import View, every_view, sign_in_for
from tests.e2e.school import DemoSchool
from tests.support.axe import complaints
from tests.support.browser import Browser, needs_chromium
from tests.support.database import Databases
from tests.support.node import needs_node
from tests.support.server import Server, only_serve

pytestmark = [
    needs_chromium,
    only_serve,
    pytest.mark.one_database("What a browser shows does not depend on who gave the rows."),
    pytest.mark.long,
]

ALL = os.environ.get("PAGES") == "all"
NARROW, WIDE = (320, 740), (1280, 800)
#: How wide phones are, pixels.
PHONES = (320, 360, 390)
VIEWS = every_view()
#: What people see first and most.
MAIN = {
    "home",
    "sign-in",
    "session",
    "board, rows",
    "projector",
    "check-in",
    "class-students",
    "class-reports",
    "record",
}
#: Language, colours and size, such that the few meet each of them.
FEW = (("en", "light", NARROW), ("ar", "dark", WIDE))
EACH = [
    (language, colours, size) for language in ("en", "ar") for colours in ("light", "dark") for size in (NARROW, WIDE)
]


def few(views: list[View]) -> list[View]:
    """Each of the main pages by the first who may see it."""
    return list({view.name: view for view in reversed(views) if view.name in MAIN and view.who}.values()) + [
        view for view in views if view.name == "sign-in"
    ]


@pytest.fixture(scope="module")
def school(databases: Databases) -> Iterator[tuple[Server, DemoSchool]]:
    database = databases.fresh()
    made = DemoSchool(database)
    made.lengthen()
    with Server(database, LIVE_SESSIONS="per-class", LIMITS="False") as running:
        yield running, made


def show(browser: Browser, colours: str, size: tuple[int, int]) -> None:
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [
        {"name": "prefers-color-scheme", "value": colours},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@pytest.mark.parametrize("view", VIEWS if ALL else few(VIEWS), ids=str)
@needs_node
def test_axe_core_finds_nothing(browser: Browser, school: tuple[Server, DemoSchool], view: View) -> None:
    server, made = school
    found = []
    shown = ""
    for language, colours, size in EACH if ALL else FEW:
        if language != shown:
            sign_in_for(view, browser, server, made, language)
            view.open(browser, server, made)
            shown = language
        show(browser, colours, size)
        found += [f"{language}, {colours}, {size}: {complaint}" for complaint in complaints(browser)]
    assert found == []


#: The selected tabs and pages of the navigation that are cut off, or out of sight until something is scrolled.
CUT_OFF = """
    return [...document.querySelectorAll("nav [aria-current]")].filter((one) => {
      const mine = one.getBoundingClientRect(), strip = one.closest("nav").getBoundingClientRect();
      return mine.left < Math.max(0, strip.left) - 1 || mine.right > Math.min(innerWidth, strip.right) + 1;
    }).map((one) => one.textContent);
    """

#: What an open menu or question has beyond the screen, to the left or to the right. To the left nothing scrolls there.
BEYOND = """
    document.querySelectorAll("details").forEach((one) => { one.open = true; });
    return [...document.querySelectorAll("details > :not(summary), details > :not(summary) *")].filter((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      return width > 1 && !one.closest(".scroll") && (left < 0 || right > innerWidth);
    }).map((one) => one.outerHTML.slice(0, 80));
    """


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_is_wider_than_a_phone_of_320_pixels_and_selected_tabs_and_open_menus_are_seen(
    browser: Browser, school: tuple[Server, DemoSchool], language: str
) -> None:
    server, made = school
    wide: list[str] = []
    who: str | None = ""
    for view in sorted(VIEWS if ALL else few(VIEWS), key=lambda view: view.who or ""):
        if view.who != who:
            sign_in_for(view, browser, server, made, language)
            who = view.who
        show(browser, "light", NARROW)
        view.open(browser, server, made)
        width = browser.run("return document.documentElement.scrollWidth")
        if width > NARROW[0]:
            wide.append(f"{view}: {width}")
        wide += [f"{view}: {tab} is cut off" for tab in browser.run(CUT_OFF)]
        for phone in PHONES:
            show(browser, "light", (phone, NARROW[1]))
            wide += [f"{view}: at {phone} pixels {part} is cut off" for part in browser.run(BEYOND)]
    assert wide == []


def test_axe_core_finds_what_is_wrong(browser: Browser, school: tuple[Server, DemoSchool]) -> None:
    server, _ = school
    browser.open(f"{server.url}/app/sign-in")
    browser.run("document.querySelector('h1').style.color = '#eee'; document.querySelector('[for=id_login]').remove()")
    assert {found.split(":")[0] for found in complaints(browser)} == {"color-contrast", "label"}


#: Where the few look for the Tab key: a press costs a moment.
KEYS = {"sign-in", "session", "record"}
#: What the Tab key has to reach: what is visible, not disabled, and not left to the arrow keys.
REACHED = """
    const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
    return [...all].filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && one.type !== "radio")
      .map((one) => one.outerHTML.slice(0, 120));
    """
FOCUSED = """
    const one = document.activeElement;
    if (one === document.body || one === null) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    const { width, height } = one.getBoundingClientRect();
    const isSeen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && width * height > 4;
    return [one.outerHTML.slice(0, 120), isSeen];
    """


@pytest.mark.parametrize("view", VIEWS if ALL else [view for view in few(VIEWS) if view.name in KEYS], ids=str)
def test_the_tab_key_reaches_everything_and_shows_where_it_is(
    browser: Browser, school: tuple[Server, DemoSchool], view: View
) -> None:
    server, made = school
    show(browser, "light", WIDE)
    sign_in_for(view, browser, server, made, "en")
    view.open(browser, server, made)
    wanted = set(browser.run(REACHED))
    browser.run("if (!document.querySelector('dialog[open]')) document.activeElement.blur()")
    seen: dict[str, bool] = {}
    for _ in range(2 * len(wanted) + 10):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        focused = browser.run(FOCUSED)
        if focused is not None:
            seen[focused[0]] = seen.get(focused[0], True) and focused[1]
        if wanted <= seen.keys():
            break
    assert [one for one, is_visible in seen.items() if not is_visible] == []
    # An open dialog keeps the keyboard to itself.
    assert "dialog" in view.step or wanted - seen.keys() == set()
