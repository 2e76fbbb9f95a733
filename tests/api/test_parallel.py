"""Many requests at once to a real server process: one winner, the others told so, and never a crash."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from accounts.models import User
from attendance.enums import SessionState
from attendance.models import Attendance, Focus, Session
from classes.models import Class, Enrolment
from core.ids import new_id
from core.times import now
from tests.support.clients import MANY, NO_CERTIFICATES, PASSWORD, Api, Room, at_once
from tests.support.environment import REAL_SETTINGS
from tests.support.server import Server

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def _no_crash(server: Server) -> Iterator[None]:
    """After each test: nothing in the server's log is a crash or a database that was busy."""
    yield
    log = server.log_text()
    assert "Traceback" not in log
    assert "database is locked" not in log


def test_parallel_starts_of_one_class_are_one_session(server: Server, api: Api) -> None:
    room = api.make_room(students=0, start=False)
    answers = at_once(lambda _: room.teacher.post("/attendance/start", {"classId": room.class_id}))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["data"]["classId"] == room.class_id
    assert server.database.states(room.class_id) == ["open"]


def test_parallel_starts_of_several_classes_are_one_session_each(server: Server, api: Api) -> None:
    teacher = api.signup("teacher")
    classes = [teacher.data("POST", "/class", {"className": f"Class {number}"})["_id"] for number in range(8)]
    answers = at_once(lambda number: teacher.post("/attendance/start", {"classId": classes[number % 8]}))
    assert {answer.status_code for answer in answers} == {200}
    told = {(answer.json()["data"]["classId"], answer.json()["data"]["startedAt"]) for answer in answers}
    assert sorted(class_id for class_id, _ in told) == sorted(classes)
    assert [server.database.states(class_id) for class_id in classes] == [["open"]] * len(classes)
    (focus,) = server.database.ask(lambda: list(Focus.objects.values_list("session__class_ref_id", flat=True)))
    assert focus in classes


def test_parallel_additions_of_one_student_are_one_enrolment(server: Server, api: Api) -> None:
    teacher, student = api.signup("teacher"), api.signup("student")
    room = Room(teacher, teacher.data("POST", "/class", {"className": "Physics"})["_id"], [student])
    path = f"/class/{room.class_id}/add-student"
    answers = at_once(lambda _: teacher.post(path, {"studentId": student.id}))
    assert {answer.status_code for answer in answers} == {200}
    assert {tuple(answer.json()["data"]["studentIds"]) for answer in answers} == {(student.id,)}
    assert server.database.ask(Enrolment.objects.filter(class_ref_id=room.class_id).count) == 1


def test_of_parallel_signups_with_one_email_one_wins(server: Server, api: Api) -> None:
    def signup(number: int) -> httpx.Response:
        email = ("race@example.com", "RACE@example.com")[number % 2]
        body = {"name": f"Racer {number}", "email": email, "password": "secret1", "role": "student"}
        return api.http.post("/auth/signup", json=body)

    answers = at_once(signup)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] + [400] * (MANY - 1)
    taken = {"success": False, "error": "Email already exists"}
    assert all(answer.json() == taken for answer in answers if answer.status_code == 400)
    (winner,) = [answer.json()["data"] for answer in answers if answer.status_code == 201]
    found = User.objects.filter(email_key="race@example.com").values("id", "name", "email")
    assert server.database.ask(lambda: list(found)) == [
        {"id": winner["_id"], **{key: winner[key] for key in ("name", "email")}}
    ]


def test_parallel_requests_of_every_kind_all_succeed(server: Server, api: Api) -> None:
    room = api.make_room(students=1)
    kinds: list[Callable[[], httpx.Response]] = [
        lambda: room.teacher.post("/class", {"className": "Parallel"}),
        lambda: room.teacher.get("/students"),
        lambda: room.students[0].get(f"/class/{room.class_id}"),
        lambda: room.students[0].get(f"/class/{room.class_id}/my-attendance"),
        lambda: room.teacher.post("/attendance/start", {"classId": room.class_id}),
        lambda: room.students[0].get("/auth/me"),
        lambda: api.http.get("/readyz"),
        lambda: room.teacher.post(f"/class/{room.class_id}/add-student", {"studentId": room.students[0].id}),
    ]
    answers = at_once(lambda number: kinds[number % len(kinds)]())
    assert {answer.status_code for answer in answers} == {200, 201}
    made = [answer.json()["data"]["_id"] for answer in answers if answer.status_code == 201]
    assert len(set(made)) == MANY / len(kinds)
    assert server.database.ask(Class.objects.filter(name="Parallel").count) == len(made)


