"""The pages in a real Chromium: a lesson by keyboard alone, devices in step, and all ways in which networks leave."""

import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import zxingcpp
from django.utils import timezone
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

from accounts.cards import Made, cards_make
from accounts.models import User
from accounts.selectors import actor_of
from attendance.check_in import CheckInOptions, Mode
from attendance.check_ins import check_in_open
from attendance.excuses import Span, excuse_add
from attendance.models import Attendance, CheckIn, Flag, Mark, Session
from classes.models import Class, Enrolment
from core.identity import Role
from core.times import now, today
from tests.e2e.school import sign_in
from tests.support.browser import LIMIT, Browser, needs_chromium
from tests.support.clients import PASSWORD
from tests.support.database import Database, Databases
from tests.support.server import Server, only_serve

pytestmark = [
    needs_chromium,
    only_serve,
    pytest.mark.one_database("What a browser does with pages does not depend on who gave the rows."),
    pytest.mark.long,
]

STUDENTS = ("Asha", "Ben", "Chen", "Dalia")


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """A server of this module's own, which a test may stop and start."""
    with Server(databases.fresh(), LIVE_SESSIONS="per-class") as running, running.clean_log():
        yield running


def make_person(name: str, role: Role, password: str | None = None) -> User:
    user = User(name=name, email=f"{name}.{time.time_ns()}@example.com".lower(), role=role, password="!")
    if password is not None:
        user.set_password(password)
    user.save(force_insert=True)
    return user


class Lesson:
    """An open lesson of four students, and its teacher, who can sign in."""

    def __init__(self, database: Database) -> None:
        self.database = database
        database.ask(self._make)

    def _make(self) -> None:
        self.teacher = make_person("Teacher", Role.TEACHER, PASSWORD)
        self.found = Class.objects.create(name="Physics", teacher=self.teacher)
        self.students = {name: make_person(name, Role.STUDENT, PASSWORD) for name in STUDENTS}
        self.number = f"{time.time_ns()}"
        User.objects.filter(pk=self.students["Chen"].pk).update(roll_number=self.number, roll_number_key=self.number)
        for student in self.students.values():
            Enrolment.objects.create(class_ref=self.found, student=student)
        self.session = Session.objects.create(class_ref=self.found, started_by=self.teacher)

    @property
    def path(self) -> str:
        return f"/app/sessions/{self.session.id}/"

    def journal(self) -> list[tuple[str, str]]:
        """The names and statuses of all marks, in order."""
        names = {student.id: name for name, student in self.students.items()}
        rows = self.database.ask(
            lambda: list(Mark.objects.filter(session=self.session).order_by("seq").values_list("student_id", "status"))
        )
        return [(names[student_id], status) for student_id, status in rows]


@pytest.fixture
def lesson(server: Server) -> Lesson:
    return Lesson(server.database)


def tile(name: str) -> str:
    return f'//li[contains(@class, "tile")][.//bdi[text()="{name}"]]'


def shown(browser: Browser, name: str) -> str:
    """The status that the board shows of a student, as the server has it or on its way."""
    return str(
        browser.run(
            """
            const tiles = [...document.querySelectorAll(".tile")];
            const tile = tiles.find((one) => one.querySelector("bdi").textContent === given[0]);
            const status = [...tile.classList].find((word) => word.startsWith("status-")).slice(7);
            return tile.classList.contains("is-waiting") ? `${status} on its way` : status;
            """,
            name,
        )
    )


def wait(browser: Browser, holds: Callable[[], bool]) -> None:
    """Until the page shows it."""
    browser.until(lambda _: holds())


def state(browser: Browser) -> str:
    return str(browser.find(".board-state").text)


@pytest.fixture
def board(browser: Browser, server: Server, lesson: Lesson) -> Browser:
    """The teacher's browser, which shows the board, live."""
    sign_in(browser, server, lesson.teacher)
    browser.open(server.url + lesson.path)
    wait(browser, lambda: state(browser) == "Live")
    return browser


