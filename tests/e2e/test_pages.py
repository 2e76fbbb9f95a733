"""The pages in a real Chromium: a lesson by keyboard alone, devices in step, and all ways in which networks leave."""

import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from django.conf import settings
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import override
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from accounts.cards import Made, cards_make
from accounts.models import User
from accounts.selectors import actor_of
from attendance.check_in import CheckInOptions, Mode
from attendance.check_in_rules import code_now
from attendance.check_ins import check_in_open
from attendance.excuses import Span, excuse_add
from attendance.models import Attendance, CheckIn, Flag, Mark, Session
from attendance.services import class_remove, session_end
from classes.models import Class, CoTeacher, Enrolment
from core.identity import Role
from core.times import now, to_iso, today
from tests.e2e.school import sign_in
from tests.support.browser import Browser, needs_chromium
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

    def opened_check_in(self, site: str) -> str:
        """Opens the check-in; the address that its QR says."""
        options = CheckInOptions(mode=Mode.FIXED)

        def open_it() -> str:
            check_in_open(session_id=self.session.id, options=options)
            return code_now(self.session, site=site).code

        return f"{site}/app/check-in/{self.session.id}?code={self.database.ask(open_it)}"

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


def tab_to(browser: Browser, text: str) -> None:
    """Goes by the Tab key to what has this text."""
    for _ in range(100):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        if browser.driver.switch_to.active_element.text == text:
            return
    raise AssertionError(f"the Tab key never comes to {text}")


def test_a_lesson_is_taken_by_the_keyboard_alone(board: Browser, lesson: Lesson) -> None:
    board.press("ArrowRight", "p", "l", "a", "ArrowLeft", "e")
    wait(board, lambda: [shown(board, name) for name in STUDENTS] == ["present", "late", "excused", "unmarked"])
    assert lesson.journal() == [("Asha", "present"), ("Ben", "late"), ("Chen", "absent"), ("Chen", "excused")]
    board.press("u")
    wait(board, lambda: shown(board, "Chen") == "absent")
    assert board.find(".board-in").text == "2 of 4 in"
    tab_to(board, "End the lesson")
    board.driver.switch_to.active_element.send_keys(Keys.ENTER)
    board.confirm()
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


@pytest.mark.parametrize("height", [400, 560])
def test_the_keyboard_brings_no_student_below_the_bar(board: Browser, lesson: Lesson, height: int) -> None:
    size = {"width": 320, "height": height, "deviceScaleFactor": 1, "mobile": False}
    board.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        seen = """
            scrollTo(0, document.body.scrollHeight);
            document.activeElement.blur();
            document.querySelector(".tile-main").focus();
            const { left, top, width, height } = document.activeElement.getBoundingClientRect();
            return document.elementFromPoint(left + width / 2, top + height / 2)?.closest(".tile") ===
              document.querySelector(".tile");
            """
        assert board.run(seen)
    finally:
        board.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


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
    board.cut(True)
    for name in ("Asha", "Ben", "Asha"):
        board.click(f"{tile(name)}//button")
    wait(board, lambda: shown(board, "Asha") == "late on its way")
    wait(board, lambda: "Marks that wait for the network: 3" in state(board))
    assert lesson.journal() == []
    board.cut(False)
    wait(board, lambda: [shown(board, name) for name in ("Asha", "Ben")] == ["late", "present"])
    wait(board, lambda: state(board) == "Live")
    assert lesson.journal() == [("Asha", "present"), ("Ben", "present"), ("Asha", "late")]


def test_a_lesson_is_ended_right_behind_a_tap_that_is_on_its_way(board: Browser, lesson: Lesson) -> None:
    ending = "const board = document.querySelector('attendance-board'); board.mark(given[0], 'present'); "
    ending += "for (const _ of [1, 2]) board.querySelector('[data-action=END] button').click(); "
    assert board.run(ending + "return board.connection.waiting.length", lesson.students["Asha"].id) == 1
    board.confirm()
    board.find("//button[text()='Open again']")
    assert lesson.journal()[0] == ("Asha", "present")


def test_a_lesson_whose_marks_wait_for_the_network_does_not_end(board: Browser, lesson: Lesson) -> None:
    board.cut(True)
    board.click(f"{tile('Asha')}//button")
    wait(board, lambda: shown(board, "Asha") == "present on its way")
    board.click("//button[text()='End the lesson']")
    wait(board, lambda: board.texts(".board-says") == ["Nothing is lost. Marks that wait for the network: 1"])
    board.cut(False)
    wait(board, lambda: shown(board, "Asha") == "present")
    assert lesson.journal() == [("Asha", "present")]


