"""Who gets a socket: where a token may stand, which ones are refused, and that one that goes bad closes its socket."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from accounts.models import User
from classes.models import Class, Enrolment
from core.identity import Role
from tests.realtime.conftest import People
from tests.realtime.contract import NOT_ENROLLED, UNAUTHORIZED, error, marked, mine
from tests.support.clients import (
    FRAME_LIMIT,
    NO_CERTIFICATES,
    PASSWORD,
    Api,
    Person,
    Room,
    Socket,
    make_class,
    make_token,
)
from tests.support.environment import JWT_SECRET
from tests.support.server import Server


def protocols(*names: str) -> dict[str, Any]:
    return {"subprotocols": [Subprotocol(name) for name in names]}


async def test_a_token_may_stand_in_the_query_the_header_or_the_subprotocols(server: Server, room: Room) -> None:
    token = room.students[0].token
    ways: list[tuple[str | None, dict[str, Any]]] = [
        (token, {}),
        (f"Bearer%20{token}", {}),
        (None, {"additional_headers": {"Authorization": token}}),
        (None, {"additional_headers": {"Authorization": f"Bearer {token}"}}),
        (None, {"additional_headers": {"Authorization": f"bearer {token}"}}),
        (None, protocols("attendance.v1", token)),
        ("", {"additional_headers": {"Authorization": token}}),
    ]
    for query, options in ways:
        async with Socket(server.ws_url, query, **options) as socket:
            await socket.send("MY_ATTENDANCE")
            assert await socket.frame() == mine("not yet updated")


async def test_the_accepted_subprotocol_is_attendance_v1_where_it_is_offered(server: Server, room: Room) -> None:
    token = room.teacher.token
    async with Socket(server.ws_url, None, **protocols("attendance.v1", token)) as socket:
        assert socket.connection.subprotocol == "attendance.v1"
    async with Socket(server.ws_url, token, **protocols("attendance.v1")) as socket:
        assert socket.connection.subprotocol == "attendance.v1"
    async with Socket(server.ws_url, token) as socket:
        assert socket.connection.subprotocol is None


def bad_tokens(user_id: str) -> dict[str, tuple[str | None, dict[str, Any]]]:
    """Query and options of connections that nobody may have; the user is a teacher."""
    now = int(time.time())
    good = make_token(user_id, "teacher")
    claims = {"userId": user_id, "role": "teacher", "iat": now, "exp": now + 3600}
    return {
        "none": (None, {}),
        "an empty one": ("", {}),
        "no token at all": ("hello", {}),
        "only Bearer": (None, {"additional_headers": {"Authorization": "Bearer"}}),
        "Basic": (None, {"additional_headers": {"Authorization": "Basic YTpi"}}),
        "another secret": (jwt.encode(claims, "another secret, which is not the server's own", "HS256"), {}),
        "another algorithm": (jwt.encode(claims, JWT_SECRET + "x" * 24, "HS512"), {}),
        "no signature": (jwt.encode(claims, "", "none"), {}),
        "cut": (good[:-2], {}),
        "expired": (make_token(user_id, "teacher", iat=now - 100, exp=now - 50), {}),
        "no expiry": (jwt.encode({"userId": user_id, "role": "teacher"}, JWT_SECRET, "HS256"), {}),
        "a user who does not exist": (make_token("0" * 24, "teacher"), {}),
        "a user id of another kind": (make_token("abc", "teacher"), {}),
        "another role": (make_token(user_id, "student"), {}),
        "an old version": (make_token(user_id, "teacher", ver=7), {}),
        "a bad one in the subprotocols": (None, protocols("attendance.v1", "hello")),
        "attendance.v1 alone": (None, protocols("attendance.v1")),
        "behind another subprotocol": (None, protocols("attendance.v2", good)),
    }


@pytest.mark.parametrize("kind", bad_tokens("0" * 24))
async def test_a_bad_token_is_told_so_and_its_socket_closed(server: Server, room: Room, kind: str) -> None:
    query, options = bad_tokens(room.teacher.id)[kind]
    async with (
        Socket(server.ws_url, query, **options) as stranger,
        Socket(server.ws_url, room.teacher.token) as teacher,
    ):
        await teacher.mark(room.students[0].id)
        await teacher.frame()
        assert await stranger.rest() == [error(UNAUTHORIZED)]
        assert await stranger.close_code() == 4401


async def test_what_a_refused_socket_sends_is_not_heeded(server: Server, room: Room) -> None:
    async with (
        Socket(server.ws_url, make_token(room.teacher.id, "teacher", exp=1)) as stranger,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        with contextlib.suppress(ConnectionClosed):
            await stranger.mark(room.students[0].id)
            await stranger.send("DONE")
        assert await stranger.rest() == [error(UNAUTHORIZED)]
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("not yet updated")


async def test_a_token_that_expires_closes_its_socket(server: Server, room: Room) -> None:
    expiry = int(time.time()) + 3
    brief = make_token(room.teacher.id, "teacher", exp=expiry)
    async with (
        Socket(server.ws_url, brief) as brief_socket,
        Socket(server.ws_url, room.teacher.token) as teacher,
        Socket(server.ws_url, room.students[0].token) as student,
    ):
        assert await brief_socket.rest() == [error(UNAUTHORIZED)]
        assert await brief_socket.close_code() == 4401
        assert time.time() > expiry - 1  # so it was let in, and closed no sooner than the loop's timers are precise
        for socket in (teacher, student):
            await socket.hears_nothing()


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def change_role(user: User) -> None:
    user.role = Role.STUDENT
    user.save()


def change_password(user: User) -> None:
    user.set_password("something else")
    user.save()


def delete(user: User) -> None:
    Class.objects.filter(teacher=user).delete()
    user.delete()


CHANGES = {
    "disabled": disable,
    "another role": change_role,
    "another password": change_password,
    "deleted": delete,
}


async def change_elsewhere(server: Server, person: Person, change: Callable[[User], None]) -> None:
    """Changes the account in another process than the server: in the tests' own."""
    await asyncio.to_thread(server.database.ask, lambda: change(User.objects.get(pk=person.id)))


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_of_an_account_by_another_process_closes_its_sockets(
    server: Server, api: Api, people: People, change: str
) -> None:
    person = api.signup("teacher")
    token = api.login(person)
    made_elsewhere = make_token(person.id, "teacher", iat=int(time.time()) - 1)
    async with (
        Socket(server.ws_url, token) as first,
        Socket(server.ws_url, made_elsewhere) as second,
        Socket(server.ws_url, people.students[0].token) as bystander,
    ):
        await first.hears_nothing()
        await second.hears_nothing()
        await change_elsewhere(server, person, CHANGES[change])
        for socket in (first, second):
            assert await socket.rest() == [error(UNAUTHORIZED)]
            assert await socket.close_code() == 4401
        await bystander.hears_nothing()
    async with Socket(server.ws_url, token) as again:
        assert await again.rest() == [error(UNAUTHORIZED)]


