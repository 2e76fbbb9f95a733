"""A class of 300 behind one address checks in and mistypes a third of its passwords: nobody is refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.models import User
from accounts.passwords import hash_password
from classes.models import Class, Enrolment
from core.ids import new_id
from tests.support.clients import PASSWORD, Api, Socket, make_token
from tests.support.database import Databases
from tests.support.server import Server

pytestmark = [
    pytest.mark.long,
    pytest.mark.one_database("It is about how much is refused; what counts it is tested on each database."),
]

CLASS = 300
AT_ONCE = 30


@pytest.fixture(scope="module")
def server(databases: Databases) -> Iterator[Server]:
    """As a school has it."""
    with Server(databases.fresh()) as running:
        yield running
        running.assert_clean()


async def test_a_class_at_nine_notices_no_limit(server: Server, api: Api) -> None:
    def make() -> tuple[str, str, list[User]]:
        def person(role: str) -> User:
            key = new_id()
            email = f"{key}@example.com"
            return User(id=key, name=f"{role} {key}", email=email, email_key=email, role=role, password=password)

        password = hash_password(PASSWORD)
        people = User.objects.bulk_create([person("teacher"), *(person("student") for _ in range(CLASS))])
        made = Class.objects.create(name="Physics", teacher=people[0])
        Enrolment.objects.bulk_create([Enrolment(class_ref=made, student=student) for student in people[1:]])
        return made.id, people[0].id, people[1:]

    class_id, teacher_id, students = server.database.ask(make)
    token = make_token(teacher_id, "teacher")
    headers = {"Authorization": token}
    assert api.http.post("/attendance/start", json={"classId": class_id}, headers=headers).status_code == 200

    def sign_in(number: int) -> tuple[list[int], str]:
        body = {"email": students[number].email, "password": PASSWORD}
        tries = [{**body, "password": "mistyped"}, body] if number % 3 == 0 else [body]
        answers = [api.http.post("/auth/login", json=each) for each in tries]
        own = answers[-1].json()["data"]["token"]
        me = api.http.get("/auth/me", headers={"Authorization": own})
        return [*(answer.status_code for answer in answers), me.status_code], own

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        outcomes = list(crowd.map(sign_in, range(CLASS)))
    assert [statuses for statuses, _ in outcomes] == [
        [400, 200, 200] if number % 3 == 0 else [200, 200] for number in range(CLASS)
    ]

    sockets = [Socket(server.ws_url, own) for _, own in outcomes]
    try:
        for socket in sockets:
            await socket.__aenter__()
        async with Socket(server.ws_url, token) as teacher:
            for student in students:  # the whole class at once
                await teacher.mark(student.id)
            frames = await teacher.frames(CLASS)
            assert {frame["event"] for frame in frames} == {"ATTENDANCE_MARKED"}
            for socket in sockets:
                await socket.send("SYNC")
                await socket.send("MY_ATTENDANCE")
            for socket in sockets:
                while (frame := await socket.frame())["event"] != "MY_ATTENDANCE":
                    assert frame["event"] in ("ATTENDANCE_MARKED", "SYNC"), frame
                assert frame["data"] == {"status": "present"}
            await teacher.send("DONE")
            assert (await teacher.frame())["data"]["present"] == CLASS
    finally:
        for socket in sockets:
            await socket.__aexit__()
