"""A whole class checks in while its board is open, and the teacher goes on marking meanwhile.

With PAGES=all (`make test-pages`) the class has 300 students, too.
"""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX

from accounts.models import User
from attendance.check_in import CheckInOptions, Mode
from attendance.check_in_rules import code_now
from attendance.check_ins import check_in_open
from attendance.models import Mark, Session
from classes.models import Class, Enrolment
from core.identity import Role
from tests.e2e.school import sign_in
from tests.support.browser import Browser, needs_chromium
from tests.support.clients import NO_CERTIFICATES, make_token
from tests.support.database import Databases
from tests.support.server import Server, only_serve

pytestmark = [
    needs_chromium,
    only_serve,
    pytest.mark.one_database("What a board shows of marks does not depend on who keeps them."),
    pytest.mark.long,
]

SIZES = (40, 300) if os.environ.get("PAGES") == "all" else (40,)
#: So many phones ask at the same moment.
AT_ONCE = 20
#: Whom the teacher marks: they have no phone.
WITHOUT_PHONE = 3

SHOWN = """
    const board = document.querySelector("attendance-board");
    const statuses = [...board.querySelectorAll(".tile")].map((tile) => [...tile.classList].find((name) =>
      name.startsWith("status-")).slice(7) + (tile.classList.contains("is-waiting") ? " on its way" : ""));
    const counted = (status) => Number(board.querySelector(`.counts .status-${status} b`).textContent);
    return {
      present: statuses.filter((one) => one === "present").length,
      absent: statuses.filter((one) => one === "absent").length,
      counts: [counted("present"), counted("absent"), counted("unmarked")],
      isIn: board.querySelector(".board-in").textContent,
      told: [...board.querySelectorAll(".tile-how")].filter((one) => one.textContent.includes("checked in")).length,
    };
    """


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    with Server(databases.fresh(), LIVE_SESSIONS="per-class") as running, running.clean_log():
        yield running


class Crowd:
    """An open lesson of so many students, with a check-in by a code that stays; some students have no phone."""

    def __init__(self, server: Server, size: int) -> None:
        self.server = server
        server.database.ask(lambda: self._make(size))
        self.with_phone = self.students[WITHOUT_PHONE:]

    def _make(self, size: int) -> None:
        def person(name: str, role: Role) -> User:
            email = f"{name}.of.{size}@example.com".replace(" ", "-").lower()
            return User(name=name, email=email, role=role, password=UNUSABLE_PASSWORD_PREFIX)

        self.teacher = person("Teacher", Role.TEACHER)
        self.teacher.save(force_insert=True)
        self.students = [person(f"Student {number:03}", Role.STUDENT) for number in range(size)]
        User.objects.bulk_create(self.students)
        found = Class.objects.create(name="Lecture", teacher=self.teacher)
        Enrolment.objects.bulk_create([Enrolment(class_ref=found, student=student) for student in self.students])
        self.session = Session.objects.create(class_ref=found, started_by=self.teacher)
        check_in_open(session_id=self.session.id, options=CheckInOptions(mode=Mode.FIXED))
        self.code = code_now(self.session, site=self.server.url).code

    def check_in(self, student: User) -> None:
        """As a phone does, with a connection of its own: half of them scan, half of them type."""
        with httpx.Client(base_url=f"{self.server.url}/api/v2", timeout=60, verify=NO_CERTIFICATES) as phone:
            body = {"code": self.code}
            if self.students.index(student) % 2:
                scan = phone.post("/check-in/claims", json={"session": self.session.id, "code": self.code})
                assert scan.status_code == 201, scan.text
                body = {"claim": scan.json()["data"]["claim"]}
            done = phone.post("/check-in", json=body, headers={"Authorization": make_token(student.id, Role.STUDENT)})
            assert done.status_code == 200, done.text

    def journal(self) -> dict[str, list[str]]:
        """Student → the statuses of their marks, in order."""
        rows = self.server.database.ask(
            lambda: list(Mark.objects.filter(session=self.session).order_by("seq").values_list("student_id", "status"))
        )
        found: dict[str, list[str]] = {}
        for student_id, status in rows:
            found.setdefault(student_id, []).append(status)
        return found


@pytest.mark.parametrize("size", SIZES)
def test_a_board_shows_everybody_who_checks_in_and_its_teacher_goes_on_marking(
    browser: Browser, server: Server, size: int
) -> None:
    crowd = Crowd(server, size)
    sign_in(browser, server, crowd.teacher)
    browser.open(f"{server.url}/app/sessions/{crowd.session.id}/")
    browser.until(lambda _: browser.texts(".board-state") == ["Live"])
    browser.run("window.isTheSamePage = true")
    half = len(crowd.with_phone) // 2
    begun = threading.Event()

    def check_in(number: int) -> None:
        if number == half:
            begun.set()
        crowd.check_in(crowd.with_phone[number])

    with ThreadPoolExecutor(AT_ONCE) as phones:
        asked = phones.map(check_in, range(len(crowd.with_phone)))
        assert begun.wait(60)
        for student in crowd.students[:WITHOUT_PHONE]:
            browser.click(f'[data-student="{student.id}"] .tile-main')
            browser.click(f'[data-student="{student.id}"] .tile-main')
            browser.click(f'[data-student="{student.id}"] .tile-main')
        list(asked)  # raises what a phone was refused

    there = size - WITHOUT_PHONE
    everybody = {
        "present": there,
        "absent": WITHOUT_PHONE,
        "counts": [there, WITHOUT_PHONE, 0],
        "isIn": f"{there} of {size} in",
        "told": there,
    }
    browser.until(lambda _: browser.run(SHOWN) == everybody)
    browser.write("#find", "Student 017")
    browser.until(lambda _: len([name for name in browser.texts(".tile-name") if name]) == 1)
    wanted = {student.id: ["present"] for student in crowd.with_phone}
    wanted |= {student.id: ["present", "late", "absent"] for student in crowd.students[:WITHOUT_PHONE]}
    assert crowd.journal() == wanted
    assert browser.run("return window.isTheSamePage") is True
    browser.assert_clean(server.url, server.url.replace("http", "ws"))
