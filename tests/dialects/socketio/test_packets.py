"""Strange Socket.IO packets are answered and the socket goes on; a frame that is no Engine.IO ends the connection."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.socketio.packets import CLIENT_EVENT, Packet
from tests.realtime.contract import INVALID
from tests.support.clients import NO_CERTIFICATES, Room
from tests.support.server import Server
from tests.support.socketio import SocketIo, events_socket

pytestmark = pytest.mark.one_database("Packets are read before any row is.")

ERROR = ("ERROR", {"message": INVALID})

STRANGE: dict[str, list[str | bytes]] = {
    "an empty packet": ["4"],
    "no JSON": ["42{"],
    "no list": ['42{"a":1}'],
    "a number": ["42 5"],
    "an empty list": ["42[]"],
    "a name that is no string": ["42[5]"],
    "nothing at all": ["42"],
    "an unknown type": ["49[]"],
    "the server's type": ['44{"message":"x"}'],
    "twice the same key": ['42["DONE",{"a":1,"a":2}]'],
    "NaN": ['42["DONE",NaN]'],
    "a NUL character": ['42["DONE","\\u0000"]'],
    "very deep": ["42" + "[" * 20_000],
    "JSON in place of a packet": ['4"DONE"'],
    "an id that is too long": ["42" + "1" * 200 + '["DONE"]'],
    "binary, its attachment after it": ['451-["MARK_ATTENDANCE",{"_placeholder":true,"num":0}]', b"abc"],
    "binary that promises too much": ['452-["DONE",{"_placeholder":true,"num":7}]', b"abc"],
    "binary that promises nothing": ['450-["DONE"]'],
}


@pytest.mark.parametrize("kind", STRANGE)
async def test_a_strange_packet_is_answered_and_the_socket_goes_on(server: Server, room: Room, kind: str) -> None:
    async with events_socket(server.url, room.teacher.token) as socket:
        for packet in STRANGE[kind]:
            await socket.raw(packet)
        assert await socket.hear() == ERROR
        assert await socket.call("GET_TODAY_SUMMARY") == {"presentCount": 0, "presentStudentIds": []}
    assert server.database.states(room.class_id)[-1] == "open"


@pytest.mark.parametrize("packet", [b"abc", "43[1]", '43999["x"]', '461-["x"]', '42/admin,["DONE"]'])
async def test_a_packet_that_expects_no_answer_is_passed_over(server: Server, room: Room, packet: str | bytes) -> None:
    async with events_socket(server.url, room.teacher.token) as socket:
        await socket.raw(packet)
        assert await socket.call("GET_TODAY_SUMMARY") == {"presentCount": 0, "presentStudentIds": []}


@pytest.mark.parametrize(("packet", "code"), [("", 1002), ("x", 1002), ("b!", 1002), ("9", 1002), ("4" * 65_537, 1009)])
async def test_a_frame_that_is_no_engine_io_ends_the_connection(
    server: Server, room: Room, packet: str, code: int
) -> None:
    async with events_socket(server.url, room.teacher.token) as socket:
        await socket.raw(packet)
        await socket.last_words()
        assert socket.connection.close_code == code


async def test_events_before_the_connect_and_after_the_disconnect_do_nothing(server: Server, room: Room) -> None:
    socket = SocketIo(server.url, query={"token": room.teacher.token})
    async with socket:
        await socket.raw("41")  # the client leaves the namespace, the transport stays
        await socket.raw('42["DONE"]')
        await socket.raw("40")  # and comes back
        assert (await socket.packet()).startswith('40{"sid":')
        assert await socket.call("GET_TODAY_SUMMARY") == {"presentCount": 0, "presentStudentIds": []}
        await socket.raw("40/admin,")
        assert (await socket.packet()).startswith("44/admin,")
        await socket.raw("40")  # a second disconnect
        assert (await socket.packet()).startswith("44")
        assert await socket.call("GET_TODAY_SUMMARY") == {"presentCount": 0, "presentStudentIds": []}


def poll(server: Server, http: httpx.Client, **query: str) -> str:
    answer = http.get("/socket.io/", params={"EIO": "4", "transport": "polling", **query})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_poll_may_carry_as_many_packets_as_fit(server: Server, room: Room) -> None:
    token = room.teacher.token
    with httpx.Client(base_url=server.url, timeout=60, verify=NO_CERTIFICATES) as http:
        opening = poll(server, http, token=token)
        sid = opening.split('"sid":"')[1].split('"')[0]
        query = {"EIO": "4", "transport": "polling", "token": token, "sid": sid}
        assert http.post("/socket.io/", params=query, content="40").status_code == 200
        assert poll(server, http, **query).startswith('40{"sid":')
        student_id = room.students[0].id
        mark = f'42["MARK_ATTENDANCE",{{"studentId":"{student_id}"}}]'
        assert http.post("/socket.io/", params=query, content="\x1e".join([mark] * 500)).status_code == 200
        heard: list[str] = []
        while len(heard) < 500:
            heard += poll(server, http, **query).split("\x1e")
        assert heard == [f'42["ATTENDANCE_MARKED",{{"studentId":"{student_id}","status":"present"}}]'] * 500
        too_long = http.post("/socket.io/", params=query, content="4" * 65_537)
        assert (too_long.status_code, too_long.text) == (413, "Payload too large")


@pytest.mark.parametrize(
    ("method", "query", "content", "status"),
    [
        ("GET", {}, b"", 400),
        ("GET", {"EIO": "3", "transport": "polling"}, b"", 400),
        ("GET", {"EIO": "4", "transport": "pigeon"}, b"", 400),
        ("GET", {"EIO": "4", "transport": "polling", "sid": "nobody"}, b"", 400),
        ("POST", {"EIO": "4", "transport": "polling", "sid": "nobody"}, b"40", 400),
        ("POST", {"EIO": "4", "transport": "polling"}, b"\xff\xfe", 400),
        ("DELETE", {"EIO": "4", "transport": "polling"}, b"", 405),
        ("OPTIONS", {"EIO": "4", "transport": "polling"}, b"", 200),
    ],
)
def test_each_request_that_is_no_poll_has_its_status(
    server: Server, method: str, query: dict[str, str], content: bytes, status: int
) -> None:
    answer = httpx.request(method, f"{server.url}/socket.io/", params=query, content=content, verify=NO_CERTIFICATES)
    assert answer.status_code == status


@pytest.mark.parametrize("body", [b"\xff\xfe", b"x", b"9", b"\x1e\x1e", b"bx", b"0", b"6"])
def test_a_poll_that_cannot_be_read_does_no_harm(server: Server, room: Room, body: bytes) -> None:
    with httpx.Client(base_url=server.url, timeout=60, verify=NO_CERTIFICATES) as http:
        sid = poll(server, http).split('"sid":"')[1].split('"')[0]
        query = {"EIO": "4", "transport": "polling", "sid": sid}
        assert http.post("/socket.io/", params=query, content=body).status_code in (200, 400)


@given(st.one_of(st.text(max_size=40), st.binary(max_size=40), st.dictionaries(st.text(), st.integers(), max_size=2)))
def test_reading_a_packet_never_fails(content: Any) -> None:
    packet = Packet(encoded_packet=content)
    if packet.packet_type == 2 and content:
        assert packet.data[0] == CLIENT_EVENT
