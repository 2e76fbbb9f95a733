"""Who may open which page, and send which form, as one table."""

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.urls import get_resolver

from accounts.models import User
from classes.models import Class, Slot
from tests.api.rest import UNKNOWN_ID, School, snapshot, unlimited
from tests.support.database import Unblock
from tests.support.http import Client
from tests.web.people import signed_in

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.one_database("Permissions stand above the database; what they let through, the pages' tests do."),
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests commit nothing, so no mail goes out for which a page could wait."""
    monkeypatch.setattr("accounts.mail.PATIENCE", 0)


WHO = ("nobody", "owner", "other teacher", "student", "other student", "superuser")

#: Leads to the sign-in, which leads back.
IN = "sign-in"
FORM = 400  # a form without its fields comes back
GO = 302
#: Of a class: its teacher and the office; for whoever else teaches, there is no such class; students are told no.
OF_CLASS = (IN, 200, 404, 403, 403, 200)
OFFICE = (IN, 403, 403, 403, 403, 200)
DONE_TO_CLASS = (IN, GO, 404, 403, 403, GO)
FORM_OF_CLASS = (IN, FORM, 404, 403, 403, FORM)

#: The page's name, method, path, and the answer to each of WHO.
TABLE: list[tuple[str, str, str, tuple[int | str, ...]]] = [
    ("home", "GET", "", (GO, 200, 200, 200, 200, 200)),
    ("sign-in", "GET", "sign-in", (200, GO, GO, GO, GO, GO)),
    ("sign-in", "POST", "sign-in", (FORM,) * 6),
    ("sign-up", "GET", "sign-up", (200, GO, GO, GO, GO, GO)),
    ("sign-up", "POST", "sign-up", (FORM,) * 6),
    ("card", "GET", "card", (200,) * 6),
    ("card", "POST", "card", (FORM,) * 6),
    ("school-sign-in", "GET", "sign-in/school", (404,) * 6),  # no provider is set up
    ("school-back", "GET", "sign-in/school/back", (404,) * 6),
    ("sign-out", "POST", "sign-out", (GO,) * 6),
    ("school-sign-out", "GET", "sign-out/school", (404,) * 6),
    ("forgot", "GET", "forgot", (200,) * 6),
    ("forgot", "POST", "forgot", (FORM,) * 6),
    ("reset", "GET", "reset", (200,) * 6),
    ("reset", "POST", "reset", (FORM,) * 6),
    ("token", "POST", "token", (401, 200, 200, 200, 200, 200)),
    ("file", "GET", "files/pages.0.css", (200,) * 6),
    ("trust", "GET", "trust", (404,) * 6),  # the server is not on the network by itself
    ("trust-file", "GET", "trust/certificate", (404,) * 6),
    ("language", "POST", "language", (GO,) * 6),
    ("classes", "GET", "classes/", (IN, 200, 200, 403, 403, 200)),
    ("class-new", "GET", "classes/new", (IN, 200, 200, 403, 403, 200)),
    ("class-new", "POST", "classes/new", (IN, FORM, FORM, 403, 403, FORM)),
    ("class-sample", "POST", "classes/sample", (IN, GO, GO, 403, 403, GO)),
    ("class", "GET", "classes/{class}/", OF_CLASS),
    ("class-start", "POST", "classes/{class}/start", DONE_TO_CLASS),
    ("class-students", "GET", "classes/{class}/students", OF_CLASS),
    ("class-students", "POST", "classes/{class}/students", FORM_OF_CLASS),
    ("class-student", "GET", "classes/{class}/students/{student}", OF_CLASS),
    ("student-remove", "POST", "classes/{class}/students/{student}/remove", DONE_TO_CLASS),
    ("card-void", "POST", "classes/{class}/students/{student}/card/void", (IN, 403, 404, 403, 403, GO)),
    ("class-cards", "GET", "classes/{class}/cards", OF_CLASS),
    ("class-cards", "POST", "classes/{class}/cards", FORM_OF_CLASS),
    ("class-import", "GET", "classes/{class}/import", OF_CLASS),
    ("class-import", "POST", "classes/{class}/import", FORM_OF_CLASS),
    ("class-timetable", "GET", "classes/{class}/timetable", OF_CLASS),
    ("class-timetable", "POST", "classes/{class}/timetable", FORM_OF_CLASS),
    ("class-slot", "GET", "classes/{class}/timetable/1", OF_CLASS),
    ("class-slot", "POST", "classes/{class}/timetable/1", (IN, 412, 404, 403, 403, 412)),
    ("class-opening", "POST", "classes/{class}/timetable/opening", DONE_TO_CLASS),
    ("timetable-import", "GET", "classes/{class}/timetable/import", OF_CLASS),
    ("timetable-import", "POST", "classes/{class}/timetable/import", FORM_OF_CLASS),
    ("class-reports", "GET", "classes/{class}/reports", OF_CLASS),
    ("class-report-file", "GET", "classes/{class}/reports.csv", OF_CLASS),
    ("class-settings", "GET", "classes/{class}/settings", OF_CLASS),
    ("class-settings", "POST", "classes/{class}/settings", FORM_OF_CLASS),
    ("class-choices", "GET", "classes/{class}/settings/board", DONE_TO_CLASS),
    ("class-choices", "POST", "classes/{class}/settings/board", FORM_OF_CLASS),
    ("class-teachers", "GET", "classes/{class}/teachers", DONE_TO_CLASS),
    ("class-teachers", "POST", "classes/{class}/teachers", FORM_OF_CLASS),
    ("teacher-remove", "POST", "classes/{class}/teachers/{nobody}/remove", (IN, 404, 404, 403, 403, 404)),
    ("class-archive", "POST", "classes/{class}/archive", DONE_TO_CLASS),
    ("class-remove", "POST", "classes/{class}/remove", (IN, 409, 404, 403, 403, 409)),
    ("session", "GET", "sessions/{session}/", OF_CLASS),
    ("session-marks", "POST", "sessions/{session}/marks", FORM_OF_CLASS),
    ("session-rest", "POST", "sessions/{session}/rest", FORM_OF_CLASS),
    ("session-undo", "POST", "sessions/{session}/undo", DONE_TO_CLASS),
    ("session-end", "POST", "sessions/{session}/end", DONE_TO_CLASS),
    ("session-reopen", "POST", "sessions/{session}/reopen", (IN, 409, 404, 403, 403, 409)),
    ("session-student", "GET", "sessions/{session}/students/{student}", (IN, 409, 404, 403, 403, 409)),
    ("session-student", "POST", "sessions/{session}/students/{student}", (IN, 409, 404, 403, 403, 409)),
    ("session-import", "GET", "sessions/{session}/import", OF_CLASS),
    ("session-import", "POST", "sessions/{session}/import", FORM_OF_CLASS),
    ("session-print", "GET", "sessions/{session}/print", OF_CLASS),
    ("projector", "GET", "sessions/{session}/project", OF_CLASS),
    ("kiosk", "GET", "sessions/{session}/kiosk", OF_CLASS),
    ("check-in", "GET", "check-in/", (200,) * 6),
    ("scanned", "GET", "check-in/{session}?code=123456", (200,) * 6),
    ("excuses", "GET", "excuses/", (IN, 200, 200, 200, 200, 200)),
    ("excuses", "POST", "excuses/", (IN, 403, 403, FORM, FORM, 403)),
    ("excuse", "POST", "excuses/{nobody}", (IN, 404, 404, 404, 404, 404)),
    ("my-data", "GET", "me/data", (IN, 200, 200, 200, 200, 200)),
    ("my-data-file", "GET", "me/data/file", (IN, 200, 200, 200, 200, 200)),
    ("me", "GET", "me/", (IN, 200, 200, 200, 200, 200)),
    ("me", "POST", "me/", (IN, FORM, FORM, FORM, FORM, FORM)),
    ("password", "GET", "me/password", (IN, GO, GO, GO, GO, GO)),
    ("password", "POST", "me/password", (IN, FORM, FORM, FORM, FORM, FORM)),
    ("everywhere", "POST", "me/sign-out-everywhere", (IN, GO, GO, GO, GO, GO)),
    ("confirm", "GET", "me/confirm", (IN, 200, 200, 200, 200, 200)),
    ("confirm", "POST", "me/confirm", (IN, FORM, FORM, FORM, FORM, FORM)),
    ("confirm-code", "POST", "me/confirm/code", (IN, GO, GO, GO, GO, GO)),
    ("my-class", "GET", "me/classes/{class}", (IN, 403, 403, 200, 403, 403)),
    ("people", "GET", "office/people", OFFICE),
    ("invitations", "GET", "office/invitations", OFFICE),
    ("invitations", "POST", "office/invitations", (IN, 403, 403, 403, 403, FORM)),
    ("invitation-withdraw", "POST", "office/invitations/{nobody}/withdraw", (IN, 403, 403, 403, 403, GO)),
    ("oneroster", "GET", "office/oneroster", OFFICE),
    ("holidays", "GET", "office/holidays", OFFICE),
    ("holidays", "POST", "office/holidays", (IN, 403, 403, 403, 403, FORM)),
    ("holidays-import", "GET", "office/holidays/import", OFFICE),
    ("holidays-import", "POST", "office/holidays/import", (IN, 403, 403, 403, 403, FORM)),
    ("holiday-remove", "POST", "office/holidays/{nobody}/remove", (IN, 403, 403, 403, 403, 404)),
    ("school-report", "GET", "office/report", OFFICE),
    ("office", "GET", "office/", (IN, 403, 403, 403, 403, 200)),
    ("nothing", "GET", "no/such/page", (404,) * 6),
    ("nothing", "POST", "no/such/page", (404,) * 6),
]

CELLS = [
    pytest.param(method, path, who, expected, id=f"{method} /app/{path} by {who}")
    for _, method, path, row in TABLE
    for who, expected in zip(WHO, row, strict=True)
]


class AskedSchool(School):
    """A school with an open lesson, and the browsers of its people, who have signed in."""

    def __post_init__(self) -> None:
        super().__post_init__()
        boss = User(name="Boss", email="boss@example.com", role="teacher", password="!")
        boss.is_staff = boss.is_superuser = True
        boss.save(force_insert=True)
        people = (self.owner, self.other_teacher, self.student, self.other_student, boss)
        self.cookies = {who: signed_in(user).cookies.output() for who, user in zip(WHO[1:], people, strict=True)}
        Slot.objects.create(class_ref=Class.objects.get(), weekday=1, start="09:00", end="10:00")
        self.places = {
            "{class}": self.class_id,
            "{student}": self.student.id,
            "{session}": self.start_session(),
            "{nobody}": UNKNOWN_ID,
        }
        self.before = unlimited(snapshot())


@pytest.fixture(scope="module")
def asked(lasting: Unblock) -> AskedSchool:
    with lasting():
        return AskedSchool()


@pytest.fixture
def ask(db: None, asked: AskedSchool, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], Any]:
    """`ask("GET", "me/", "owner")`: the answer to a person's browser. Whoever is refused has changed nothing."""
    monkeypatch.setattr("accounts.mail._send", lambda message: True)

    def ask(method: str, path: str, who: str) -> Any:
        client = Client(raise_request_exception=False)
        client.cookies = SimpleCookie(asked.cookies.get(who, "").removeprefix("Set-Cookie: "))
        for place, value in asked.places.items():
            path = path.replace(place, value)
        answer = client.generic(method, f"/app/{path}")
        if answer.status_code >= 400:
            assert unlimited(snapshot()) == asked.before
        return answer

    return ask


