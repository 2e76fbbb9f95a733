"""AttenTrack's whole flow against a running server, over HTTP, WebSocket and mail.

The server's EMAIL_URL must be `smtp://127.0.0.1:PORT`; the mail server on that port is this program:

    EMAIL_URL=smtp://127.0.0.1:2525 make serve
    python -m tests.e2e.attentrack_flow http://127.0.0.1:3000 admin@attendance.local PASSWORD 2525
"""

import asyncio
import logging
import re
import sys
import time
from typing import Any

from tests.dialects.attentrack.app import App
from tests.support.smtp import Mailbox, smtp_server

DESK = {"latitude": 21.2497, "longitude": 81.6050}
BACK_ROW = {"latitude": 21.2498, "longitude": 81.6051}
HOME = {"latitude": 21.3000, "longitude": 81.6050}


class Flow:
    """One run; everybody in it is new. `secrets` are the codes and passwords that no answer may show."""

    def __init__(self, url: str, mailbox: Mailbox) -> None:
        self.url, self.mailbox = url, mailbox
        self.tag = f"{time.time_ns():x}"
        self.apps: list[App] = []
        self.secrets: list[str] = []

    def app(self, token: str | None = None) -> App:
        self.apps.append(App(self.url, token))
        return self.apps[-1]

    def email(self, name: str) -> str:
        return f"{name}.{self.tag}@school.example"

    @property
    def traffic(self) -> str:
        """All that the server has ever sent."""
        return "\n".join(text for app in self.apps for text in app.traffic)

    def register(self, who: str, email: str) -> App:
        """Somebody registers with the code from their mail; their app, signed in."""
        app = self.app()
        password = f"password of {email}"
        asked = app.ask("POST", f"/api/{who}/register", {"email": email})
        assert list(asked) == ["otpToken"]
        code = self.mailbox.code(email)
        self.secrets += [str(code), password]
        html = self.mailbox.wait(email).get_body(("html",))
        assert html is not None
        assert str(code) in html.get_content()
        body = {"email": email, "password": password, "otp": 999_999 if code != 999_999 else 999_998}
        app.ask("POST", f"/api/{who}/verify-otp", body, token=asked["otpToken"], status=400)
        status = 201 if who == "student" else 200
        welcome = app.ask(
            "POST", f"/api/{who}/verify-otp", {**body, "otp": code}, token=asked["otpToken"], status=status
        )
        app.ask("GET", f"/api/{who}/token-login", token=welcome["token"], status=status)
        app.ask("POST", f"/api/{who}/verify-otp", {**body, "otp": code}, token=asked["otpToken"], status=400)
        return app

    def teachers_and_class(self, superuser: App) -> tuple[App, Any]:
        tess, theo = (
            {"email": self.email(name), "fullName": name, "department": "Physics"} for name in ("tess", "theo")
        )
        superuser.ask("POST", "/api/superadmin/add-teacher", tess, status=201)
        superuser.ask("POST", "/api/superadmin/add-teachers", {"teachers": [tess, theo]}, status=201)
        teacher = self.register("teacher", tess["email"])
        login = {"email": tess["email"], "password": self.secrets[-1]}
        card = teacher.ask("POST", "/api/teacher/login", login)
        assert card["auth"] is True
        teacher.token = card["token"]
        sheet = {
            "classname": f"Optics {self.tag}",
            "batch": "2026",
            "semester": "3",
            "department": "Physics",
            "teacherid": card["id"],
            "students": [
                {"email": self.email(name), "fullName": name.title(), "rollNumber": f"{name}-{self.tag}"}
                for name in ("asha", "ben")
            ],
        }
        made = teacher.ask("POST", "/api/class/create-class", sheet, status=201)
        assert teacher.ask("POST", "/api/class/create-class", sheet, status=400) == {"error": "Class already exists"}
        return teacher, made["class_id"]

    def student(self, name: str) -> App:
        app = self.register("student", self.email(name))
        login = {"rollNumber": f"{name}-{self.tag}", "password": self.secrets[-1]}
        card = app.ask("POST", "/api/student/login", login, status=201)
        assert (card["auth"], card["rollNumber"]) == (True, login["rollNumber"])
        app.token = card["token"]
        info = app.ask("GET", f"/api/student/classes-info/{card['id']}")
        assert [found["student_count"] for found in info["classes"]] == [2]
        return app

    async def lesson(self, teacher: App, asha: App, ben: App, class_id: str) -> None:
        code = 482_913
        async with teacher.socket("") as desk, asha.socket("") as phone, ben.socket() as home:
            await desk.send("teacherLoc", location=DESK, range=50)
            await phone.frame()
            teacher.ask("POST", "/setAttendance", {"otp": code, "time": 60, "id": class_id})
            await desk.send("first_call")
            assert (await phone.frame())["type"] == "first_call"
            shown = asha.ask("GET", "/getAttendance")
            assert shown == {"currentOTP": None, "finalTime": 60, "currentId": class_id}
            await desk.send("time_update", time=59)
            assert (await phone.frame())["location"] == DESK
            mine = {"rollNumber": f"asha-{self.tag}", "location": BACK_ROW}
            await phone.send("attendance", **mine, otp=code + 1)
            assert await phone.error() == "Incorrect OTP"
            await phone.send("attendance", **mine, otp=code)
            assert await phone.frame() == {"type": "attendance2", "rollNumber": mine["rollNumber"]}
            for _ in range(3):
                await home.frame()
            assert await home.frame() == {"type": "attendance2", "rollNumber": mine["rollNumber"]}
            await home.send("attendance", rollNumber=f"ben-{self.tag}", location=HOME, otp=code)
            assert await home.error() == "Location not within range"
        record = {"class_id": class_id, "date": "2025-05-17T10:00:00.000Z", "records": {mine["rollNumber"]: True}}
        teacher.ask("POST", "/api/attendance/createAttendance", record, status=201)

    def reports(self, teacher: App, asha: App, class_id: str) -> None:
        roll_number, other = f"asha-{self.tag}", f"ben-{self.tag}"
        report = asha.ask("POST", "/api/student/attendance", {"class_id": class_id, "rollNumber": roll_number})
        assert (report["totalClasses"], report["presentClasses"]) == (1, 1)
        assert report["attendanceMap"][0]["status"] is True
        assert asha.ask("GET", f"/api/student/attendance/{roll_number}") == {class_id: {"total_days": 1, "attended": 1}}
        days = {"class_id": class_id, "startDate": "Sat May 17 2025", "endDate": "2025-05-17"}
        found = teacher.ask("POST", "/api/teacher/records", days)
        assert (found["totalDays"], found["report"][roll_number]["presentCount"]) == (1, 1)
        overall = teacher.ask("POST", "/api/teacher/overall-records", days)
        assert [(row["presentCount"], row["absentCount"]) for row in overall] == [(1, 1)]
        record = overall[0]["id"]
        flip = {"attendance_id": record, "datas": [other]}
        teacher.ask("PATCH", "/api/attendance/change-specific-record", flip)
        path = f"/api/attendance/specific-record?id={record}"
        assert teacher.ask("GET", path) == {roll_number: True, other: True}
        teacher.ask("DELETE", f"/api/attendance/delete-record?id={record}", status=204)
        assert teacher.ask("POST", "/api/teacher/overall-records", days) == []
        assert asha.ask("GET", f"/api/student/attendance/{roll_number}") == {class_id: {"total_days": 0, "attended": 0}}

    def forgotten_password(self, ben: App) -> None:
        email, roll_number = self.email("ben"), f"ben-{self.tag}"
        asked = ben.ask("POST", "/api/student/otp-generate", {"rollNumber": roll_number})
        code = self.mailbox.code(email, 2)
        self.secrets.append(str(code))
        body = {"rollNumber": roll_number, "otp": code, "verify": False}
        ben.ask("POST", "/api/student/forgot", body, token=asked["otpToken"])
        ben.ask("GET", "/api/student/token-login", status=401)
        login = {"rollNumber": roll_number, "password": f"password of {email}"}
        assert ben.ask("POST", "/api/student/login", login, status=400) == {"error": "Please do sign up first"}

    def run(self, superuser: App) -> None:
        self.apps.append(superuser)
        teacher, class_id = self.teachers_and_class(superuser)
        asha, ben = self.student("asha"), self.student("ben")
        asyncio.run(self.lesson(teacher, asha, ben, class_id))
        self.reports(teacher, asha, class_id)
        self.forgotten_password(ben)
        teacher.ask("DELETE", f"/api/class/remove/{class_id}", status=204)
        teacher.ask("GET", f"/api/class/getList/{class_id}", status=404)
        for secret in self.secrets:
            assert not shows(self.traffic, secret), "a code or a password was sent back"
        for app in self.apps:
            app.close()


def shows(text: str, secret: str) -> bool:
    """Whether `secret` stands in `text` as a word: six digits may well be a part of some id."""
    return re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text) is not None


def run_flow(url: str, mailbox: Mailbox, email: str, password: str) -> Flow:
    """Walks the flow; AssertionError at the first answer that is not the contract's."""
    flow = Flow(url, mailbox)
    superuser = App(url)
    login = superuser.ask("POST", "/auth/login", {"email": email, "password": password})
    superuser.token = login["data"]["token"]
    flow.run(superuser)
    return flow


if __name__ == "__main__":
    logging.disable(logging.INFO)  # a line for each request and each mail
    with smtp_server(int(sys.argv[4])) as (_, its_mailbox):
        run_flow(sys.argv[1], its_mailbox, sys.argv[2], sys.argv[3])
    print("AttenTrack's flow holds.")
