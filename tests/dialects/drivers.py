"""Drivers run one scenario through every dialect: each has a `Driver` in its tests/dialects/<name>/driver.py.

A new dialect needs such a module. The driver of a deleted dialect is passed over.
"""

import importlib
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar

from tests.support.clients import Person, Room
from tests.support.server import Server


class Listener(ABC):
    """A connected socket of the dialect; it hears marks."""

    @abstractmethod
    async def mark(self) -> tuple[str, str]:
        """The next mark that the socket hears: the student's id, and `present` or `absent`."""


class Driver(ABC):
    """A lesson in one class, with the means of the dialect."""

    #: The dialect's package; None for the canonical protocol.
    package: ClassVar[str | None]
    #: Whether a teacher can mark somebody absent.
    marks_absent: ClassVar[bool] = True
    #: Whether the dialect's sockets hear that somebody is absent.
    hears_absent: ClassVar[bool] = True
    #: Whether a student's socket hears the marks of others.
    students_hear_others: ClassVar[bool] = True

    def __init__(self, server: Server, room: Room) -> None:
        self.server = server
        self.room = room

    @abstractmethod
    async def start(self) -> None:
        """The teacher starts the class's session, or resumes it."""

    @abstractmethod
    async def mark(self, student: Person, status: str) -> None:
        """The teacher marks `student`. Returns when the mark is committed."""

    @abstractmethod
    async def summary(self) -> tuple[int, list[str]]:
        """The teacher's view of the session: how many are present, and who; [] if the dialect does not tell who."""

    @abstractmethod
    async def own_status(self, student: Person) -> str | None:
        """The student's status in the session: `present`, `absent`, or None without a mark."""

    @abstractmethod
    async def finish(self) -> None:
        """The teacher ends the session."""

    async def record(self, student: Person) -> str | None:
        """The student's record of the class's last session."""
        answer = student.data("GET", f"/class/{self.room.class_id}/my-attendance")
        status: str | None = answer["status"]
        return status

    @abstractmethod
    def listen(self, person: Person) -> AbstractAsyncContextManager[Listener]:
        """A socket of `person`, a member of the class, while the session is open."""


def discover() -> dict[str, type[Driver]]:
    """The drivers of the dialects that are there, by the dialects' names."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*/driver.py")):
        driver: Any = importlib.import_module(f"tests.dialects.{path.parent.name}.driver").Driver
        if driver.package is None or importlib.util.find_spec(driver.package) is not None:
            found[path.parent.name] = driver
    return found


Listening = AsyncIterator[Listener]