def press(browser: Browser, *keys: str) -> None:
    """Keys as a person presses them."""
    for key in keys:
        code = {"Enter": "\r"}.get(key, key)
        for kind in ("keyDown", "keyUp"):
            event: dict[str, Any] = {"type": kind, "key": key}
            if kind == "keyDown" and len(code) == 1:
                event["text"] = code
            browser.driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)


def tab_to(browser: Browser, text: str) -> None:
    """Goes by the Tab key to what has this text."""
    for _ in range(100):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        if browser.driver.switch_to.active_element.text == text:
            return
    raise AssertionError(f"the Tab key never comes to {text}")


def offline(browser: Browser, is_off: bool) -> None:
    conditions = {"offline": is_off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)


def test_a_lesson_is_taken_by_the_keyboard_alone(board: Browser, lesson: Lesson) -> None:
    press(board, "ArrowRight", "p", "l", "a", "ArrowLeft", "e")
    wait(board, lambda: [shown(board, name) for name in STUDENTS] == ["present", "late", "excused", "unmarked"])
    assert lesson.journal() == [("Asha", "present"), ("Ben", "late"), ("Chen", "absent"), ("Chen", "excused")]
    press(board, "u")
    wait(board, lambda: shown(board, "Chen") == "absent")
    assert board.find(".board-in").text == "2 of 4 in"
    tab_to(board, "End the lesson")
    board.driver.switch_to.active_element.send_keys(Keys.ENTER)
    WebDriverWait(board.driver, LIMIT).until(expected_conditions.alert_is_present()).accept()
    board.find("//button[text()='Open again']")
    records = Attendance.objects.filter(session=lesson.session).values_list("status", flat=True)
    assert sorted(lesson.database.ask(lambda: list(records))) == ["absent", "absent", "late", "present"]


@pytest.fixture
def phone(board: Browser) -> Iterator[Browser]:
    """The board on a phone of 360 by 740."""
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    board.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield board
    board.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_phone_the_search_has_room_and_what_the_board_says_keeps_nobody_from_tapping(phone: Browser) -> None:
    assert phone.find(".board-find").size["width"] > 200
    phone.click(f"{tile('Asha')}//button")
    wait(phone, lambda: phone.texts(".board-says") == ["Asha: Present"])
    tapped = """
        const {left, top, width, height} = document.querySelector(".board-says").getBoundingClientRect();
        return document.elementFromPoint(left + width / 2, top + height / 2).closest(".board-says") === null;
        """
    assert phone.run(tapped)


