"""On a school's own network: a browser that trusts the server's authority is at a secure page; without HTTPS pages say
in words what browsers then refuse."""

from collections.abc import Iterator

import pytest
from django.conf import settings

from attendance.check_in import CheckInOptions, Circle, Mode, Place
from attendance.check_ins import check_in_open
from tests.e2e.school import sign_in
from tests.e2e.test_accessibility import NARROW, WIDE, show
from tests.e2e.test_pages import Lesson, shown, state, tile, wait
from tests.support import axe
from tests.support.browser import Browser, Seen, needs_certutil, needs_chromium
from tests.support.database import Databases
from tests.support.lan import ADDRESS, LanServer, PlainServer, needs_network
from tests.support.node import needs_node
from tests.support.server import Server, only_serve

pytestmark = [
    pytest.mark.long,
    needs_chromium,
    needs_network,
    only_serve,
    pytest.mark.one_database("What a browser does with pages does not depend on who gave the rows."),
]

TOWER = Place(48.8584, 2.2945)
#: What browsers keep for secure pages.
SECURE = """
    return [isSecureContext, "subtle" in crypto, "wakeLock" in navigator, "clipboard" in navigator];
    """
NO_PLACE = "Without HTTPS a browser says no place. Ask your teacher: they can mark you."


@pytest.fixture(scope="module")
def lan(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    folder = tmp_path_factory.mktemp("lan")
    with LanServer(databases.fresh(), folder, LIVE_SESSIONS="per-class") as running, running.clean_log():
        yield running


@pytest.fixture(scope="module")
def trusting(lan: LanServer) -> Iterator[Browser]:
    with Browser(reaches=str(ADDRESS), trusts=lan.authority) as browser:
        yield browser


@pytest.fixture(scope="module")
def stranger() -> Iterator[Browser]:
    with Browser(reaches=str(ADDRESS)) as browser:
        yield browser


@pytest.fixture
def strange(stranger: Browser) -> Browser:
    """A browser that trusts nobody in particular, and remembers nothing."""
    stranger.fresh()
    return stranger


@pytest.fixture(scope="module")
def plain(databases: Databases) -> Iterator[PlainServer]:
    with PlainServer(databases.fresh(), LIVE_SESSIONS="per-class") as running, running.clean_log():
        yield running


def code_on_the_wall(browser: Browser, server: Server, lesson: Lesson) -> str:
    """Opens a check-in near the tower, and reads the code that the projector shows."""
    options = CheckInOptions(mode=Mode.FIXED, circle=Circle(TOWER, 100))
    lesson.database.ask(lambda: check_in_open(session_id=lesson.session.id, options=options))
    sign_in(browser, server, lesson.teacher)
    browser.open(f"{server.url}{lesson.path}project")
    browser.find(".has-code .projector-code")
    return "".join(filter(str.isdigit, browser.find(".projector-code").text))


def complaints(browser: Browser) -> list[str]:
    """What the console has, but for a header that is meant for secure pages."""
    return [error for error in browser.seen().errors if "Cross-Origin-Opener-Policy" not in error]


def schemes(seen: Seen) -> set[str]:
    """How all was asked for."""
    return {origin.split(":")[0] for origin in seen.origins}


def type_code(browser: Browser, server: Server, lesson: Lesson, code: str) -> None:
    sign_in(browser, server, lesson.students["Asha"])
    browser.open(f"{server.url}/app/check-in/")
    browser.write("#code", code)
    browser.click("form button.big")


@needs_certutil
def test_a_device_that_trusts_the_authority_is_at_a_secure_page_and_may_say_where_it_is(
    trusting: Browser, lan: LanServer
) -> None:
    lesson = Lesson(lan.database)
    code = code_on_the_wall(trusting, lan, lesson)
    trusting.until(lambda seen: schemes(seen) == {"https", "wss"})
    assert trusting.run(SECURE) == [True, True, True, True]
    assert trusting.texts(".projector-sleeps") == [""]
    place = {"latitude": TOWER.latitude, "longitude": TOWER.longitude, "accuracy": 5}
    grant = {"origin": lan.url, "permissions": ["geolocation"]}
    trusting.driver.execute_cdp_cmd("Browser.grantPermissions", grant)
    trusting.driver.execute_cdp_cmd("Emulation.setGeolocationOverride", place)
    type_code(trusting, lan, lesson, code)
    trusting.click(".check-in-place")
    trusting.find("attendance-check-in.is-in")
    assert lesson.journal() == [("Asha", "present")]
    assert schemes(trusting.seen()) == {"https", "wss"}


@needs_certutil
def test_a_board_is_live_over_https(trusting: Browser, lan: LanServer) -> None:
    lesson = Lesson(lan.database)
    sign_in(trusting, lan, lesson.teacher)
    trusting.open(lan.url + lesson.path)
    wait(trusting, lambda: state(trusting) == "Live")
    trusting.click(f"{tile('Ben')}//button")
    wait(trusting, lambda: shown(trusting, "Ben") == "present")
    assert lesson.journal() == [("Ben", "present")]
    trusting.click(".check-in-open")
    trusting.find("a[href='/app/trust']")


def test_a_device_that_does_not_is_warned_and_is_told_at_the_other_port_what_to_do(
    strange: Browser, lan: LanServer
) -> None:
    strange.open(f"{lan.trust_url}/")
    assert strange.driver.current_url == f"{lan.trust_url}/app/trust"
    assert len(strange.find(".fingerprint").text) == 95
    assert complaints(strange) == []
    strange.click("a[lang=de]")
    assert strange.find("h1").text == "Diesem Server vertrauen"
    assert strange.driver.get_cookies() == []
    strange.run("location.href = given[0]", f"{lan.url}/app/")
    strange.until(lambda seen: any("ERR_CERT_AUTHORITY_INVALID" in each for each in seen.failures))


@needs_node
@pytest.mark.parametrize("page", ["trust", "plain"])
def test_who_comes_by_plain_http_finds_pages_without_barriers(strange: Browser, lan: LanServer, page: str) -> None:
    for at, (language, _) in enumerate(settings.LANGUAGES):
        show(strange, ("light", "dark")[at % 2], (NARROW, WIDE)[at % 2])
        if page == "trust":
            strange.open(f"{lan.trust_url}/app/trust?language={language}")
            strange.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        else:
            strange.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": language}})
            strange.open(f"http://{ADDRESS}:{lan.port}/app/a-long-address/{'a' * 60}")
        assert strange.run("return document.documentElement.lang") == language
        assert axe.complaints(strange) == [], language
        assert strange.run("return document.documentElement.scrollWidth <= innerWidth"), language
    strange.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})


