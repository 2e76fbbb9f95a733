"""A lesson through `/api/v1`, from the first account on."""

import time
from contextlib import AsyncExitStack
from typing import Any

import httpx

from tests.support.clients import NO_CERTIFICATES, PASSWORD, Socket
from tests.support.server import Server


class Lesson:
    """`async with Lesson(server, students=2) as lesson:` is a class that these routes made; everybody is connected.

    Statuses are `present`, `absent`, or None for a student without one; counts are `(present, absent)`.
    """

    def __init__(self, server: Server, students: int) -> None:
        self.server = server
        self.http = httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60, verify=NO_CERTIFICATES)
        #: The students' ids, in the order of the roster.
        self.students: list[str] = []
        self.tag = time.time_ns()
        self.class_name = f"Lesson of {self.tag}"
        self.class_id = ""
        self._count = students
        self._tokens: dict[str, str] = {}
        self._sockets: dict[str, Socket] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> "Lesson":
        await self._open.enter_async_context(self.http)
        self.teacher = await self._register("teacher", 0)
        made = await self._ask("POST", "/class/create-class", {"className": self.class_name}, by=self.teacher)
        self.class_id = made["data"]["_id"]
        for number in range(self._count):
            student = await self._register("student", number)
            await self._ask("POST", f"/class/{self.class_id}/add-student", {"studentId": student}, by=self.teacher)
            self.students.append(student)
        for person in (self.teacher, *self.students):
            socket = Socket(self.server.ws_url, self._tokens[person])
            self._sockets[person] = await self._open.enter_async_context(socket)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    async def start(self) -> None:
        started = await self._ask("POST", "/attendance/start", {"className": self.class_name}, by=self.teacher)
        assert started["data"]["_id"] == self.class_id

    async def mark(self, student_id: str, status: str) -> None:
        """The teacher marks a student. Returns when everybody has heard the mark."""
        await self._sockets[self.teacher].mark(student_id, status)
        assert await self._everybody("ATTENDANCE_MARKED") == {"studentId": student_id, "status": status}

    async def summary(self) -> tuple[int, int]:
        await self._sockets[self.teacher].send("TODAY_SUMMARY")
        return _counts(await self._everybody("TODAY_SUMMARY"))

    async def own_status(self, student_id: str) -> str | None:
        """The status that the student is told on /ws."""
        socket = self._sockets[student_id]
        await socket.send("MY_ATTENDANCE")
        frame = await socket.frame()
        assert frame["event"] == "MY_ATTENDANCE", frame
        status: str = frame["data"]["status"]
        return None if status == "not yet updated" else status

    async def finish(self) -> tuple[int, int]:
        await self._sockets[self.teacher].send("DONE")
        return _counts(await self._everybody("DONE"))

    async def read_back(self) -> dict[str, str | None]:
        """Each student's status, as the student reads it afterwards."""
        path = f"/attendance/{self.class_id}/my-attendance"
        return {student: (await self._ask("GET", path, by=student))["data"]["status"] for student in self.students}

    async def _register(self, role: str, number: int) -> str:
        email = f"{role}{number}.{self.tag}@example.com"
        account = {"name": f"{role} {number}", "email": email, "password": PASSWORD, "role": role}
        person: str = (await self._ask("POST", "/auth/register", account))["data"]["_id"]
        login = await self._ask("POST", "/auth/login", {"email": email, "password": PASSWORD})
        self._tokens[person] = login["data"]["token"]
        return person

    async def _ask(self, method: str, path: str, body: Any = None, by: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens[by]}"} if by else {}
        answer = await self.http.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    async def _everybody(self, event: str) -> dict[str, Any]:
        """The data of the next frame, which must be this event and the same for everybody."""
        frames = [await socket.frame() for socket in self._sockets.values()]
        assert frames == [frames[0]] * len(frames)
        assert frames[0]["event"] == event, frames[0]
        return dict(frames[0]["data"])


def _counts(data: dict[str, Any]) -> tuple[int, int]:
    assert data["total"] == data["present"] + data["absent"]
    return data["present"], data["absent"]