def test_one_tap_marks_present_and_further_taps_go_on_and_a_second_device_sees_each(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    first = board.driver.current_window_handle
    second = board.tab()
    board.open(server.url + lesson.path)
    wait(board, lambda: state(board) == "Live")
    board.to(first)
    board.click(f"{tile('Ben')}//button")
    board.click(f"{tile('Ben')}//button")
    board.to(second)
    wait(board, lambda: shown(board, "Ben") == "late")
    board.click(f"{tile('Dalia')}//button")
    board.to(first)
    wait(board, lambda: shown(board, "Dalia") == "present")
    assert lesson.journal() == [("Ben", "present"), ("Ben", "late"), ("Dalia", "present")]


def test_taps_and_the_check_in_are_as_the_class_chose_on_its_page(
    browser: Browser, server: Server, lesson: Lesson
) -> None:
    sign_in(browser, server, lesson.teacher)
    settings = f"{server.url}/app/classes/{lesson.found.id}/settings"
    chosen = {"board": {"tap1": "absent", "tap2": "present", "tap3": "", "tap4": ""}}
    chosen["check-in"] = {"mode": "fixed", "place": "48.8584, 2.2945", "radius": "80", "outside": "refuse"}
    for part, fields in chosen.items():
        browser.open(settings)
        for name, value in fields.items():
            browser.run("document.getElementById(given[0]).value = given[1]", f"id_{name}", value)
        browser.click(f"form[action$='/settings/{part}'] button")
        browser.find(".note.success")
    browser.open(server.url + lesson.path)
    wait(browser, lambda: state(browser) == "Live")
    for expected in ("absent", "present", "absent"):
        browser.click(f"{tile('Asha')}//button[contains(@class, 'tile-main')]")
        wait(browser, lambda expected=expected: shown(browser, "Asha") == expected)  # type: ignore[misc]
    assert browser.find(".counts .status-late b").text == "0"
    browser.click(".check-in-open")
    browser.click("#check-in button.main")
    browser.find("[data-open]:not([hidden])")
    columns = ("mode", "latitude", "longitude", "range", "outside", "same_device")
    rows = CheckIn.objects.filter(pk=lesson.session.pk).values_list(*columns)
    assert lesson.database.ask(rows.get) == ("fixed", 48.8584, 2.2945, 80, "refuse", "flag")
    # What is changed then changes nothing else, also where the page has been loaded again.
    browser.open(server.url + lesson.path)
    browser.find("[data-open]:not([hidden])")
    browser.click(".check-in-open")
    browser.run("document.querySelector('#outside').value = 'flag'")
    browser.click("#check-in button.main")
    wait(browser, lambda: not browser.run("return document.querySelector('#check-in').open"))
    assert lesson.database.ask(rows.get) == ("fixed", 48.8584, 2.2945, 80, "flag", "flag")


def test_marks_of_an_outage_wait_in_order_and_arrive_once(board: Browser, lesson: Lesson) -> None:
    offline(board, True)
    for name in ("Asha", "Ben", "Asha"):
        board.click(f"{tile(name)}//button")
    wait(board, lambda: shown(board, "Asha") == "late on its way")
    wait(board, lambda: "Marks that wait for the network: 3" in state(board))
    assert lesson.journal() == []
    offline(board, False)
    wait(board, lambda: [shown(board, name) for name in ("Asha", "Ben")] == ["late", "present"])
    wait(board, lambda: state(board) == "Live")
    assert lesson.journal() == [("Asha", "present"), ("Ben", "present"), ("Asha", "late")]


def test_a_device_whose_clock_is_an_hour_wrong_marks_at_the_right_time_also_after_an_outage(
    board: Browser, lesson: Lesson
) -> None:
    wrong = "const right = Date.now; Date.now = () => right() + 3600000;"
    board.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": wrong})
    board.driver.refresh()
    wait(board, lambda: state(board) == "Live")
    offline(board, True)
    board.click(f"{tile('Asha')}//button")
    wait(board, lambda: shown(board, "Asha") == "present on its way")
    # It waits for longer than a mark that needs no time of its own.
    waits = "return board.connection.now() - board.connection.waiting[0].at > 2500"
    board.run("window.board = document.querySelector('attendance-board')")
    wait(board, lambda: bool(board.run(waits)))
    offline(board, False)
    wait(board, lambda: shown(board, "Asha") == "present")
    (at,) = lesson.database.ask(lambda: list(Mark.objects.filter(session=lesson.session).values_list("at", flat=True)))
    assert abs((timezone.now() - at).total_seconds()) < 60


def test_a_new_token_takes_over_without_a_gap(board: Browser, lesson: Lesson) -> None:
    board.run("window.board = document.querySelector('attendance-board'); board.connection.token = null")
    board.run("board.connection._renew(); board.mark(given[0], 'late')", lesson.students["Ben"].id)
    wait(board, lambda: shown(board, "Ben") == "late")
    wait(board, lambda: state(board) == "Live")
    assert lesson.journal() == [("Ben", "late")]


def test_a_page_that_comes_back_from_the_cache_or_was_frozen_shows_what_it_missed(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    first = board.driver.current_window_handle
    board.open(f"{server.url}/app/me/")
    second = board.tab()
    board.open(server.url + lesson.path)
    wait(board, lambda: state(board) == "Live")
    board.click(f"{tile('Chen')}//button")
    wait(board, lambda: shown(board, "Chen") == "present")
    board.to(first)
    board.driver.back()
    wait(board, lambda: state(board) == "Live")
    wait(board, lambda: shown(board, "Chen") == "present")
    board.driver.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "frozen"})
    board.to(second)
    board.click(f"{tile('Dalia')}//button")
    wait(board, lambda: shown(board, "Dalia") == "present")
    board.to(first)
    board.driver.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "active"})
    wait(board, lambda: shown(board, "Dalia") == "present")