class Browser:
    """Somebody's browser, in which they have signed in to the pages."""

    def __init__(self, server: Server, person: Person) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=60, verify=NO_CERTIFICATES)
        page = self.http.get("/app/sign-in").text
        form = {"login": person.email, "password": PASSWORD}
        assert self.post("/app/sign-in", page, **form).headers["Location"] == "/app/"

    def post(self, path: str, page: str = "", **form: str) -> httpx.Response:
        value = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page or self.http.get("/app/me/").text)
        assert value is not None
        return self.http.post(path, data={**form, "csrfmiddlewaretoken": value[1]})

    def token(self) -> str:
        return str(self.post("/app/token").json()["token"])


async def test_signing_out_of_the_pages_closes_the_sockets_of_that_browser_and_no_others(
    server: Server, api: Api
) -> None:
    person = api.signup("teacher")
    here, there = Browser(server, person), Browser(server, person)
    tokens = [here.token(), here.token(), there.token(), api.login(person)]
    async with contextlib.AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(Socket(server.ws_url, token)) for token in tokens]
        assert (await asyncio.to_thread(here.post, "/app/sign-out")).headers["Location"] == "/app/sign-in"
        for socket in sockets[:2]:
            assert await socket.rest() == [error(UNAUTHORIZED)]
            assert await socket.close_code() == 4401
        for socket in sockets[2:]:
            await socket.hears_nothing()
    async with Socket(server.ws_url, tokens[0]) as again:
        assert await again.rest() == [error(UNAUTHORIZED)]
    for browser in (here, there):
        browser.http.close()


