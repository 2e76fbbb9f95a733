"""The yardsticks answer as the published API says, as far as the benchmarks ask."""

import json
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from bench import yardsticks
from bench.servers import Server
from bench.yardsticks import Yardsticks
from tests.support.node import needs_node

pytestmark = pytest.mark.long

OWN = Yardsticks.of(None)
STARTS = [
    pytest.param(OWN.start_node, marks=needs_node, id="node"),
    pytest.param(
        OWN.start_bun, id="bun", marks=pytest.mark.skipif(not OWN.bun_is_installed, reason="Bun is not installed")
    ),
]


@pytest.fixture(scope="module", params=STARTS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param() as running:
        yield running


def socket_of(server: Server, token: str) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/ws?token={token}")


def tell(socket: ClientConnection, event: str, **data: str) -> None:
    socket.send(json.dumps({"event": event, "data": data}))


def hear(socket: ClientConnection) -> dict[str, object]:
    frame = json.loads(socket.recv(timeout=60))
    return {"event": frame["event"], **frame["data"]}


def test_a_lesson_goes_as_published(server: Server) -> None:
    _, teacher = server.person("Ada Teacher", "teacher")
    first_id, first = server.person("Bob Student", "student")
    second_id, _ = server.person("Cy Student", "student")
    class_id = server.call("POST", "/class", {"className": " Maths "}, teacher)["_id"]
    for student_id in (first_id, second_id, first_id):
        made = server.call("POST", f"/class/{class_id}/add-student", {"studentId": student_id}, teacher)
    assert (made["className"], made["studentIds"]) == ("Maths", [first_id, second_id])
    assert server.call("GET", "/auth/me", token=f"Bearer {first}")["name"] == "Bob Student"
    assert [student["_id"] for student in server.call("GET", f"/class/{class_id}", token=first)["students"]] == [
        *(first_id, second_id),
    ]
    started = server.call("POST", "/attendance/start", {"classId": class_id}, teacher)
    assert server.call("POST", "/attendance/start", {"classId": class_id}, teacher) == started
    mine = f"/class/{class_id}/my-attendance"
    assert server.call("GET", mine, token=first) == {"classId": class_id, "status": None}
    with socket_of(server, teacher) as teachers, socket_of(server, first) as students:
        tell(students, "MY_ATTENDANCE")
        assert hear(students) == {"event": "MY_ATTENDANCE", "status": "not yet updated"}
        for event, data, answer in (
            ("ATTENDANCE_MARKED", {"studentId": first_id, "status": "present"}, None),
            ("TODAY_SUMMARY", {}, {"present": 1, "absent": 0, "total": 1}),
            ("DONE", {}, {"message": "Attendance persisted", "present": 1, "absent": 1, "total": 2}),
        ):
            tell(teachers, event, **data)
            for socket in (teachers, students):
                assert hear(socket) == {"event": event, **(answer or data)}
    assert server.call("GET", mine, token=first)["status"] == "present"


def test_who_may_not_is_told_so(server: Server) -> None:
    _, teacher = server.person("Dee Teacher", "teacher")
    _, student = server.person("Eve Student", "student")
    for method, path, token, status in (
        ("GET", "/auth/me", "nobody's", 401),
        ("POST", "/class", student, 403),
        ("POST", "/class", teacher, 400),
        ("GET", "/class/nowhere", teacher, 404),
        ("GET", "/nowhere", teacher, 404),
    ):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            server.call(method, path, {} if method == "POST" else None, token)
        assert refusal.value.code == status
        assert json.load(refusal.value)["success"] is False
    with socket_of(server, "nobody's") as socket:
        assert hear(socket) == {"event": "ERROR", "message": "Unauthorized or invalid token"}
    with socket_of(server, student) as socket:
        for text, message in (
            ("no JSON", "Invalid message format"),
            ("null", "Invalid message format"),
            ('{"event":"NOTHING"}', "Unknown event"),
            ('{"event":"toString"}', "Unknown event"),
            ('{"event":"DONE"}', "Forbidden, teacher event only"),
            ('{"event":"MY_ATTENDANCE"}', "No active attendance session"),
        ):
            socket.send(text)
            assert hear(socket) == {"event": "ERROR", "message": message}


def test_another_folder_takes_the_place_of_the_yardstick_and_of_its_load(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no yardstick"):
        Yardsticks.of(tmp_path)
    (tmp_path / "peer-node").mkdir()
    (tmp_path / "peer-node" / "server.js").touch()
    assert Yardsticks.of(tmp_path) == Yardsticks(tmp_path / "peer-node", OWN.bun, OWN.load)
    (tmp_path / "fanout.c").touch()
    program = tmp_path / "peer-bun" / yardsticks.BUN
    program.parent.mkdir(parents=True)
    program.touch()
    assert Yardsticks.of(tmp_path) == Yardsticks(tmp_path / "peer-node", tmp_path / "peer-bun", tmp_path / "fanout.c")
