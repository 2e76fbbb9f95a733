"""Every page as each person who may see it, and the states of a page that have no address of their own."""

from dataclasses import dataclass

from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.school import DemoSchool, sign_in
from tests.support.browser import LIMIT, Browser
from tests.support.server import Server
from tests.web.test_permissions import TABLE, WHO

#: The people of the table of permissions who see different pages.
PEOPLE = {"nobody": None, "owner": "teacher", "student": "student", "superuser": "office"}
#: What is asked for as a page and is none.
NO_PAGE = ("class-report-file", "file", "my-data-file")
READY = """
    const live = document.querySelector("attendance-board, attendance-projector, attendance-mine");
    return document.readyState === "complete" && (!live?.connection || live.connection.state === "live");
    """


@dataclass(frozen=True)
class View:
    """A page as somebody sees it. `step` is a script that brings about the state, once the page is live."""

    name: str
    path: str
    who: str | None
    step: str = ""

    def __str__(self) -> str:
        return f"{self.name} by {self.who or 'nobody'}"

    def open(self, browser: Browser, server: Server, school: DemoSchool) -> None:
        """Opens it for whoever is signed in, and waits until it is live."""
        browser.open(server.url + school.path(self.path))
        WebDriverWait(browser.driver, LIMIT, 0.05).until(lambda _: browser.run(READY))
        if self.step:
            browser.run(self.step)


def _of_the_table() -> list[View]:
    return [
        View(name, path, PEOPLE[who])
        for name, method, path, row in TABLE
        for who, status in zip(WHO, row, strict=True)
        if method == "GET" and who in PEOPLE and status in (200, 404) and name not in NO_PAGE
    ]


def _shown(dialog: str) -> str:
    return f"document.querySelector('dialog{dialog}').showModal()"


def _menu_of_a_student() -> str:
    return (
        "document.querySelector('.tile').dispatchEvent(new MouseEvent('contextmenu', {bubbles: true})) /* a dialog */"
    )


STATES = [
    View("record", "sessions/{ended}/", "teacher"),
    View("record of a student", "sessions/{ended}/students/{student}", "teacher"),
    View("board, a note", "sessions/{session}/", "teacher", _menu_of_a_student()),
    View("board, the check-in", "sessions/{session}/", "teacher", _shown("#check-in")),
    View("board, the keys", "sessions/{session}/", "teacher", _shown("#keys")),
    View("board, rows", "sessions/{session}/", "teacher", "document.querySelector('.board-look').click()"),
    View("sign-up, refused", "sign-up", None, "document.querySelector('main form').submit()"),
]


def every_view() -> list[View]:
    return [*_of_the_table(), *STATES]


def sign_in_for(view: View, browser: Browser, server: Server, school: DemoSchool, language: str) -> None:
    sign_in(browser, server, None if view.who is None else school.people[view.who], language)