@pytest.mark.parametrize(("method", "path", "who", "expected"), CELLS)
def test_each_page_answers_each_person_as_the_table_says(
    ask: Callable[[str, str, str], Any], method: str, path: str, who: str, expected: int | str
) -> None:
    answer = ask(method, path, who)
    if expected == IN:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/app/sign-in?next=/app/")
    else:
        assert answer.status_code == expected, answer.content
        assert not (expected == GO and answer["Location"].startswith("/app/sign-in?"))
    # A page is for its person's eyes alone; the files that pages need are everybody's.
    assert ("no-store" in answer["Cache-Control"]) == (not path.startswith("files/"))


def test_every_page_and_form_has_a_row_and_every_row_a_page() -> None:
    patterns: list[Any] = get_resolver().url_patterns
    [pages] = [entry for entry in patterns if str(entry.pattern) == "app/"]
    found = {
        (entry.name, method.upper())
        for entry in pages.url_patterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(entry.callback.view_class, method)
    }
    assert found == {(name, method) for name, method, _, _ in TABLE}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused_in_words(ask: Callable[[str, str, str], Any], method: str) -> None:
    answer = ask(method, "classes/", "owner")
    if method == "OPTIONS":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 405
        assert "cannot be used like that" in answer.content.decode()


#: The rows whose path has an id, each by the office and by somebody else who may open the page.
WITH_IDS = [
    pytest.param(method, path, who, id=f"{method} /app/{path} by {who}")
    for _, method, path, row in TABLE
    if "{" in path
    for who in ("student" if row[WHO.index("owner")] == 403 else "owner", "superuser")
]


@pytest.mark.parametrize(("method", "path", "who"), WITH_IDS)
def test_an_address_with_something_else_in_the_place_of_an_id_breaks_nothing(
    ask: Callable[[str, str, str], Any], asked: AskedSchool, method: str, path: str, who: str
) -> None:
    for place in asked.places:
        for wrong in ("zzz", UNKNOWN_ID) if place in path else ():
            assert ask(method, path.replace(place, wrong), who).status_code < 500, wrong
