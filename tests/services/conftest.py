"""What the service tests share: people without bcrypt, threads, and processes on a channel layer that fails."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from django.db import connections

from accounts import tokens
from accounts.models import User
from attendance import services
from attendance.enums import Method, Status
from attendance.journal import NewMark
from attendance.live import events, gateway, hints, wire
from attendance.live.commit import Refusal, Unit, commit
from attendance.live.hint_types import LiveHint
from attendance.live.process import Live
from attendance.live.socket import Socket
from attendance.models import Session
from classes.models import Class, Enrolment, announce_roster
from core.database.unit_of_work import unit_of_work
from core.errors import ApiError
from core.identity import Actor, Role
from core.ids import new_id
from core.times import now

R = TypeVar("R")


def new_mark(room: "Room", session: Session, student: int = 0, status: str = "present") -> NewMark:
    """A mark of one of the room's students, by its teacher."""
    return NewMark(
        session_id=session.id,
        student_id=room.students[student].id,
        status=Status(status),
        at=now(),
        by_id=room.teacher.id,
        method=Method.TEACHER,
    )


def commit_marks(marks: list[NewMark]) -> list[int | Refusal]:
    """Commits marks in one transaction, each for itself; for each its seq or why it was refused."""
    outcomes = commit([Unit([mark]) for mark in marks])
    return [outcome if isinstance(outcome, Refusal) else outcome[0].seq for outcome in outcomes]


def make_users(role: Role, count: int) -> list[User]:
    """People who cannot log in (no password is hashed for them), but whose tokens are good."""
    users = []
    for _ in range(count):
        key = new_id()
        email = f"{key}@example.com"
        users.append(User(id=key, name=f"{role} {key}", email=email, email_key=email, role=role, password="!"))
    return User.objects.bulk_create(users)


def actor_of(user: User) -> Actor:
    return Actor(id=user.id, role=Role(user.role), name=user.name, email=user.email)


@dataclass
class Room:
    """A teacher, their class, and its students."""

    teacher: User
    class_id: str
    students: list[User]

    @property
    def actor(self) -> Actor:
        return actor_of(self.teacher)

    def start(self) -> Session:
        return services.session_start(actor=self.actor, class_id=self.class_id)


def make_room(students: int = 2) -> Room:
    teacher = make_users(Role.TEACHER, 1)[0]
    people = make_users(Role.STUDENT, students)
    found = Class.objects.create(name="Physics", teacher=teacher)
    enrol(found.id, *people)
    return Room(teacher, found.id, people)


@unit_of_work
def enrol(class_id: str, *students: User) -> None:
    """In bulk, as an import does it."""
    Enrolment.objects.bulk_create([Enrolment(class_ref_id=class_id, student=student) for student in students])
    announce_roster(class_id)


def below_head(lines: list[str]) -> list[str]:
    """What `import_roster` says of the rows, without what it says of the file."""
    heads = ("Read as ", "Columns: ", "Columns not used: ", "Also not used: ")
    return [line for line in lines if not line.startswith(heads)]


def at_once(works: Sequence[Callable[[], R]]) -> list[R | Exception]:
    """Runs all `works` at the same moment, a thread each; their answers, or what they raised."""
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], R]) -> R | Exception:
        barrier.wait()
        try:
            return work()
        except Exception as failure:
            return failure
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