def test_without_https_pages_say_in_words_why_they_cannot_ask_where_somebody_is(
    strange: Browser, plain: PlainServer
) -> None:
    lesson = Lesson(plain.database)
    code = code_on_the_wall(strange, plain, lesson)
    assert strange.run(SECURE) == [False, False, False, False]
    assert strange.texts(".projector-sleeps") == ["Set this device so that its screen stays on."]
    type_code(strange, plain, lesson, code)
    wait(strange, lambda: strange.texts(".check-in-says") == [NO_PLACE])
    assert strange.texts(".check-in-place") == [""]


def test_without_https_a_teacher_is_told_and_everything_else_works(strange: Browser, plain: PlainServer) -> None:
    lesson = Lesson(plain.database)
    sign_in(strange, plain, lesson.teacher)
    strange.open(plain.url + lesson.path)
    wait(strange, lambda: state(strange) == "Live")
    strange.click(f"{tile('Ben')}//button")
    wait(strange, lambda: shown(strange, "Ben") == "present")
    strange.click(".check-in-open")
    strange.run("document.querySelector('#range').value = '50'")
    strange.click("#check-in button.main")
    wait(
        strange,
        lambda: (
            strange.texts("#check-in .problem") == ["Without HTTPS a browser says no place. Choose “no matter where”."]
        ),
    )
    strange.run("document.querySelector('#range').value = ''")
    strange.click("#check-in button.main")
    wait(strange, lambda: strange.run("return !document.querySelector('#check-in').open"))
    assert complaints(strange) == []