def test_a_device_whose_clock_is_an_hour_wrong_marks_at_the_right_time_also_after_an_outage(
    board: Browser, lesson: Lesson
) -> None:
    wrong = "const right = Date.now; Date.now = () => right() + 3600000;"
    board.run_first(wrong)
    board.driver.refresh()
    wait(board, lambda: state(board) == "Live")
    board.cut(True)
    board.click(f"{tile('Asha')}//button")
    wait(board, lambda: shown(board, "Asha") == "present on its way")
    # It waits for longer than a mark that needs no time of its own.
    waits = "return board.connection.now() - board.connection.waiting[0].at > 2500"
    board.run("window.board = document.querySelector('attendance-board')")
    wait(board, lambda: bool(board.run(waits)))
    board.cut(False)
    wait(board, lambda: shown(board, "Asha") == "present")
    (at,) = lesson.database.ask(lambda: list(Mark.objects.filter(session=lesson.session).values_list("at", flat=True)))
    assert abs((timezone.now() - at).total_seconds()) < 60


def test_marks_that_come_after_the_lesson_was_ended_elsewhere_are_named_before_its_record_is_shown(
    board: Browser, lesson: Lesson
) -> None:
    board.click(f"{tile('Ben')}//button")
    wait(board, lambda: shown(board, "Ben") == "present")
    board.cut(True)
    board.click(f"{tile('Asha')}//button")
    wait(board, lambda: shown(board, "Asha") == "present on its way")
    lesson.database.ask(lambda: session_end(session_id=lesson.session.id))
    board.cut(False)
    board.find("#too-late[open]")
    assert board.texts("#too-late li") == ["Asha: Present"]
    board.click("#too-late button")
    board.find("//button[text()='Open again']")
    assert lesson.journal()[0] == ("Ben", "present")
    assert ("Asha", "present") not in lesson.journal()