async def test_signing_out_closes_the_sockets_of_that_token_and_everywhere_all_of_the_persons(
    server: Server, api: Api, people: People
) -> None:
    person = api.signup("teacher")
    here, there = api.login(person), api.login(person)
    assert here != there
    made_elsewhere = make_token(person.id, "teacher", iat=int(time.time()) - 1)

    def sign_out(token: str, **body: bool) -> None:
        answer = api.http.post("/auth/logout", json=body, headers={"Authorization": token})
        assert answer.status_code == 200, answer.text

    async with (
        Socket(server.ws_url, here) as first,
        Socket(server.ws_url, there) as second,
        Socket(server.ws_url, made_elsewhere) as third,
        Socket(server.ws_url, people.students[0].token) as bystander,
    ):
        await first.hears_nothing()
        await asyncio.to_thread(sign_out, here)
        assert await first.rest() == [error(UNAUTHORIZED)]
        assert await first.close_code() == 4401
        for socket in (second, third):
            await socket.hears_nothing()
        await asyncio.to_thread(sign_out, there, everywhere=True)
        for socket in (second, third):
            assert await socket.rest() == [error(UNAUTHORIZED)]
            assert await socket.close_code() == 4401
        await bystander.hears_nothing()
    async with Socket(server.ws_url, here) as again:
        assert await again.rest() == [error(UNAUTHORIZED)]


async def test_a_teacher_who_loses_the_account_in_the_midst_of_marking_is_stopped(
    server: Server, api: Api, people: People
) -> None:
    room = make_class(api.signup("teacher"), people.students[:1])
    student_id = room.students[0].id
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.mark(student_id)
        frames = [await teacher.frame()]
        changing = asyncio.create_task(change_elsewhere(server, room.teacher, disable))
        async with asyncio.timeout(FRAME_LIMIT):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await teacher.mark(student_id)
                    frames.append(await teacher.frame())
        frames += await teacher.rest()
        assert frames == [marked(student_id)] * (len(frames) - 1) + [error(UNAUTHORIZED)]
        assert await teacher.close_code() == 4401
        await changing


async def test_a_student_taken_off_the_roster_by_another_process_cannot_be_marked_a_second_later(
    server: Server, people: People, room: Room
) -> None:
    first, second = room.students
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        row = {"class_ref_id": room.class_id, "student_id": first.id}
        await asyncio.to_thread(server.database.ask, lambda: Enrolment.objects.get(**row).delete())
        async with asyncio.timeout(FRAME_LIMIT):
            frame = marked(first.id)
            while frame == marked(first.id):
                await teacher.mark(first.id)
                frame = await teacher.frame()
        assert frame == error(NOT_ENROLLED)
        await teacher.mark(second.id)
        assert await teacher.frame() == marked(second.id)


async def test_a_student_enrolled_by_another_process_can_be_marked_at_once(
    server: Server, people: People, room: Room
) -> None:
    third = people.students[2]
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, third.token) as student:
        row = {"class_ref_id": room.class_id, "student_id": third.id}
        await asyncio.to_thread(server.database.ask, lambda: Enrolment.objects.create(**row))
        await teacher.mark(third.id)
        assert await teacher.frame() == marked(third.id)
        await student.frame()
        await student.send("MY_ATTENDANCE")
        assert await student.frame() == mine("present")


async def test_a_path_without_sockets_is_refused_with_403(server: Server, room: Room) -> None:
    for path in ("/wss", "/ws/x", "/ws//", "/w", "/socket", "/auth/me"):
        with pytest.raises(InvalidStatus) as refused:
            async with Socket(server.ws_url.removesuffix("/ws") + path, room.teacher.token):
                pass
        assert refused.value.response.status_code == 403


async def test_clients_that_hang_up_in_the_midst_of_connecting_leave_nothing_behind(server: Server, room: Room) -> None:
    request = (
        f"GET /ws?token={room.teacher.token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request.encode())
        await writer.drain()
        writer.transport.abort()
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        await teacher.mark(room.students[0].id)
        assert await teacher.frame() == marked(room.students[0].id)
