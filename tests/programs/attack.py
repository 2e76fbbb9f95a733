"""Attacks a server of its own with one free account, and measures what everybody else notices.

`python -m tests.programs.attack --seconds 10` (or `make attack`). Each attack runs in a process of its own, against a
server that this program starts on 127.0.0.1; another host is refused. Meanwhile a class is taught: `/auth/me` is asked
50 times a second, and a teacher marks ten times a second and hears each mark. What is asked: `/auth/me` below
100 ms at p99, every mark heard within 250 ms, and memory within 100 MiB of before.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from multiprocessing.connection import Connection

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

import tests.support.environment  # noqa: F401  sets Django up, so it comes first
from accounts.models import User
from core.addresses import is_loopback
from core.ids import new_id
from tests.programs.slow_readers import memory
from tests.support.clients import PASSWORD, UNLIMITED, Api, Room, Socket
from tests.support.database import Database, databases_of_a_run
from tests.support.server import Server

#: What is asked: `/auth/me` at p99 and the slowest mark, seconds; how much more memory afterwards, bytes.
ME_WITHIN, MARK_WITHIN, GROWTH = 0.1, 0.25, 100 * 1024 * 1024
#: Between two looks at `/auth/me`, and between two marks, seconds.
ME_INTERVAL, MARK_INTERVAL = 0.02, 0.1
#: The server is measured for this long before an attack, seconds.
BEFORE = 3.0
#: A teacher may take the live session from another so often.
MOST_INTERRUPTIONS = 3
#: No attack does more of anything than this.
MOST = 20_000
AT_ONCE = 32
#: An attacker waits so long for the last answer, seconds.
PATIENCE = 10.0
TOO_MANY = "Too many requests"


@dataclass(frozen=True)
class Target:
    """What an attacker knows: a server of this machine, and a free account of each kind."""

    port: int
    teacher: str
    student: str
    class_id: str
    more_classes: tuple[str, ...]
    student_id: str
    victim: str
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            raise ValueError(f"{self.host} is not this machine: attack nobody else's server")

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.host}:{self.port}"


@dataclass
class Tally:
    """What an attack sent, and how much of that was refused."""

    sent: int = 0
    refused: int = 0
    until: float = 0.0
    most: int = MOST

    @property
    def goes_on(self) -> bool:
        return self.sent < self.most and time.monotonic() < self.until


Attack = Callable[[Target, Tally], Awaitable[None]]


async def _by_many(work: Callable[[], Awaitable[None]], count: int = AT_ONCE) -> None:
    await asyncio.gather(*(work() for _ in range(count)))


def _client(target: Target, token: str = "") -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=AT_ONCE)
    return httpx.AsyncClient(base_url=target.url, headers={"Authorization": token}, timeout=60, limits=limits)


async def _ask(tally: Tally, request: Callable[[], Awaitable[httpx.Response]]) -> None:
    while tally.goes_on:
        tally.sent += 1
        with contextlib.suppress(
            httpx.TransportError
        ):  # the server ends connections on which nothing is asked for long
            answer = await request()
            tally.refused += answer.status_code == 429


async def syncs(target: Target, tally: Tally) -> None:
    """300 SYNCs of an enrolled student who does not stay, again and again."""

    async def leave_behind() -> None:
        while tally.goes_on:
            tally.sent += 300
            try:
                connection = await connect(f"{target.ws_url}/ws?token={target.student}", **UNLIMITED)
            except (OSError, WebSocketException):
                tally.refused += 300
                continue
            with contextlib.suppress(WebSocketException):
                for _ in range(300):
                    await connection.send('{"event":"SYNC"}')
            connection.transport.abort()

    await _by_many(leave_behind, 4)


async def sockets(target: Target, tally: Tally) -> None:
    """As many sockets as one token opens, all of them kept."""
    kept: list[Socket] = []

    async def open_and_keep() -> None:
        while tally.goes_on:
            tally.sent += 1
            socket = Socket(f"{target.ws_url}/ws", target.teacher)
            try:
                await socket.__aenter__()
                await socket.send("A PROBE")
                if await socket.error() == TOO_MANY:
                    tally.refused += 1
                    await socket.__aexit__()
                else:
                    kept.append(socket)
            except (OSError, WebSocketException):
                tally.refused += 1

    await _by_many(open_and_keep, 8)
    for socket in kept:
        await socket.__aexit__()


async def visits(target: Target, tally: Tally) -> None:
    """Sockets that are opened and left at once."""

    async def open_and_leave() -> None:
        while tally.goes_on:
            tally.sent += 1
            try:
                async with Socket(f"{target.ws_url}/ws", target.teacher) as socket:
                    await socket.send("MY_ATTENDANCE")
                    tally.refused += TOO_MANY in str(await socket.frame())
            except (OSError, WebSocketException):
                tally.refused += 1

    await _by_many(open_and_leave, 8)


async def messages(target: Target, tally: Tally) -> None:
    """Marks, summaries and calls to everybody, as fast as they can be sent."""
    mark = json.dumps({"event": "ATTENDANCE_MARKED", "data": {"studentId": target.student_id, "status": "present"}})

    async def flood(path: str, *texts: str) -> None:
        async with connect(f"{target.ws_url}{path}?token={target.teacher}", **UNLIMITED) as connection:
            handled = asyncio.Event()

            async def read() -> None:
                async for text in connection:
                    tally.refused += TOO_MANY in str(text)
                    if "Unknown event" in str(text):
                        handled.set()

            reading = asyncio.create_task(read())
            while tally.goes_on:
                for text in texts:
                    tally.sent += 1
                    await connection.send(text)
            await connection.send('{"event":"A PROBE","type":"a probe"}')
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(handled.wait(), PATIENCE)
            await connection.close()
            await reading

    with contextlib.suppress(WebSocketException):
        await asyncio.gather(
            flood("/ws", mark, '{"event":"TODAY_SUMMARY"}', '{"event":"SYNC"}'),
            flood("/attentrack", '{"type":"first_call"}', '{"type":"time_update","time":1}'),
        )


async def signups(target: Target, tally: Tally) -> None:
    """Accounts, one after another."""
    async with _client(target) as client:

        async def sign_up() -> httpx.Response:
            body = {"name": "x", "email": f"{new_id()}@example.com", "password": "secret1", "role": "teacher"}
            return await client.post("/auth/signup", json=body)

        await _by_many(lambda: _ask(tally, sign_up))


async def classes(target: Target, tally: Tally) -> None:
    """Classes, one after another."""
    async with _client(target, target.teacher) as client:
        await _by_many(lambda: _ask(tally, lambda: client.post("/class", json={"className": "x"})))


async def handshakes(target: Target, tally: Tally) -> None:
    """Socket.IO clients that never say who they are."""
    request = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    async def shake() -> None:
        while tally.goes_on:
            tally.sent += 1
            reader, writer = await asyncio.open_connection(target.host, target.port)
            writer.write(request)
            answer = await reader.read()
            tally.refused += answer.startswith(b"HTTP/1.1 429")
            writer.close()

    await _by_many(shake)


async def pipelines(target: Target, tally: Tally) -> None:
    """Thousands of requests in one write, again and again."""
    request = f"GET /healthz HTTP/1.1\r\nHost: x\r\n{'X-Long: ' + 'x' * 100}\r\n\r\n".encode()

    async def send_ahead() -> None:
        while tally.goes_on:
            tally.sent += 1000
            reader, writer = await asyncio.open_connection(target.host, target.port)
            answers = b""
            with contextlib.suppress(ConnectionError):
                writer.write(request * 1000)
                await writer.drain()
                while chunk := await reader.read(65536):
                    answers += chunk
            tally.refused += 1000 - answers.count(b"HTTP/1.1 200")
            writer.close()

    await _by_many(send_ahead)


async def bodies(target: Target, tally: Tally) -> None:
    """Bodies of a megabyte that lack their last byte."""
    size = 1_000_000
    head = f"POST /class HTTP/1.1\r\nHost: x\r\nAuthorization: {target.teacher}\r\nContent-Length: {size}\r\n\r\n"

    async def trickle() -> None:
        tally.sent += 1
        reader, writer = await asyncio.open_connection(target.host, target.port)
        with contextlib.suppress(ConnectionError):
            writer.write(head.encode() + b" " * (size - 1))
            await writer.drain()
            while tally.goes_on:
                await asyncio.sleep(0.1)
            writer.write(b" ")
            line = await reader.readline()
            tally.refused += line.startswith(b"HTTP/1.1 429")
        writer.close()

    await _by_many(trickle, min(200, tally.most))


async def passwords(target: Target, tally: Tally) -> None:
    """Wrong passwords of people whom nobody knows, at two doors."""
    async with _client(target) as client:
        page = await client.get("/admin/login/")
        token = page.cookies["csrftoken"]

        def at_admin() -> Awaitable[httpx.Response]:
            form = {"username": f"{new_id()}@example.com", "password": "wrong", "csrfmiddlewaretoken": token}
            return client.post("/admin/login/", data=form)

        def at_route() -> Awaitable[httpx.Response]:
            return client.post("/auth/login", json={"email": f"{new_id()}@example.com", "password": "wrong"})

        await asyncio.gather(
            *(_ask(tally, at_admin) for _ in range(AT_ONCE // 2)), *(_ask(tally, at_route) for _ in range(AT_ONCE // 2))
        )


async def lists(target: Target, tally: Tally) -> None:
    """The list of all students, by eight clients at once."""
    async with _client(target, target.teacher) as client:
        await _by_many(lambda: _ask(tally, lambda: client.get("/students")), 8)


async def focus(target: Target, tally: Tally) -> None:
    """Starts classes in a loop."""
    async with _client(target, target.teacher) as client:
        while tally.goes_on:
            for class_id in target.more_classes:
                tally.sent += 1
                answer = await client.post("/attendance/start", json={"classId": class_id})
                tally.refused += answer.status_code == 429


async def locks(target: Target, tally: Tally) -> None:
    """Wrong passwords of somebody else."""
    async with _client(target) as client:
        body = {"email": target.victim, "password": "wrong"}
        await _by_many(lambda: _ask(tally, lambda: client.post("/auth/login", json=body)))


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        *(syncs, sockets, visits, messages, signups, classes, handshakes, pipelines, bodies),
        *(passwords, lists, focus, locks),
    )
}
#: These meet no limit that refuses: their work is shared fairly, or goes in pieces.
UNREFUSED = ("syncs", "passwords", "lists")


# The lesson meanwhile


@dataclass
class Lesson:
    """A class that is taught, and a stranger with an account of each kind, one of them enrolled."""

    server: Server
    room: Room
    target: Target

    @classmethod
    def begin(cls, server: Server, api: Api) -> "Lesson":
        room = api.make_room(3)
        own = api.make_room(1, start=False)
        more = tuple(own.teacher.data("POST", "/class", {"className": "x"})["_id"] for _ in range(4))
        with_marks = Target(
            server.port,
            own.teacher.token,
            room.students[2].token,
            own.class_id,
            more,
            own.students[0].id,
            room.teacher.email,
        )
        return cls(server, room, with_marks)


@dataclass
class Report:
    """What the lesson noticed, seconds and bytes."""

    me: list[float] = field(default_factory=list)
    marks: list[float] = field(default_factory=list)
    memory: int = 0
    #: Marks that were refused because another class was live.
    interruptions: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def me_p99(self) -> float:
        return sorted(self.me)[int(len(self.me) * 0.99)]

    def __str__(self) -> str:
        return (
            f"/auth/me p99 {self.me_p99 * 1000:4.0f} ms; marks median "
            f"{sorted(self.marks)[len(self.marks) // 2] * 1000:3.0f}, slowest {max(self.marks) * 1000:4.0f} ms; "
            f"memory {self.memory / 1024 / 1024:4.0f} MiB"
        )


def _watch_me(lesson: Lesson, report: Report, enough: threading.Event) -> None:
    headers = {"Authorization": lesson.room.teacher.token}
    with contextlib.closing(HTTPConnection("127.0.0.1", lesson.server.port, timeout=60)) as connection:
        while not enough.wait(ME_INTERVAL):
            began = time.monotonic()
            connection.request("GET", "/auth/me", headers=headers)
            answer = connection.getresponse()
            answer.read()
            report.me.append(time.monotonic() - began)
            if answer.status != 200:
                report.faults.append(f"/auth/me was answered {answer.status}")


async def teach(lesson: Lesson, seconds: float) -> Report:
    """Teaches for so long; what was noticed."""
    report, enough = Report(), threading.Event()
    server, room = lesson.server, lesson.room
    until = time.monotonic() + seconds
    async with Socket(server.ws_url, room.teacher.token) as teacher:
        watching = asyncio.create_task(asyncio.to_thread(_watch_me, lesson, report, enough))
        try:
            while time.monotonic() < until:
                began = time.monotonic()
                await teacher.mark(room.students[1].id)
                frame = await teacher.frame()
                if frame["event"] != "ATTENDANCE_MARKED":
                    report.interruptions += 1
                    await asyncio.to_thread(room.start)  # as a teacher would who sees that
                    continue
                report.marks.append(time.monotonic() - began)
                await asyncio.sleep(MARK_INTERVAL)
        finally:
            enough.set()
            await watching
    report.memory = memory(server)
    return report


async def attack(name: str, target: Target, *, seconds: float, most: int = MOST) -> Tally:
    """Runs an attack in this process."""
    tally = Tally(until=time.monotonic() + seconds, most=most)
    await ATTACKS[name](target, tally)
    return tally


def _in_own_process(name: str, target: Target, seconds: float, answer: Connection) -> None:
    tally = asyncio.run(attack(name, target, seconds=seconds))
    answer.send((tally.sent, tally.refused))


def _owner_signs_in(lesson: Lesson, device: httpx.Client) -> bool:
    answer = device.post("/auth/login", json={"email": lesson.room.teacher.email, "password": PASSWORD})
    return answer.status_code == 200


def _run(name: str, lesson: Lesson, seconds: float) -> bool:
    with httpx.Client(base_url=lesson.server.url, timeout=60) as device:
        assert _owner_signs_in(lesson, device)  # from now on the server knows the device
        before = asyncio.run(teach(lesson, BEFORE))
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        arguments = (name, lesson.target, seconds, theirs)
        attacker = multiprocessing.get_context("spawn").Process(target=_in_own_process, args=arguments)
        attacker.start()
        during = asyncio.run(teach(lesson, seconds))
        if not _owner_signs_in(lesson, device):
            during.faults.append("the owner of the account could not sign in")
        attacker.join(seconds + 120)
        sent, refused = ours.recv() if ours.poll() else (0, 0)
        if attacker.is_alive():
            attacker.kill()
            during.faults.append("the attack did not end")
    after = memory(lesson.server)
    if during.me_p99 >= ME_WITHIN:
        during.faults.append("/auth/me was slow")
    if max(during.marks, default=60.0) >= MARK_WITHIN:
        during.faults.append("a mark was slow")
    if during.interruptions > MOST_INTERRUPTIONS:
        during.faults.append(f"the lesson was interrupted {during.interruptions} times")
    if after - before.memory >= GROWTH:
        during.faults.append("memory grew")
    print(f"{name}: {sent} sent, {refused} refused; {after / 1024 / 1024:.0f} MiB afterwards")
    print(f"  before  {before}\n  during  {during}")
    for fault in dict.fromkeys(during.faults):
        print(f"  FAULT   {fault}")
    return not during.faults


def make_people(database: Database, count: int) -> None:
    """So many students, past the server."""

    def make() -> None:
        for begin in range(0, count, 5000):
            keys = [new_id() for _ in range(min(5000, count - begin))]
            emails = [f"{key}@example.com" for key in keys]
            User.objects.bulk_create(
                User(id=key, name=f"Student {key}", email=email, email_key=email, role="student", password="!")
                for key, email in zip(keys, emails, strict=True)
            )

    database.ask(make)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("attacks", nargs="*", choices=[*ATTACKS, []], help="which (default: all)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each, at most 60 (default: %(default)s)")
    parser.add_argument("--people", type=int, default=87_000, help="students in the list (default: %(default)s)")
    arguments = parser.parse_args()
    held = True
    with databases_of_a_run() as databases:
        for name in arguments.attacks or ATTACKS:
            database = databases.fresh()
            if name == "lists":
                make_people(database, min(arguments.people, 100_000))
            mode = "single" if name == "focus" else "per-class"
            # Of each attack a server of its own: what one leaves behind is not counted to the next.
            with Server(database, LIVE_SESSIONS=mode) as server, contextlib.closing(Api(server.url)) as api:
                held = _run(name, Lesson.begin(server, api), min(arguments.seconds, 60.0)) and held
                server.assert_clean()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
