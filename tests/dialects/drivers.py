"""What a driver of a dialect is, for tests that run one scenario through each: tests/dialects/<name>/driver.py.

A new dialect adds a folder with a `driver.py` whose `Driver` is a `tests.dialects.drivers.Driver`; one that is deleted
takes its driver with it.
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
    """A connected socket of the dialect, which hears marks."""

    @abstractmethod
    async def mark(self) -> tuple[str, str]:
        """The next mark that it hears: the student's id, `present` or `absent`."""


class Driver(ABC):
    """One person's way to do, in the dialect's words, what every dialect can do, in one class."""

    #: The package that serves the dialect; None for the canonical protocol.
    package: ClassVar[str | None]
    #: Whether a teacher can mark somebody absent.
    marks_absent: ClassVar[bool] = True
    #: Whether its sockets hear that somebody is absent.
    hears_absent: ClassVar[bool] = True

    def __init__(self, server: Server, room: Room) -> None:
        self.server = server
        self.room = room

    @abstractmethod
    async def start(self) -> None:
        """The teacher starts the class's session, or resumes it."""

    @abstractmethod
    async def mark(self, student: Person, status: str) -> None:
        """The teacher marks `student`; done when it is committed."""

    @abstractmethod
    async def summary(self) -> tuple[int, list[str]]:
        """As the teacher is told during the session: how many are present, and who, or [] if it does not say."""

    @abstractmethod
    async def own_status(self, student: Person) -> str | None:
        """As the student, or where students cannot ask the teacher, is told: `present`, `absent`, None for no mark."""

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
        """A socket of `person`, who belongs to the class, while its session is open."""


def discover() -> dict[str, type[Driver]]:
    """The drivers by dialect, of those dialects that are there."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*/driver.py")):
        driver: Any = importlib.import_module(f"tests.dialects.{path.parent.name}.driver").Driver
        if driver.package is None or importlib.util.find_spec(driver.package) is not None:
            found[path.parent.name] = driver
    return found


Listening = AsyncIterator[Listener]