def test_what_was_asked_on_a_connection_that_is_given_up_is_not_waited_for(board: Browser) -> None:
    board.click(f"{tile('Asha')}//button")
    wait(board, lambda: shown(board, "Asha") == "present")
    board.run(
        """
        document.querySelector("[data-action=UNDO]").requestSubmit();
        dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        """
    )
    wait(board, lambda: board.texts(".board-says") == ["That needs the network. Try again when it is back."])
    wait(board, lambda: state(board) == "Live")


def test_a_student_scans_what_the_projector_shows_signs_in_and_is_in(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    first = board.driver.current_window_handle
    board.click(".check-in-open")
    board.click("#check-in button.main")
    board.find("//*[text()='Students can check in']")
    board.tab()
    board.open(f"{server.url}{lesson.path}project")
    code = board.find(".has-code .projector-code").text.replace("\u2009", "")
    drawn = "return document.querySelector('.projector-qr svg path').getBoundingClientRect().height"
    assert board.run(drawn) > 100
    # The student's phone: it knows nobody. The board has its token, and goes on.
    board.tab()
    board.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    late = "const right = Date.now; Date.now = () => right() + 3600000;"
    board.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": late})
    board.open(f"{server.url}/app/check-in/{lesson.session.id}?code={code}")
    board.click(".check-in-sign-in")
    board.write("#id_login", lesson.students["Dalia"].email)
    board.write("#id_password", PASSWORD)
    board.click("main button.main")
    board.find(".check-in-done .status-present")
    (at,) = lesson.database.ask(lambda: list(Mark.objects.filter(session=lesson.session).values_list("at", flat=True)))
    # Its own clock is an hour wrong, and it shows the school's.
    times = {f"You are in, {at + later:%-I:%M %p}." for later in (timedelta(0), timedelta(minutes=1))}
    assert re.sub(r"\s", " ", board.find(".check-in-says").text) in times
    assert board.driver.current_url == f"{server.url}/app/check-in/"
    board.to(first)
    wait(board, lambda: shown(board, "Dalia") == "present")
    assert "checked in" in board.find(f"{tile('Dalia')}//*[contains(@class, 'tile-how')]").text
    assert lesson.journal() == [("Dalia", "present")]


@pytest.mark.parametrize(("width", "height"), [(800, 600), (1280, 720), (1920, 1080)])
def test_a_decoder_reads_the_code_from_a_picture_of_the_projector(
    browser: Browser, server: Server, lesson: Lesson, width: int, height: int
) -> None:
    def prepare() -> None:
        Class.objects.filter(pk=lesson.found.pk).update(name="Thermodynamik-Ergänzungsunterricht " * 7)
        check_in_open(session_id=lesson.session.id, options=CheckInOptions(mode=Mode.FIXED))

    server.database.ask(prepare)
    sign_in(browser, server, lesson.teacher)
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        browser.open(f"{server.url}{lesson.path}project")
        code = browser.find(".has-code .projector-code").text.replace("\u2009", "")
        picture = Image.open(io.BytesIO(browser.driver.get_screenshot_as_png()))
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == f"{server.url}/app/check-in/{lesson.session.id}?code={code}"


def test_what_looks_wrong_waits_on_the_board_until_the_teacher_has_decided(
    browser: Browser, server: Server, lesson: Lesson
) -> None:
    def flag() -> None:
        check_in_open(session_id=lesson.session.id, options=CheckInOptions(mode=Mode.ROTATING))
        for name, kind in (("Asha", Flag.Kind.OUT_OF_RANGE), ("Ben", Flag.Kind.OTHER_DEVICE)):
            Flag.objects.create(session=lesson.session, student=lesson.students[name], kind=kind)

    server.database.ask(flag)
    sign_in(browser, server, lesson.teacher)
    browser.open(server.url + lesson.path)
    wait(browser, lambda: len(browser.texts(".flags li")) == 2)
    browser.click("//li[.//bdi[text()='Asha']]//button[@value='confirm']")
    wait(browser, lambda: len(browser.texts(".flags li")) == 1)
    assert "somebody else's device" in browser.find(".flags li").text
    browser.click("//li[.//bdi[text()='Ben']]//button[@value='reject']")
    wait(browser, lambda: browser.texts(".flags li") == [])
    flags = Flag.objects.filter(session=lesson.session).order_by("student__name").values_list("state", flat=True)
    assert server.database.ask(lambda: list(flags)) == [Flag.State.CONFIRMED, Flag.State.REJECTED]


def test_a_device_at_the_door_takes_a_number_at_a_time_and_its_teacher_is_signed_out_of_it(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    board.open(f"{server.url}{lesson.path}kiosk")
    board.click(".kiosk-begin")
    board.find("#kiosk-code")
    for number, kind in ((lesson.number, "present"), (lesson.number, "already"), ("nobody's", "unknown")):
        board.run("document.querySelector('#kiosk-code').value = given[0]", number)
        press(board, "Enter")
        board.find(f'attendance-kiosk[data-kind="{kind}"]')
    assert lesson.journal() == [("Chen", "present")]
    board.open(f"{server.url}/app/")
    board.find("#id_login")


def test_after_a_restart_of_the_server_the_board_is_right_without_a_reload(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    board.run("window.isTheSamePage = true")
    server.stop()
    board.click(f"{tile('Asha')}//button")
    wait(board, lambda: shown(board, "Asha") == "present on its way")
    server.start()
    wait(board, lambda: shown(board, "Asha") == "present")
    assert board.run("return window.isTheSamePage") is True
    assert lesson.journal() == [("Asha", "present")]


@pytest.mark.parametrize("language", ["en", "ar"])
def test_excuses_and_own_data_fit_a_narrow_phone_from_left_to_right_and_from_right_to_left(
    browser: Browser, server: Server, lesson: Lesson, language: str
) -> None:
    def ask() -> None:
        asha = actor_of(lesson.students["Asha"])
        excuse_add(actor=asha, span=Span(today(), today()), note="W" * 255)
        excuse_add(actor=asha, span=Span(now(), now() + timedelta(hours=1)), note="late bus")

    server.database.ask(ask)
    narrow = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    try:
        for person in (lesson.students["Asha"], lesson.teacher):
            sign_in(browser, server, person, language)
            for path in ("excuses/", "me/data"):
                browser.open(f"{server.url}/app/{path}")
                assert browser.run("return document.documentElement.lang") == language
                assert browser.run("return document.documentElement.scrollWidth") <= 320, path
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert browser.seen().errors == []


def test_a_scanned_card_signs_in_and_its_secret_leaves_the_browser(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    chen = lesson.students["Chen"]
    actor = actor_of(lesson.teacher)

    def print_card() -> Made:
        return cards_make(students=[chen], actor=actor, site=server.url)[0]

    card = server.database.ask(print_card)
    chen_is_in = '//a[@class="who"][contains(., "Chen")]'
    board.open(card.url)  # the teacher is signed in: nothing happens by itself
    board.find(".note.warning")
    assert card.code not in board.driver.current_url
    board.click("attendance-card button")
    board.find(chen_is_in)
    board.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    board.open("about:blank")
    board.open(card.url)
    board.find(chen_is_in)
    assert not [url for url in board.seen().urls if card.code in url.partition("#")[0]]
