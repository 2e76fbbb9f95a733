"""The main job from end to end: a class is made, its roster imported, attendance taken, read and exported."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.realtime.contract import done, error, marked, mine, summary
from tests.support.clients import NO_CERTIFICATES, Socket
from tests.support.database import Databases, manage
from tests.support.server import Server

ROSTER = """\
ROLLNO,STUDNAME,EMAIL
1,Asha Rao,asha@school.example
2,Ben Ortiz,ben@school.example
3,Chen Li,Chen.Li@school.example
"""


@pytest.fixture
def server(databases: Databases) -> Iterator[Server]:
    running = Server(databases.fresh()).start()
    yield running
    running.close()


class Client:
    """Somebody at the REST side, as a program of theirs would talk to it: every answer compared whole."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.token = ""

    def call(self, method: str, path: str, body: object = None, status: int = 200) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        envelope = answer.json()
        assert list(envelope) == ["success", "data"]
        assert envelope["success"] is True
        data: dict[str, object] = envelope["data"]
        return data

    def login(self, email: str, password: str) -> str:
        self.token = str(self.call("POST", "/auth/login", {"email": email, "password": password})["token"])
        return self.token


async def test_a_teachers_first_lesson(server: Server, tmp_path: Path) -> None:
    with httpx.Client(base_url=server.url, timeout=60, verify=NO_CERTIFICATES) as http:
        teacher = Client(http)
        account = {"name": "Dr. Sen", "email": "sen@school.example", "password": "secret1", "role": "teacher"}
        signed_up = teacher.call("POST", "/auth/signup", account, 201)
        assert signed_up == {"_id": signed_up["_id"], **{key: account[key] for key in ("name", "email", "role")}}
        teacher.login("sen@school.example", "secret1")
        made = teacher.call("POST", "/class", {"className": "Physics 1"}, 201)
        class_id = str(made["_id"])
        assert made == {"_id": class_id, "className": "Physics 1", "teacherId": signed_up["_id"], "studentIds": []}

        roster, out = tmp_path / "students.csv", tmp_path / "passwords.csv"
        roster.write_text(ROSTER)
        imported = manage("import_roster", class_id, str(roster), "--passwords", str(out), database=server.database)
        assert imported.returncode == 0, imported.stderr
        logins = list(csv.DictReader(out.open(encoding="utf-8-sig")))
        assert [(row["name"], row["email"]) for row in logins] == [
            ("Asha Rao", "asha@school.example"),
            ("Ben Ortiz", "ben@school.example"),
            ("Chen Li", "Chen.Li@school.example"),
        ]
        asha, ben, chen = students = [Client(http) for _ in logins]
        for student, row in zip(students, logins, strict=True):
            student.login(row["email"], row["password"])
        ids = [str(student.call("GET", "/auth/me")["_id"]) for student in students]
        shown = teacher.call("GET", f"/class/{class_id}")
        assert shown["students"] == [
            {"_id": student_id, "name": row["name"], "email": row["email"]}
            for student_id, row in zip(ids, logins, strict=True)
        ]

        async with (
            Socket(server.ws_url, teacher.token) as desk,
            Socket(server.ws_url, asha.token) as phone,
            Socket(server.ws_url, ben.token) as other_phone,
        ):
            await phone.send("MY_ATTENDANCE")
            assert await phone.frame() == error("No active attendance session")
            started = teacher.call("POST", "/attendance/start", {"classId": class_id})
            assert started == {"classId": class_id, "startedAt": started["startedAt"]}
            await phone.send("MY_ATTENDANCE")
            assert await phone.frame() == mine("not yet updated")
            await desk.mark(ids[0], "present")
            await desk.mark(ids[1], "absent")
            await desk.send("TODAY_SUMMARY")
            lesson = [marked(ids[0], "present"), marked(ids[1], "absent"), summary(1, 1)]
            for socket in (desk, phone, other_phone):
                assert await socket.frames(3) == lesson
            await phone.send("MY_ATTENDANCE")
            assert await phone.frame() == mine("present")
            await desk.send("DONE")
            for socket in (desk, phone, other_phone):
                assert await socket.frame() == done(1, 2)

        for student, status in ((asha, "present"), (ben, "absent"), (chen, "absent")):
            expected = {"classId": class_id, "status": status}
            assert student.call("GET", f"/class/{class_id}/my-attendance") == expected

    exported = manage("export_attendance", class_id, database=server.database)
    assert exported.returncode == 0, exported.stderr
    table = list(csv.reader(io.StringIO(exported.stdout)))
    found = {cell: line for line in table for cell in line if cell in ("Asha Rao", "Ben Ortiz", "Chen Li")}
    assert [("present" in line, "absent" in line) for line in found.values()] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert list(found) == ["Asha Rao", "Ben Ortiz", "Chen Li"]
