"""A school for a week: its people and their devices, a server at the hours of a timetable, and a log of its own.

The log says what was done, in the words of the contract, and counts by the contract's rule with nothing of the product.
"""

import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import openpyxl

from tests.programs import at
from tests.support.clients import NO_CERTIFICATES
from tests.support.server import Server

ZONE = ZoneInfo("Europe/Berlin")
#: Between the two last ones the clocks go back: a lesson at 9 begins at 7 in UTC on Friday, and at 8 on Monday.
THURSDAY, FRIDAY, MONDAY = date(2026, 10, 22), date(2026, 10, 23), date(2026, 10, 26)

TEACHERS = ("Ada Lovelace", "Emmy Noether", "Kurt Goedel")
#: Class and the number of its teacher.
CLASSES = {
    "Algebra": 0,
    "Botany": 0,
    "Chemistry": 0,
    "Drama": 1,
    "English": 1,
    "French": 1,
    "Geography": 2,
    "History": 2,
}
_FIRST = ("Anna", "Ben", "Chen", "Dana", "Emil", "Fatma", "Goran", "Hana", "Ivan", "Jana", "Karim", "Lea")
_LAST = ("Adler", "Berger", "Conti", "Duarte", "Egger", "Fischer", "Gupta", "Haddad", "Ibsen", "Janssen")


@dataclass
class Pupil:
    """A student. `email` is `""` for one in ten; `_id` is known once the student is on a roster."""

    name: str
    roll_number: str
    email: str
    id: str = ""


def pupils() -> list[Pupil]:
    made = []
    for number, (first, last) in enumerate(product(_FIRST, _LAST)):
        email = "" if number % 10 == 9 else f"{first}.{last}@pupils.example.com".lower()
        made.append(Pupil(f"{first} {last}", f"{number + 1:03}", email))
    return made


def list_as_csv(members: Iterable[Pupil]) -> bytes:
    lines = ["Roll number;Name;E-mail;Locker", *(f"{one.roll_number};{one.name};{one.email};x" for one in members)]
    return "\r\n".join(lines).encode("utf-8-sig")


