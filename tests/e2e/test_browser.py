"""What people open in a browser, in a real Chromium: the API's pages, the admin, and pages of other origins."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from accounts.models import User
from tests.realtime.contract import done, marked
from tests.support.browser import Browser, Site, needs_chromium
from tests.support.clients import PASSWORD, Api, Person, Room, Socket
from tests.support.database import Databases
from tests.support.node import CLIENTS, install_packages, needs_node
from tests.support.server import Server

pytestmark = [
    needs_chromium,
    pytest.mark.one_database("What a browser shows of an answer does not depend on who gave the rows."),
    pytest.mark.long,
]

PAGE = {"/": CLIENTS / "page.html"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Another origin than the server's, with one page."""
    with Site(PAGE) as running:
        yield running


# The API's pages

OPERATIONS = """
return [...document.querySelectorAll(".opblock")].map((block) => [
  block.querySelector(".opblock-summary-method").textContent,
  block.querySelector(".opblock-summary-path").dataset.path,
]);
"""


@pytest.fixture
def docs(browser: Browser, server: Server) -> Browser:
    """The browser, which shows the API's page."""
    browser.open(f"{server.url}/api-docs")
    browser.find(".opblock")
    return browser


def test_the_api_docs_show_every_route_of_every_protocol(docs: Browser, server: Server) -> None:
    schema = httpx.get(f"{server.url}/api-docs/schema").json()
    described = [(method.upper(), path) for path, methods in schema["paths"].items() for method in methods]
    for operation in (("GET", "/auth/me"), ("GET", "/api/v1/auth/me"), ("POST", "/api/student/verify-otp")):
        assert operation in described
    shown = docs.run(OPERATIONS)
    assert sorted(map(tuple, shown)) == sorted(described)
    shown_tags = [text.splitlines()[0] for text in docs.texts(".opblock-tag")]  # a tag's summary is below its name
    assert sorted(shown_tags) == ["attentrack", "canonical", "v1", "v2"]
    assert docs.texts(".errors-wrapper, .failed-config, .version-pragma__message") == []
    docs.assert_clean(server.url)


def try_out(docs: Browser, path: str, body: str | None = None) -> tuple[str, str]:
    """Has the page ask, as a reader would; the status and the body that it shows. Only for a path of one method."""
    operation = f'.opblock:has(.opblock-summary-path[data-path="{path}"])'
    docs.click(f"{operation} .opblock-summary-control")
    docs.click(f"{operation} .try-out__btn")
    if body is not None:
        docs.write(f"{operation} textarea.body-param__text", body)
    docs.click(f"{operation} .execute")
    answer = f"{operation} .live-responses-table .response"
    return docs.find(f"{answer} .response-col_status").text, docs.find(f"{answer} .highlight-code").text


def test_the_api_docs_try_routes_out(docs: Browser, server: Server, api: Api) -> None:
    person = api.signup("student")
    status, shown = try_out(docs, "/auth/login", f'{{"email": "{person.email}", "password": "{PASSWORD}"}}')
    assert status == "200"
    token = shown.split('"token": "')[1].split('"')[0]
    docs.click(".auth-wrapper .authorize")
    form = '//*[@class="auth-container"][.//code="token"]'
    docs.write(f"{form}//input", token)
    docs.click(f'{form}//button[text()="Authorize"]')
    docs.click(f'{form}//button[text()="Close"]')
    status, shown = try_out(docs, "/auth/me")
    assert status == "200"
    assert person.id in shown
    assert person.email in shown
    docs.assert_clean(server.url)


# The admin


@pytest.fixture
def admin(browser: Browser, server: Server) -> Browser:
    """The browser, in which an administrator has just signed in."""
    email = f"root.{time.time_ns()}@example.com"
    server.database.ask(lambda: User.objects.create_superuser(email, PASSWORD, name="Root"))
    browser.open(f"{server.url}/admin/")
    browser.write("#id_username", email)
    browser.write("#id_password", PASSWORD)
    browser.click("[type=submit]")
    assert email in browser.find("#user-tools").text.lower()
    return browser


@pytest.fixture
async def finished(server: Server, api: Api) -> Room:
    """A class after its lesson: the first student was present, the second had no mark."""
    room = api.make_room(2)
    async with Socket(server.ws_url, room.teacher.token) as socket:
        await socket.mark(room.students[0].id)
        await socket.send("DONE")
        assert await socket.frames(2) == [marked(room.students[0].id), done(1, 1)]
    return room


def my_attendance(room: Room) -> list[str]:
    """What REST tells each student."""
    path = f"/class/{room.class_id}/my-attendance"
    return [student.data("GET", path)["status"] for student in room.students]


def row(person: Person) -> str:
    """In one of the admin's lists, the row with this person's e-mail."""
    return f'//*[@id="result_list"]//tr[contains(., "{person.email}")]'