def test_a_board_marks_nothing_in_the_name_of_who_signed_in_after_its_teacher(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    other = lesson.database.ask(lambda: make_person("Other", Role.TEACHER))
    lesson.database.ask(lambda: CoTeacher.objects.create(class_ref=lesson.found, teacher=other))
    sign_in(board, server, other)
    board.run(
        """
        const { connection } = document.querySelector("attendance-board");
        connection.token = null;
        connection._drop();
        document.querySelector("attendance-board").mark(given[0], "late");
        connection._connect();
        """,
        lesson.students["Ben"].id,
    )
    wait(board, lambda: state(board) == "You are signed out. Load the page again.")
    board.driver.refresh()
    wait(board, lambda: state(board) == "Live")
    assert shown(board, "Ben") == "unmarked"
    sign_in(board, server, lesson.teacher)
    board.driver.refresh()
    wait(board, lambda: shown(board, "Ben") == "late")
    assert lesson.journal() == [("Ben", "late")]


def test_a_board_whose_class_is_removed_says_so(board: Browser, lesson: Lesson) -> None:
    lesson.database.ask(lambda: class_remove(actor=actor_of(lesson.teacher), class_id=lesson.found.id))
    board.click(f"{tile('Asha')}//button")  # nobody had a mark: the lesson counts nowhere, and nobody was told
    board.click("#too-late[open] button")
    board.find("//*[starts-with(text(), 'There is no such lesson')]")
    assert board.texts("attendance-board") == []


def test_what_is_refused_for_a_moment_is_followed_a_moment_later(
    board: Browser, server: Server, lesson: Lesson
) -> None:
    board.run_first(
        """
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (text) {
          send.call(this, text.replace(/"session":"\\w+"/, '"session":"000000000000000000000000"'));
          WebSocket.prototype.send = send;
        };
        """
    )
    board.open(f"{server.url}{lesson.path}project")
    wait(board, lambda: board.texts(".projector-count") == ["0 of 4 in"])


def test_a_long_press_on_a_phone_opens_the_note_and_is_no_tap(phone: Browser, lesson: Lesson) -> None:
    phone.run("addEventListener('contextmenu', (event) => event.stopPropagation(), true)")  # an iPhone has none
    place = phone.find(tile("Asha"))
    point = {"x": place.location["x"] + 20, "y": place.location["y"] + 20}
    phone.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    phone.find("#about-student[open]")
    phone.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone.write("#note", "no book")
    phone.click("//dialog[@id='about-student']//button[@value='late']")
    wait(phone, lambda: shown(phone, "Asha") == "late")
    assert lesson.journal() == [("Asha", "late")]


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


def test_scripts_write_times_as_the_pages_do_in_every_language(
    browser: Browser, server: Server, lesson: Lesson
) -> None:
    asha = lesson.students["Asha"]
    days = [datetime(2026, 1, 1, hour, minute, tzinfo=UTC) for hour, minute in ((0, 5), (9, 0), (12, 30), (14, 58))]
    for language in dict(settings.LANGUAGES):
        sign_in(browser, server, asha, language)
        browser.open(f"{server.url}/app/")
        for at in days:
            mark = {"studentId": asha.id, "status": "present", "at": to_iso(at)}
            browser.run(
                "document.querySelector('attendance-mine')._hear({event: 'MARKS', data: given[0]})",
                {"session": lesson.session.id, "marks": [mark]},
            )
            with override(language):
                wanted = time_format(timezone.localtime(at), "TIME_FORMAT")
            assert browser.find(".mine-at").text.replace("\u202f", " ") == wanted, language


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
    board.forget_cookies()
    late = "const right = Date.now; Date.now = () => right() + 3600000;"
    board.run_first(late)
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


#: Requests of the page wait until it is told to go on.
HELD = """
    const real = window.fetch;
    window.fetch = async (...given) => {
      while (!window.goOn) await new Promise((go) => setTimeout(go, 20));
      return real(...given);
    };
    """
#: A browser that keeps nothing throws.
KEEPS_NOTHING = """
    for (const name of ["sessionStorage", "localStorage"]) {
      Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });
    }
    """


def test_a_claim_waits_for_who_is_signed_out_meanwhile(browser: Browser, server: Server, lesson: Lesson) -> None:
    scanned = lesson.opened_check_in(server.url)
    sign_in(browser, server, lesson.students["Dalia"])
    browser.tab()
    browser.run_first(HELD)
    browser.open(scanned)
    browser.forget_cookies()
    browser.run("window.goOn = true")
    browser.write("#id_login", lesson.students["Dalia"].email)
    browser.write("#id_password", PASSWORD)
    browser.click("main button.main")
    browser.find(".check-in-says")  # the page of the claim again, and not the form any more
    browser.run("window.goOn = true")
    browser.find(".check-in-done .status-present")


def test_pages_do_without_a_browser_that_keeps_anything(browser: Browser, server: Server, lesson: Lesson) -> None:
    scanned = lesson.opened_check_in(server.url)
    sign_in(browser, server, lesson.students["Dalia"])
    browser.tab()
    browser.run_first(KEEPS_NOTHING)
    browser.open(scanned)
    browser.find(".check-in-done .status-present")
    sign_in(browser, server, lesson.teacher)
    browser.open(server.url + lesson.path)
    wait(browser, lambda: shown(browser, "Dalia") == "present")
    browser.click(f"{tile('Asha')}//button")
    wait(browser, lambda: shown(browser, "Asha") == "present")
    browser.open(f"{server.url}{lesson.path}kiosk")
    browser.click(".kiosk-begin")
    browser.write("#kiosk-code", lesson.number)
    browser.press("Enter")
    browser.find('attendance-kiosk[data-kind="present"]')
    assert browser.seen().errors == []


def test_a_code_at_the_door_waits_while_the_server_is_in_trouble(
    browser: Browser, server: Server, lesson: Lesson
) -> None:
    sign_in(browser, server, lesson.teacher)
    browser.open(f"{server.url}{lesson.path}kiosk")
    browser.click(".kiosk-begin")
    browser.find("#kiosk-code")
    browser.run(
        """
        const real = window.fetch;
        const trouble = { success: false, error: "Database unavailable", code: "database_unavailable" };
        window.fetch = async () => {
          window.fetch = real;
          return new Response(JSON.stringify(trouble), { status: 503 });
        };
        """
    )
    browser.write("#kiosk-code", lesson.number)
    browser.press("Enter")
    browser.find('attendance-kiosk[data-kind="unknown"]')
    browser.find('attendance-kiosk[data-kind="present"]')
    assert lesson.journal() == [("Chen", "present")]


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
        shown_to_all = f"{server.url}/app/check-in/{lesson.session.id}?code={code}"

        def is_read() -> bool:
            picture = Image.open(io.BytesIO(browser.driver.get_screenshot_as_png()))
            return [found.text for found in zxingcpp.read_barcodes(picture)] == [shown_to_all]

        wait(browser, is_read)  # a busy machine draws the code a moment after the page has it
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


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
        board.press("Enter")
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


def test_in_arabic_the_board_runs_from_right_to_left_and_so_do_the_arrow_keys(
    browser: Browser, server: Server, lesson: Lesson
) -> None:
    sign_in(browser, server, lesson.teacher, "ar")
    browser.open(server.url + lesson.path)
    wait(browser, lambda: state(browser) == "مباشر")
    browser.press("ArrowLeft", "ArrowLeft", "p")
    wait(browser, lambda: shown(browser, "Ben") == "present")
    asha, ben = (browser.find(tile(name)).location for name in STUDENTS[:2])
    assert (asha["x"] > ben["x"], asha["y"]) == (True, ben["y"])
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


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
    board.forget_cookies()
    board.open("about:blank")
    board.open(card.url)
    board.find(chen_is_in)
    assert not [url for url in board.seen().urls if card.code in url.partition("#")[0]]