class RecordingOutlet:
    """An `Outlet` that keeps what it is sent, until it is closed."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.close_code: int | None = None
        self.fast = None

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    def send(self, frames: list[str]) -> None:
        if self.close_code is None:
            self.texts += frames

    @property
    def is_gone(self) -> bool:
        return self.close_code is not None

    async def drained(self) -> bool:
        return not self.is_gone

    async def answer(self, make: Callable[[], str]) -> None:
        if self.close_code is None:
            self.send([make()])

    def close(self, code: int) -> None:
        if self.close_code is None:
            self.close_code = code


class HeldLayer(InMemoryChannelLayer):  # type: ignore[misc]
    """A channel layer that keeps every hint back until `deliver`, if that ever comes."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[dict[str, Any]] = []
        self._receiving: set[str] = set()

    async def receive(self, channel: str) -> Any:
        self._receiving.add(channel)
        try:
            return await super().receive(channel)
        finally:
            self._receiving.discard(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.held.append(message)

    async def deliver(self, message: dict[str, Any]) -> None:
        """To every process, the one that sent it too."""
        await super().group_send(hints.GROUP, message)

    @property
    def idle(self) -> bool:
        """Nothing waits for a process that is there to receive it."""
        return all(queue.empty() for channel, queue in self.channels.items() if channel in self._receiving)


class Process(Live):
    """One process's live sessions. It has no pulse: it looks when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self._hearing = 0
        self._dead = False

    async def _start(self) -> None:
        await super()._start()
        await self.watcher.stop()

    async def _heard(self, hint: LiveHint) -> None:
        self._hearing += 1
        try:
            await super()._heard(hint)
        finally:
            self._hearing -= 1

    @property
    def idle(self) -> bool:
        """Nothing is on its way through this process."""
        if self._dead:
            return True
        outbox = self._hints is None or self._hints._outbox.empty()
        looks = self.watcher._next_look is None and self.watcher._this_look is None
        return outbox and looks and not self._hearing and self._commits._task is None

    async def crash(self) -> None:
        """As SIGKILL ends it: nothing is drained. What its database connection was at is done or undone by then."""
        self._dead = True
        looks = self.watcher._next_look, self.watcher._this_look
        tasks = [self._commits._task, *looks, *(self._hints._tasks if self._hints else [])]
        ended = [task for task in tasks if task is not None]
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        for socket in list(self.hub):
            socket.outlet.close(1006)
            self.hub.remove(socket)
        await gateway.write(lambda: None)
        await gateway.read(lambda: None)


@dataclass(eq=False)
class Connection:
    """A client's connection to a process, served as the consumer does it."""

    process: Live
    user: User
    outlet: RecordingOutlet = field(default_factory=RecordingOutlet)
    socket: Socket = field(init=False)

    async def open(self) -> "Connection":
        await self.process.start()
        version = self.process.connections.accounts_version
        token = await gateway.read(lambda: tokens.issue(User.objects.get(pk=self.user.id)))
        actor, claims = await gateway.read(tokens.authenticate, token)
        self.socket = Socket(actor, claims, self.outlet)
        self.process.hub.add(self.socket)
        if self.process.connections.accounts_version != version:
            await self.process.connections.recheck()
        return self

    def cut(self) -> None:
        self.outlet.close(1006)
        self.process.hub.remove(self.socket)

    @property
    def is_open(self) -> bool:
        return self.outlet.close_code is None

    async def send(self, event: str, data: dict[str, Any] | None = None) -> None:
        try:
            await events.receive(self.process, self.socket, json.dumps({"event": event, "data": data or {}}))
        except ApiError as error:
            self.process.hub.tell(self.socket, wire.error_frame(error.message))
        if self.socket.catching_up is not None:
            await self.socket.catching_up

    async def mark(self, student: User, status: str = "present") -> None:
        await self.send("ATTENDANCE_MARKED", {"studentId": student.id, "status": status})

    @property
    def heard(self) -> list[dict[str, Any]]:
        """The frames so far; what a hub still holds comes with `Rig.settle`."""
        return self.outlet.frames

    def heard_of(self, event: str) -> list[dict[str, Any]]:
        return [frame for frame in self.heard if frame["event"] == event]


class Notices:
    """Stands where the services' signals meet the live server: `target` is the process that runs the service."""

    target: Live | None = None

    def notice(self) -> None:
        if self.target is not None:
            self.target.notice()


class Complaints(logging.Handler):
    """What the product logged as an error, and what the event loop complained of."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


class Rig:
    """Several processes in one event loop, and the layer between them."""

    def __init__(self, layer: HeldLayer, notices: Notices) -> None:
        self.layer = layer
        self.notices = notices

    async def process(self) -> Process:
        """A new process, started."""
        process = Process()
        await process.start()
        await self.settle(process)
        return process

    async def settle(self, *processes: Process) -> None:
        """Returns when nothing is on its way: commits, looks and delivered hints."""
        for _ in range(1000):
            for _ in range(5):
                await asyncio.sleep(0)  # callbacks, and tasks that begin
            if self.layer.idle and all(process.idle for process in processes):
                for process in processes:
                    process.hub.flush()
                return
            await gateway.write(lambda: None)  # its thread is what the rest waits for
            await gateway.read(lambda: None)
        raise AssertionError("the processes never come to rest")

    async def deliver_all(self, *processes: Process) -> None:
        """Every hint arrives, in order, and so do those that they lead to."""
        await self.settle(*processes)
        while self.layer.held:
            await self.layer.deliver(self.layer.held.pop(0))
            await self.settle(*processes)

    async def look(self, *processes: Process) -> None:
        """The look that a process takes once a second."""
        for process in processes:
            await process.look()
        await self.settle(*processes)


@pytest.fixture(autouse=True)
def patient_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """On MongoDB forty transactions at once wait for each other, on a slow machine longer than a client should."""
    monkeypatch.setattr("core.database.unit_of_work.RETRY_LIMIT", 60.0)


async def _close_connections() -> None:
    await gateway.write(connections.close_all)
    await gateway.read(connections.close_all)


@pytest.fixture
def gateway_threads() -> Iterator[None]:
    """For tests that use the gateway: its threads' connections are closed afterwards."""
    yield
    in_loop(_close_connections())


@pytest.fixture
def rig(gateway_threads: None, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Processes in the test's event loop: `a, b = await rig.process(), await rig.process()`."""
    layer, notices = HeldLayer(), Notices()
    before = channel_layers.set("default", layer)
    monkeypatch.setattr("attendance.live.process.live", notices)
    # Whatever time a test takes: no hints but the test's own, and silence is what the layer is for.
    monkeypatch.setattr(hints, "BEAT_INTERVAL", 1e6)
    monkeypatch.setattr(hints, "SILENCE", 1e6)
    yield Rig(layer, notices)
    channel_layers.set("default", before)


def in_loop(work: Coroutine[Any, Any, R]) -> R:
    """Runs `work` in an event loop of its own."""
    return asyncio.run(work)