def test_an_administrator_sees_a_lesson_and_corrects_a_record(admin: Browser, server: Server, finished: Room) -> None:
    present, absent = finished.students
    admin.click(".model-session th a")
    admin.find(row(finished.teacher))
    columns = ("standing", "last_seq", "present_count", "absent_count", "students")
    shown = [admin.texts(f'{row(finished.teacher)}/td[contains(@class, "field-{column}")]') for column in columns]
    assert shown == [["Ended"], ["1"], ["1"], ["1"], ["2"]]
    admin.click(f"{row(finished.teacher)}//a")
    assert "1 present, 1 absent, 2 in total" in admin.find(".field-counts").text
    admin.click('//a[text()="its records"]')
    assert "Present" in admin.find(row(present)).text
    assert "Absent" in admin.find(row(absent)).text
    assert len(admin.texts("#result_list tbody tr")) == 2

    assert my_attendance(finished) == ["present", "absent"]
    admin.click(f"{row(absent)}//a")
    admin.click('#id_status option[value="late"]')
    admin.click("[name=_save]")
    assert "was changed successfully" in admin.find(".messagelist").text
    assert "Late" in admin.find(row(absent)).text
    assert my_attendance(finished) == ["present", "present"]
    assert server.database.journal(finished.class_id) == [(1, present.id, "present"), (2, absent.id, "late")]
    admin.assert_clean(server.url)


def test_an_administrator_finds_a_student_by_name_and_enrols_them(
    admin: Browser, server: Server, finished: Room, api: Api
) -> None:
    newcomer = api.signup("student", f"Newcomer {time.time_ns()}")
    admin.click(".model-class th a")
    admin.click(f"{row(finished.teacher)}//a")
    admin.click("#enrolments-group summary")
    admin.click(".add-row a")
    admin.click("#enrolments-0 .select2-selection")
    admin.write(".select2-search__field", newcomer.name)
    # Nobody else is found.
    admin.click(f'//li[contains(@class, "select2-results__option")][count(../li)=1][contains(., "{newcomer.email}")]')
    admin.click("[name=_save]")
    assert "was changed successfully" in admin.find(".messagelist").text
    students = finished.teacher.data("GET", f"/class/{finished.class_id}")["students"]
    assert [student["_id"] for student in students] == [person.id for person in (*finished.students, newcomer)]
    admin.assert_clean(server.url)


# Pages of other origins. In these scripts `given` are the arguments; the rest is in page.html.


def sign_in(browser: Browser, server: Server, site: Site, person: Person) -> str:
    """Opens a tab with the site's page, which logs in and asks who it is; the tab. The page keeps its `token`."""
    tab = browser.tab()
    browser.open(f"{site.origin}/")
    login = "window.token = (await rest('POST', `${given[0]}/auth/login`, '', given[1])).token;"
    browser.run(login, server.url, {"email": person.email, "password": PASSWORD})
    assert browser.run("return (await rest('GET', `${given[0]}/auth/me`, token))._id;", server.url) == person.id
    return tab


LISTEN = "window[given[0]] = await listen(`${given[1]}?token=${token}`);"
LISTEN_QUIETLY = "window[given[0]] = await listen(given[1], ['attendance.v1', token]);"
SAY = "desk.send(JSON.stringify(given[0])); return await desk.hear();"


def test_pages_of_any_origin_take_part_by_default(browser: Browser, server: Server, api: Api, site: Site) -> None:
    room = api.make_room(2)
    mark = marked(room.students[0].id)
    teachers = sign_in(browser, server, site, room.teacher)
    browser.run(LISTEN, "desk", server.ws_url)
    students = sign_in(browser, server, site, room.students[0])
    browser.run(LISTEN, "phone", server.ws_url)
    browser.run(LISTEN_QUIETLY, "tablet", server.ws_url)
    assert browser.run("return [phone.protocol, tablet.protocol];") == ["", "attendance.v1"]

    browser.to(teachers)
    assert browser.run(SAY, mark) == mark
    assert browser.run(SAY, {"event": "DONE"}) == done(1, 1)
    browser.to(students)
    for device in ("phone", "tablet"):
        heard = browser.run("const {hear} = window[given[0]]; return [await hear(), await hear()];", device)
        assert heard == [mark, done(1, 1)]
    assert my_attendance(room) == ["present", "absent"]
    browser.assert_clean(site.origin, server.url, server.url.replace("http", "ws"))


@pytest.fixture(scope="module")
def listing(site: Site, databases: Databases) -> Iterator[Server]:
    """A server that lists the origin of `site`."""
    running = Server(databases.fresh(), ALLOWED_ORIGINS=f"https://school.example, {site.origin}").start()
    yield running
    running.close()
    running.assert_clean()


def test_pages_of_a_listed_origin_take_part(browser: Browser, listing: Server, site: Site) -> None:
    with closing(Api(listing.url)) as api:
        room = api.make_room(1)
        mark = marked(room.students[0].id)
        sign_in(browser, listing, site, room.teacher)
        browser.run(LISTEN, "desk", listing.ws_url)
        browser.run(LISTEN_QUIETLY, "tablet", listing.ws_url)
        assert browser.run(SAY, mark) == mark
        assert browser.run(SAY, {"event": "DONE"}) == done(1, 0)
        assert browser.run("return [await tablet.hear(), await tablet.hear()];") == [mark, done(1, 0)]
        assert my_attendance(room) == ["present"]
    browser.assert_clean(site.origin, listing.url, listing.url.replace("http", "ws"))