@pytest.mark.one_database("Who waits for whose hash is a matter of threads.")
def test_logins_that_wait_for_their_hashes_keep_no_other_request_waiting(make_server: Callable[..., Server]) -> None:
    server = make_server(HTTP_THREADS="1", **REAL_SETTINGS)
    api = Api(server.url)
    people = [api.signup("student") for _ in range(4)]
    done: list[int] = []

    def login(number: int) -> httpx.Response:
        body = {"email": people[number % len(people)].email, "password": PASSWORD}
        answer = httpx.post(f"{server.url}/auth/login", json=body, timeout=60, verify=NO_CERTIFICATES)
        done.append(number)
        return answer

    with ThreadPoolExecutor(MANY) as threads:
        logins = [threads.submit(login, number) for number in range(MANY)]
        logins[0].result()  # the others are there as well, or soon will be
        assert people[0].get("/auth/me").status_code == 200
        assert people[0].get("/auth/me").status_code == 200
        assert len(done) < MANY
    assert {each.result().status_code for each in logins} == {200}
    api.close()


def make_history(room: Room) -> None:
    """Forty lessons of the class with a hundred students more: its report as a workbook takes a while."""
    keys = [new_id() for _ in range(100)]
    people = [User(id=key, name=key, email=f"{key}@example.com", email_key=f"{key}@example.com") for key in keys]
    User.objects.bulk_create(people)
    for number in range(40):
        at = now() - timedelta(days=number + 1)
        held = Session.objects.create(
            class_ref_id=room.class_id,
            started_by_id=room.teacher.id,
            started_at=at,
            ended_at=at,
            state=SessionState.ENDED,
        )
        records = [Attendance(session=held, class_ref=held.class_ref, student=one, status="present") for one in people]
        Attendance.objects.bulk_create(records)


@pytest.mark.one_database("Who waits for whose report is a matter of threads.")
def test_a_flood_of_reports_keeps_no_other_request_waiting_and_no_other_report_to_its_end(
    make_server: Callable[..., Server],
) -> None:
    pytest.importorskip("dialects.v2")
    server = make_server(HTTP_THREADS="1")
    api = Api(server.url)
    room, other = (api.make_room(1, start=False) for _ in range(2))
    server.database.ask(lambda: make_history(room))
    done: list[int] = []

    def report(number: int) -> httpx.Response:
        answer = httpx.get(
            f"{server.url}/api/v2/classes/{room.class_id}/report?format=xlsx",
            headers={"Authorization": room.teacher.token},
            timeout=120,
            verify=NO_CERTIFICATES,
        )
        done.append(number)
        return answer

    with ThreadPoolExecutor(MANY // 2) as threads:
        reports = [threads.submit(report, number) for number in range(MANY // 2)]
        reports[0].result()  # the others are there as well, or soon will be
        assert other.teacher.get("/auth/me").status_code == 200
        assert other.teacher.get(f"/api/v2/classes/{other.class_id}/report").status_code == 200
        assert len(done) < MANY // 2
    assert {each.result().status_code for each in reports} == {200}
    api.close()


@pytest.mark.one_database("Who waits for whose hash is a matter of threads.")
def test_a_flood_of_logins_to_one_account_does_not_delay_another_accounts_single_login(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(**REAL_SETTINGS)
    api = Api(server.url)
    flooder, single = api.signup("student"), api.signup("student")
    done: list[int] = []

    def login(client: httpx.Client, email: str) -> httpx.Response:
        return client.post("/auth/login", json={"email": email, "password": PASSWORD})

    def flood(number: int) -> httpx.Response:
        answer = login(flooding, flooder.email)
        done.append(number)
        return answer

    with (
        httpx.Client(
            base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=MANY), verify=NO_CERTIFICATES
        ) as flooding,
        ThreadPoolExecutor(MANY) as threads,
    ):
        logins = [threads.submit(flood, number) for number in range(MANY)]
        logins[0].result()
        before = len(done)
        assert login(api.http, single.email).status_code == 200
        assert len(done) - before < (MANY - before) // 2
        assert {each.result().status_code for each in logins} == {200}
    api.close()