def list_as_workbook(members: Iterable[Pupil]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.append(["Name", "E-mail", "Roll number"])
    for one in members:
        sheet.append([one.name, one.email, one.roll_number])
    book.save(file)
    return file.getvalue()


class Device:
    """A phone or a computer: it keeps its cookies, and the token of whoever signed in last."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=f"{server.url}/api/v2", timeout=60, verify=NO_CERTIFICATES)
        self.token = ""

    def ask(self, method: str, path: str, body: Any = None, status: int | None = None, **options: Any) -> Any:
        """The answer's `data`, or with `status` the code of a failure."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.http.request(method, path, json=body, headers=headers, **options)
        if status is not None:
            assert answer.status_code == status, answer.text
            return answer.json()["code"]
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()["data"] if answer.content else None

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, {} if body is None else body)

    def send(self, path: str, name: str, content: bytes) -> Any:
        """Sends a file."""
        return self.ask("POST", path, files={"file": (name, content)})

    def file(self, path: str) -> bytes:
        answer = self.http.get(path, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.is_success, answer.text
        return answer.content

    def sign_in(self, login: str, password: str) -> "Device":
        self.token = ""
        self.token = self.post("/auth/login", {"login": login, "password": password})["token"]
        return self


class Hours:
    """One server and one database. Each time that it is opened, its clock says another hour of the school."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def open(self, day: date, clock: str) -> None:
        """The server is started again on this day at this time; what ran before has stopped or was killed."""
        if self.server.running:
            assert self.server.stop() == 0, self.server.log_text()
        self.server.command = [sys.executable, at.SCRIPT, moment(day, clock), "serve", "--port", "{port}"]
        self.server.start()


def moment(day: date, clock: str) -> str:
    """A time of the school, in UTC."""
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC).isoformat().replace("+00:00", "Z")


# What was done, and what it comes to

STATUSES = ("present", "late", "absent", "excused")


@dataclass
class Lesson:
    """A lesson of the log: what was last said of whom on its roster."""

    class_name: str
    day: date
    hour: int
    roster: Sequence[str]
    said: dict[str, str] = field(default_factory=dict)

    def end(self) -> None:
        """Who is on the roster and of whom nothing was said is absent."""
        for pupil in self.roster:
            self.said.setdefault(pupil, "absent")


@dataclass(frozen=True)
class Total:
    """What records come to, by the contract: present and late count as attended, excused is left out."""

    statuses: Sequence[str]

    @property
    def counts(self) -> dict[str, int]:
        return {status: self.statuses.count(status) for status in STATUSES}

    @property
    def attended(self) -> int:
        return self.counts["present"] + self.counts["late"]

    @property
    def lessons(self) -> int:
        return len(self.statuses) - self.counts["excused"]

    @property
    def percent(self) -> float | None:
        """One decimal, halves up; None without lessons."""
        if not self.lessons:
            return None
        exact = Decimal(100 * self.attended) / self.lessons
        return float(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))

    @property
    def shown(self) -> dict[str, Any]:
        """As a report of JSON has it."""
        counts = {**self.counts, "unmarked": 0}
        return {"attended": self.attended, "total": self.lessons, "percent": self.percent, "counts": counts}

    @property
    def cells(self) -> list[Any]:
        """As the columns of a file have it."""
        percent = "" if self.percent is None else self.percent
        return [*self.counts.values(), self.attended, self.lessons, percent]


@dataclass
class Log:
    """The finished lessons in the order of time, and from when to when somebody is in a class, where that is said."""

    lessons: list[Lesson] = field(default_factory=list)
    since: dict[tuple[str, str], date] = field(default_factory=dict)
    until: dict[tuple[str, str], date] = field(default_factory=dict)

    def of_class(self, name: str) -> list[Lesson]:
        return [lesson for lesson in self.lessons if lesson.class_name == name]

    def status(self, lesson: Lesson, pupil: str) -> str | None:
        """The record that counts: one of a day within the enrolment."""
        key = (lesson.class_name, pupil)
        if not self.since.get(key, date.min) <= lesson.day <= self.until.get(key, date.max):
            return None
        return lesson.said.get(pupil)

    def total(self, lessons: Iterable[Lesson], pupils: Iterable[str]) -> Total:
        everybody = list(pupils)
        found = [self.status(lesson, pupil) for lesson in lessons for pupil in everybody]
        return Total([status for status in found if status is not None])

    def known_in(self, class_name: str) -> set[str]:
        """Who has a record of the class that counts."""
        found = [(lesson, pupil) for lesson in self.of_class(class_name) for pupil in lesson.said]
        return {pupil for lesson, pupil in found if self.status(lesson, pupil) is not None}

    def enrolled(self, class_name: str, rosters: Mapping[str, Sequence[str]]) -> list[str]:
        """Who is in the class after all that happened."""
        return [pupil for pupil in rosters[class_name] if (class_name, pupil) not in self.until]

    def weeks(self, lessons: Iterable[Lesson], pupils: Iterable[str]) -> list[tuple[str, Total]]:
        """Monday of a week, and what its records come to."""
        everybody, by_monday = list(pupils), dict[str, list[Lesson]]()
        for lesson in lessons:
            year, week, _ = lesson.day.isocalendar()
            by_monday.setdefault(date.fromisocalendar(year, week, 1).isoformat(), []).append(lesson)
        return [(monday, self.total(held, everybody)) for monday, held in sorted(by_monday.items())]

    def told(self, class_name: str, rosters: Mapping[str, Sequence[str]], *, below: int) -> set[tuple[str, str, str]]:
        """`(event, class, pupil)` of what there is to tell: two absences in a row, less than `below` percent."""
        held = self.of_class(class_name)
        found = set()
        for pupil in self.enrolled(class_name, rosters):
            mine = [status for lesson in held if (status := self.status(lesson, pupil)) is not None]
            counted = [status for status in mine if status != "excused"]
            if counted[-2:] == ["absent", "absent"]:
                found.add(("absent.consecutive", class_name, pupil))
            percent = Total(mine).percent
            if percent is not None and percent < below:
                found.add(("threshold.crossed", class_name, pupil))
        return found


def numbers(cells: Iterable[str]) -> list[Any]:
    """Cells of a CSV file as what they stand for."""
    return [float(cell) if re.fullmatch(r"\d+(\.\d)?", cell) else cell for cell in cells]