def test_pages_of_an_origin_that_is_not_listed_are_refused(browser: Browser, listing: Server) -> None:
    with closing(Api(listing.url)) as api:
        token = api.signup("teacher").token
    ask = "return await rest('GET', ...given).catch((error) => error.name);"
    connect = "return await listen(...given).then(() => 'open', (error) => error.message);"
    with Site(PAGE) as other:
        browser.open(f"{other.origin}/")
        # Asked at once, after a preflight, and by Socket.IO.
        for path, given in (("/healthz", ""), ("/auth/me", token), ("/socket.io/?EIO=4&transport=polling", "")):
            assert browser.run(ask, listing.url + path, given) == "TypeError"
        assert browser.run(connect, f"{listing.ws_url}?token={token}") == "closed with 1006"
        assert browser.run(connect, listing.ws_url, ["attendance.v1", token]) == "closed with 1006"
    browser.until(lambda seen: sum("blocked by CORS policy" in error for error in seen.errors) == 3)
    browser.until(lambda seen: sum("Unexpected response code: 403 ws" in failure for failure in seen.failures) == 2)


def test_a_page_of_another_origin_reads_nothing_of_the_admin(admin: Browser, server: Server, site: Site) -> None:
    ask = "return await fetch(given[0], {credentials: 'include'}).then(({url}) => url, (error) => error.name);"
    assert admin.run(ask, f"{server.url}/admin/") == f"{server.url}/admin/"
    admin.open(f"{site.origin}/")
    assert admin.run(ask, f"{server.url}/admin/") == "TypeError"


# Socket.IO


@pytest.fixture(scope="module")
def chat() -> Iterator[Site]:
    """A site that has socket.io-client."""
    install_packages(CLIENTS)
    bundle = CLIENTS / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"
    with Site({**PAGE, "/socket.io.js": bundle}) as running:
        yield running


def connect(browser: Browser, server: Server, chat: Site, **options: Any) -> str:
    """Opens a tab with a Socket.IO client, `socket`, as it comes: it polls, then has a WebSocket; the tab."""
    tab = browser.tab()
    browser.open(f"{chat.origin}/")
    browser.run("await load('/socket.io.js');")
    browser.run("window.socket = await connect(...given);", server.url, options)
    assert browser.run("return socket.ways;") == ["polling", "websocket"]
    return tab


CALL = "return await socket.call(...given);"
HEAR = "return await socket.hear();"


@needs_node
def test_socketio_events_reach_a_page(browser: Browser, server: Server, api: Api, chat: Site) -> None:
    room = api.make_room(1)
    (student,) = room.students
    teachers = connect(browser, server, chat, query={"token": room.teacher.token})
    students = connect(browser, server, chat, query={"token": student.token})
    browser.to(teachers)
    mark = browser.run(CALL, "MARK_ATTENDANCE", {"studentId": student.id})
    assert mark == {"studentId": student.id, "status": "present"}
    end = browser.run(CALL, "DONE")
    assert (end["presentCount"], end["totalStudents"]) == (1, 1)
    browser.to(students)
    assert browser.run(HEAR) == ["ATTENDANCE_MARKED", mark]
    assert browser.run(HEAR) == ["SESSION_ENDED", end]
    browser.assert_clean(chat.origin, server.url, server.url.replace("http", "ws"))


@needs_node
def test_socketio_rooms_reach_a_page(browser: Browser, server: Server, api: Api, chat: Site) -> None:
    room = api.make_room(1)
    (student,) = room.students
    teachers = connect(browser, server, chat, auth={"token": room.teacher.token})
    session = {"session_id": room.class_id, "class_id": room.class_id}
    browser.run(CALL, "startAttendanceSession", session)
    students = connect(browser, server, chat, auth={"token": student.token})
    joined = browser.run(CALL, "joinAttendanceSession", session)
    assert browser.run(HEAR) == ["attendanceSessionJoined", joined]
    browser.to(teachers)
    record = browser.run(CALL, "markStudentPresent", {**session, "student_id": student.id})["attendanceRecord"]
    assert (record["student_name"], record["status"]) == (student.name, "present")
    browser.to(students)
    event, update = browser.run(HEAR)
    assert (event, update["attendanceRecord"]) == ("attendanceUpdated", record)
    browser.assert_clean(chat.origin, server.url, server.url.replace("http", "ws"))


# The browser of these tests


def test_the_browser_reaches_nothing_but_this_machine(browser: Browser, site: Site) -> None:
    browser.open(f"{site.origin}/")
    ask = "return await fetch(given[0], {mode: 'no-cors'}).then(() => 'an answer', (error) => error.name);"
    assert browser.run(ask, site.origin) == "an answer"
    named = site.origin.replace("127.0.0.1", "localhost")  # somebody answers there: only the name is unknown
    assert browser.run(ask, named) == "TypeError"
    browser.until(lambda seen: seen.failures == [f"net::ERR_NAME_NOT_RESOLVED {named}/"])
