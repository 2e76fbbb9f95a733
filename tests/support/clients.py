"""Clients for tests: people who sign up and use the REST routes, and their sockets."""

import asyncio
import contextlib
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import httpx
import jwt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.environment import JWT_SECRET

PASSWORD = "correct horse"
#: A frame that is to come has this long, seconds; far more than it needs, so that a busy machine fails no test.
FRAME_LIMIT = 30.0
#: Silence is proven by waiting this long, seconds.
SILENCE = 0.3
#: A client of the tests reads what comes, however much.
UNLIMITED: dict[str, Any] = {"open_timeout": FRAME_LIMIT, "max_size": None, "max_queue": None}
#: `verify` for clients of plain HTTP. Left to themselves each loads the world's certificates, which takes 20 ms.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
#: So many requests at once are more than a server works on at once.
MANY = 64

T = TypeVar("T")

_numbers = itertools.count(1)


def make_token(user_id: str, role: str, **claims: Any) -> str:
    """A token as another service with the same secret would make it: no `ver`."""
    now = int(time.time())
    return jwt.encode({"userId": user_id, "role": role, "iat": now, "exp": now + 3600, **claims}, JWT_SECRET, "HS256")


def at_once(ask: Callable[[int], httpx.Response], count: int = MANY) -> list[httpx.Response]:
    """`ask(0)` … `ask(count - 1)`, each in a thread of its own, all let go at the same moment."""
    barrier = threading.Barrier(count)

    def wait_and_ask(number: int) -> httpx.Response:
        barrier.wait(30)
        return ask(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(wait_and_ask, range(count)))


@dataclass
class Person:
    """Somebody with an account on a server."""

    http: httpx.Client
    id: str
    name: str
    email: str
    role: str
    token: str

    def request(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, path, json=body, headers={"Authorization": self.token})

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.request("POST", path, body)

    def data(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's `data`; AssertionError for a failure."""
        answer = self.request(method, path, body)
        assert answer.is_success, answer.text
        return answer.json()["data"]


class Api:
    """The REST side of one server, as strangers see it."""

    def __init__(self, url: str, trust: ssl.SSLContext = NO_CERTIFICATES) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, verify=trust)

    def close(self) -> None:
        self.http.close()

    def signup(self, role: str, name: str | None = None) -> Person:
        """A new account (one bcrypt hash, about 70 ms). The token is made, not logged in for."""
        number = next(_numbers)
        email = f"{role}{number}.{time.time_ns()}@example.com"
        body = {"name": name or f"{role} {number}", "email": email, "password": PASSWORD, "role": role}
        answer = self.http.post("/auth/signup", json=body)
        assert answer.status_code == 201, answer.text
        data = answer.json()["data"]
        return Person(self.http, data["_id"], data["name"], email, role, make_token(data["_id"], role))

    def make_room(self, students: int = 2, *, start: bool = True) -> "Room":
        """A teacher with a class of `students`, its session started."""
        teacher = self.signup("teacher")
        class_id = teacher.data("POST", "/class", {"className": Room.name})["_id"]
        room = Room(teacher, class_id, [self.signup("student") for _ in range(students)])
        for student in room.students:
            teacher.data("POST", f"/class/{class_id}/add-student", {"studentId": student.id})
        if start:
            room.start()
        return room

    def login(self, person: Person) -> str:
        """A token that the server made (one bcrypt check, about 70 ms)."""
        answer = self.http.post("/auth/login", json={"email": person.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["token"])


def make_class(teacher: Person, students: list[Person], *, start: bool = True) -> "Room":
    """A new class of people who have accounts already: much cheaper than `Api.make_room`."""
    room = Room(teacher, teacher.data("POST", "/class", {"className": Room.name})["_id"], list(students))
    for student in students:
        teacher.data("POST", f"/class/{room.class_id}/add-student", {"studentId": student.id})
    if start:
        room.start()
    return room


@dataclass
class Room:
    """A teacher, a class, its students."""

    #: What the class is called.
    name: ClassVar[str] = "Physics"

    teacher: Person
    class_id: str
    students: list[Person] = field(default_factory=list)

    def start(self) -> str:
        """Starts or resumes the class's session; `startedAt`."""
        started_at: str = self.teacher.data("POST", "/attendance/start", {"classId": self.class_id})["startedAt"]
        return started_at


async def until_closed(read: Callable[[], Awaitable[T]]) -> list[T]:
    """What `read` still brings until the server closes."""
    found = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            found.append(await read())
    return found


class Socket:
    """A WebSocket client: `async with Socket(server.ws_url, person.token) as socket:`."""

    def __init__(self, ws_url: str, token: str | None, **options: Any) -> None:
        self.url = f"{ws_url}?token={token}" if token is not None else ws_url
        self.options = options
        self.connection: ClientConnection

    async def __aenter__(self) -> "Socket":
        self.connection = await connect(self.url, **{**UNLIMITED, **self.options})
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.connection.close()

    async def send(self, event: str, data: Any = None) -> None:
        """One message; `data` None leaves it out."""
        await self.send_raw(json.dumps({"event": event} if data is None else {"event": event, "data": data}))

    async def send_raw(self, frame: str | bytes) -> None:
        await self.connection.send(frame)

    async def mark(self, student_id: str, status: str = "present") -> None:
        await self.send("ATTENDANCE_MARKED", {"studentId": student_id, "status": status})

    async def frame(self) -> dict[str, Any]:
        """The next frame."""
        async with asyncio.timeout(FRAME_LIMIT):
            return dict(json.loads(await self.connection.recv()))

    async def frames(self, count: int) -> list[dict[str, Any]]:
        return [await self.frame() for _ in range(count)]

    async def error(self) -> str:
        """The next frame, which is an ERROR: its message."""
        frame = await self.frame()
        assert frame["event"] == "ERROR", frame
        assert (list(frame), list(frame["data"])) == (["event", "data"], ["message"]), frame
        return str(frame["data"]["message"])

    async def hears_nothing(self) -> None:
        """Nothing came since the last frame that was read: the answer to a message of our own is the next one."""
        await self.send("A PROBE")
        frame = await self.frame()
        assert frame == {"event": "ERROR", "data": {"message": "Unknown event"}}, frame

    async def silence(self) -> None:
        """Nothing comes."""
        try:
            frame = await asyncio.wait_for(self.connection.recv(), SILENCE)
        except TimeoutError:
            return
        raise AssertionError(f"a frame came: {frame!r}")

    async def rest(self) -> list[dict[str, Any]]:
        """What still comes until the server closes."""
        return await until_closed(self.frame)

    async def close_code(self) -> int | None:
        """Waits until the server closes; the close code."""
        await asyncio.wait_for(self.connection.wait_closed(), FRAME_LIMIT)
        return self.connection.close_code


class Stalled(Socket):
    """Takes one message and then reads nothing, with little room in the kernel besides."""

    def __init__(self, ws_url: str, token: str, **options: Any) -> None:
        super().__init__(ws_url, token, max_queue=1, ping_interval=None, **options)

    async def __aenter__(self) -> "Stalled":
        address = urlsplit(self.url)
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plug.connect((address.hostname, address.port))
        self.options["sock"] = plug
        await super().__aenter__()
        return self
