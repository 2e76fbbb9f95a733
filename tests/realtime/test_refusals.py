"""What a socket is refused stands in the log and in the audit log, as what a request is refused does."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from audit.models import Entry, Outcome
from core.logs import WARNINGS
from tests.api.test_log import until_told
from tests.support.clients import FRAME_LIMIT, Api, Person, Room, Socket
from tests.support.server import Server
from tests.support.socketio import SocketIo, events_socket, rooms_socket

pytestmark = pytest.mark.long

#: More than can be sent before the server refuses one.
FLOOD = 60


#: Says something on a socket of the person's, about the room, and waits for the answer.
Say = Callable[[Server, Person, Room], Awaitable[object]]


def plainly(path: str, message: Callable[[Room], dict[str, Any]]) -> Say:
    """On the WebSocket at `path`."""

    async def say(server: Server, person: Person, room: Room) -> None:
        async with Socket(f"{server.ws_url.removesuffix('/ws')}{path}", person.token) as socket:
            await socket.send_raw(json.dumps(message(room)))
            while "error" not in json.dumps(await socket.frame()).lower():
                pass

    return say


def by_socketio(client: Callable[..., SocketIo], event: str, data: Callable[[Room], Any]) -> Say:
    """In a dialect of Socket.IO."""

    async def say(server: Server, person: Person, room: Room) -> None:
        async with client(server.url, person.token) as socket:
            await socket.call(event, data(room))

    return say


#: By the message's name in the audit log: the package that has it, and who says it.
SAID: dict[str, tuple[str, Say]] = {
    "/ws ATTENDANCE_MARKED": (
        "attendance.live",
        plainly("/ws", lambda room: {"event": "ATTENDANCE_MARKED", "data": {"classId": room.class_id}}),
    ),
    "/ws/v2 MARK": ("dialects.v2", plainly("/ws/v2", lambda room: {"event": "MARK", "data": {"marks": []}})),
    "AttenTrack first_call": ("dialects.attentrack", plainly("/attentrack", lambda room: {"type": "first_call"})),
    "Socket.IO MARK_ATTENDANCE": (
        "dialects.events",
        by_socketio(events_socket, "MARK_ATTENDANCE", lambda room: {"studentId": room.students[0].id}),
    ),
    "Socket.IO endAttendanceSession": (
        "dialects.rooms",
        by_socketio(rooms_socket, "endAttendanceSession", lambda room: {"session_id": room.class_id}),
    ),
}


async def until_noted(server: Server, **wanted: Any) -> list[Entry]:
    """The audit log's entries of this kind, once there is one."""
    async with asyncio.timeout(FRAME_LIMIT):
        while True:
            found = await asyncio.to_thread(server.database.ask, lambda: list(Entry.objects.filter(**wanted)))
            if found:
                return found
            await asyncio.sleep(0.05)


async def test_a_message_that_somebody_may_not_send_is_noted_in_every_protocol(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(LOG_FORMAT="json")
    api = Api(server.url)
    room = api.make_room(1)
    student = room.students[0]
    for way, (package, say) in SAID.items():
        if find_spec(package) is None:
            continue
        await say(server, student, room)
        (entry,) = await until_noted(server, way=way)
        assert (entry.actor, entry.action, entry.outcome) == (student.id, "change", "refused"), way
        assert (entry.address, bool(entry.request_id)) == ("127.0.0.1", True), way
        told = await until_told(server, 1, event="refused", socket_id=entry.request_id)
        assert [(line["code"], line["account"]) for line in told] == [("teacher_event_only", student.id)], way
    (named,) = await until_noted(server, way="/ws ATTENDANCE_MARKED")
    assert (named.kind, named.thing) == ("class", room.class_id)
    api.close()


async def test_a_flood_of_refusals_is_a_few_lines_and_a_few_rows(make_server: Callable[..., Server]) -> None:
    server = make_server(LOG_FORMAT="json", LIMIT_MESSAGES="1")
    api = Api(server.url)
    room = api.make_room(1)
    async with (
        Socket(server.ws_url, room.students[0].token) as pupil,
        Socket(server.ws_url, room.teacher.token) as desk,
    ):
        for _ in range(FLOOD):
            await pupil.send("DONE")
            await desk.send("MY_ATTENDANCE")
        for _ in range(FLOOD):
            await pupil.error()
            await desk.error()
    api.close()
    server.stop()  # what waits is written before the end
    lines = [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]
    for code in ("teacher_event_only", "student_event_only"):
        assert 1 <= sum(line.get("code") == code for line in lines) <= WARNINGS
    assert 1 <= sum(line.get("limit") == "other_messages_per_account" for line in lines) <= WARNINGS

    def rows() -> list[tuple[str, int]]:
        return list(Entry.objects.filter(outcome=Outcome.REFUSED).values_list("way", "times"))

    noted = server.database.ask(rows)
    for way in ("/ws DONE", "/ws MY_ATTENDANCE"):
        times = [number for name, number in noted if name == way]
        assert sum(times) == FLOOD
        assert len(times) <= FLOOD // 2


async def test_a_socket_beyond_an_accounts_number_is_noted(make_server: Callable[..., Server]) -> None:
    server = make_server(LIMIT_ACCOUNT_SOCKETS="1")
    api = Api(server.url)
    teacher = api.signup("teacher")
    async with Socket(server.ws_url, teacher.token), Socket(server.ws_url, teacher.token) as refused:
        assert await refused.error() == "Too many requests"
        (entry,) = await until_noted(server, way="socket")
    assert (entry.actor, entry.action, entry.outcome) == (teacher.id, "connect", "refused")
    api.close()


async def test_a_teacher_who_reads_a_session_on_a_socket_is_in_the_audit_log_and_a_student_is_not(
    make_server: Callable[..., Server],
) -> None:
    pytest.importorskip("dialects.v2")
    server = make_server()
    api = Api(server.url)
    room = api.make_room(1)
    (session,) = server.database.sessions(room.class_id)
    for person in (room.students[0], room.teacher):
        async with Socket(f"{server.ws_url}/v2", person.token) as socket:
            await socket.send("FOLLOW", {"session": session.pk})
            while (await socket.frame())["event"] != "STATE":
                pass
    (entry,) = await until_noted(server, way="/ws/v2 FOLLOW")
    assert (entry.actor, entry.action, entry.outcome) == (room.teacher.id, "read", "done")
    assert (entry.kind, entry.thing) == ("session", session.pk)
    api.close()


@pytest.mark.parametrize("path", ["/ws", "/ws/v2", "/socket.io/?EIO=4&transport=websocket"])
async def test_a_page_that_may_not_open_a_socket_is_noted(make_server: Callable[..., Server], path: str) -> None:
    server = make_server(ALLOWED_ORIGINS="https://school.example")
    with pytest.raises(InvalidStatus):
        await connect(server.ws_url.removesuffix("/ws") + path, origin=Origin("https://elsewhere.example"))
    (entry,) = await until_noted(server, way="socket")
    assert (entry.actor, entry.action, entry.outcome) == ("", "connect", "refused")
    assert entry.address == "127.0.0.1"
