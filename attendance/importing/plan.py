"""The plan of an import: documents compared with each other and with the database. Reads only."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import groupby
from typing import Any, Generic, TypeVar

from accounts.models import User
from attendance.enums import SessionState, Status
from attendance.importing import documents
from attendance.importing.documents import Group, Person, Record, Refused
from attendance.importing.sources import Document
from attendance.models import Attendance, Session
from classes.models import Class, Enrolment
from core.database.batches import batches
from core.identity import Role

T = TypeVar("T")

#: In a class that took attendance more than once, a pause this long is between two sessions.
PAUSE = timedelta(minutes=10)

#: What is counted, in the order of the report.
COLLECTIONS = ("users", "classes", "enrolments", "attendances")


class Outcome(Enum):
    """What becomes of one document, or of one student of a class."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    KEPT = "kept as it is here"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """A document that is not simply imported: where it stands, what it is, and why it is not imported."""

    place: str
    label: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A document that has its shape."""

    place: str
    label: str
    item: T


@dataclass
class Source:
    """All documents that have their shape, and a row for each document that has not."""

    people: list[Read[Person]] = field(default_factory=list)
    groups: list[Read[Group]] = field(default_factory=list)
    records: list[Read[Record]] = field(default_factory=list)
    refused: dict[str, list[Row]] = field(default_factory=dict)


@dataclass
class Lesson:
    """Records that become one session, or join one that is here already: then `known_seq` is its last mark."""

    id: str
    class_id: str
    teacher_id: str
    records: list[Record]
    started_at: datetime
    ended_at: datetime
    known_seq: int | None = None


@dataclass
class Plan:
    """What is to be written, and the report. `rows` has no row for documents that are created or unchanged."""

    people: list[Person] = field(default_factory=list)
    groups: list[tuple[Group, list[str]]] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    totals: Counter[tuple[str, Outcome]] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return sum(count for (_, outcome), count in self.totals.items() if outcome is Outcome.REFUSED)

    def note(self, collection: str, outcome: Outcome, read: "Read[Any]", reason: str = "") -> None:
        self.totals[collection, outcome] += 1
        if reason:
            self.rows.append(Row(read.place, read.label, outcome, reason))


def derived_id(kind: str, *sources: str) -> str:
    """The id of something that the source has no id for: always the same for the same source."""
    return hashlib.sha256(":".join((kind, *sources)).encode()).hexdigest()[:24]


def source_of(
    found: Mapping[str, Iterable[Document] | None],
) -> Source:
    """The documents by their shapes. A second one with the same `_id` is refused."""
    source = Source()
    source.people = _shaped(source, "users", found.get("users"), documents.person)
    source.groups = _shaped(source, "classes", found.get("classes"), documents.group)
    source.records = _shaped(source, "attendances", found.get("attendances"), documents.record)
    return source


def _shaped(
    source: Source, collection: str, found: Iterable[Document] | None, shape: Callable[[object], T]
) -> list[Read[T]]:
    good: list[Read[T]] = []
    bad = source.refused.setdefault(collection, [])
    places: dict[str, str] = {}
    for document in found or ():
        label = documents.label(document.value)
        try:
            item: Any = shape(document.value)
            if item.id in places:
                raise Refused(f"it has the same _id as {places[item.id]}")
        except Refused as refusal:
            bad.append(Row(document.place, label, Outcome.REFUSED, str(refusal)))
        else:
            places[item.id] = document.place
            good.append(Read(document.place, label, item))
    return good


def plan_import(source: Source) -> Plan:
    """The plan for importing `source` into the database as it is now."""
    return _Planner(source).plan


class _Planner:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.plan = Plan()
        #: Everybody whom classes and records may name, and the teacher of each class that records may name.
        self.roles: dict[str, str] = {}
        self.teachers: dict[str, str] = {}
        self._begin("users")
        self._plan_people()
        self._begin("classes")
        self._plan_groups()
        self._begin("attendances")
        self._plan_records()

    def _begin(self, collection: str) -> None:
        for row in self.source.refused.get(collection, ()):
            self.plan.totals[collection, Outcome.REFUSED] += 1
            self.plan.rows.append(row)

    # Users

    def _plan_people(self) -> None:
        named = {read.item.id for read in self.source.people}
        for group in self.source.groups:
            named.update((group.item.teacher_id, *group.item.student_ids))
        named.update(read.item.student_id for read in self.source.records)
        here = {
            row["id"]: row
            for some in batches(sorted(named))
            for row in User.objects.filter(pk__in=some).values("id", "name", "email", "role")
        }
        self.roles = {key: row["role"] for key, row in here.items()}
        owners = {
            key: owner
            for some in batches([read.item.email_key for read in self.source.people])
            for key, owner in User.objects.filter(email_key__in=some).values_list("email_key", "id")
        }
        first: dict[str, str] = {}
        for read in self.source.people:
            person, row = read.item, here.get(read.item.id)
            if row is not None:
                first.setdefault(person.email_key, read.place)
                self._compare(
                    "users",
                    read,
                    {key: row[key] for key in ("name", "email", "role")},
                    {"name": person.name, "email": person.email, "role": person.role},
                )
            elif person.email_key in owners:
                reason = f"its e-mail belongs to another account here ({owners[person.email_key]})"
                self.plan.note("users", Outcome.REFUSED, read, reason)
            elif person.email_key in first:
                reason = f"it has the same e-mail as {first[person.email_key]} (another spelling makes no other)"
                self.plan.note("users", Outcome.REFUSED, read, reason)
            else:
                first[person.email_key] = read.place
                self.roles[person.id] = person.role
                self.plan.people.append(person)
                self.plan.note("users", Outcome.CREATED, read)

    def _compare(
        self, collection: str, read: Read[Any], here: Mapping[str, object], there: Mapping[str, object]
    ) -> None:
        other = [key for key in there if here[key] != there[key]]
        if other:
            self.plan.note(collection, Outcome.KEPT, read, f"the source has another {' and '.join(other)}")
        else:
            self.plan.note(collection, Outcome.UNCHANGED, read)

    def _fault_of(self, person_id: str, role: Role) -> str | None:
        """Why `person_id` names nobody of this role."""
        found = self.roles.get(person_id)
        if found is None:
            return f"its {role} {person_id} has no account (missing, or refused above)"
        return None if found == role else f"{person_id}, its {role}, is a {found}"

    # Classes

    def _plan_groups(self) -> None:
        named = {read.item.id for read in self.source.groups}
        named.update(read.item.class_id for read in self.source.records)
        here: dict[str, dict[str, Any]] = {}
        rosters: dict[str, set[str]] = {}
        for some in batches(sorted(named)):
            here.update(
                (row["id"], {**row}) for row in Class.objects.filter(pk__in=some).values("id", "name", "teacher_id")
            )
            enrolled = Enrolment.objects.filter(class_ref_id__in=some).values_list("class_ref_id", "student_id")
            for class_id, student_id in enrolled:
                rosters.setdefault(class_id, set()).add(student_id)
        self.teachers = {key: row["teacher_id"] for key, row in here.items()}
        for read in self.source.groups:
            group, row = read.item, here.get(read.item.id)
            fault = self._fault_of(group.teacher_id, Role.TEACHER) if row is None else None
            if fault is not None:
                self.plan.note("classes", Outcome.REFUSED, read, fault)
                continue
            students = self._students_of(read)
            if row is None:
                self.teachers[group.id] = group.teacher_id
                self.plan.groups.append((group, students))
                self.plan.note("classes", Outcome.CREATED, read)
                self.plan.totals["enrolments", Outcome.CREATED] += len(students)
                continue
            roster = rosters.get(group.id, set())
            self._compare(
                "classes",
                read,
                {"name": row["name"], "teacher": row["teacher_id"], "roster": roster},
                {"name": group.name, "teacher": group.teacher_id, "roster": set(students)},
            )
            enrolled_already = sum(student in roster for student in students)
            self.plan.totals["enrolments", Outcome.UNCHANGED] += enrolled_already
            self.plan.totals["enrolments", Outcome.KEPT] += len(students) - enrolled_already

    def _students_of(self, read: Read[Group]) -> list[str]:
        """The students who can be enrolled. The others are refused one by one."""
        students = []
        for student_id in read.item.student_ids:
            fault = self._fault_of(student_id, Role.STUDENT)
            if fault is None:
                students.append(student_id)
            else:
                self.plan.note("enrolments", Outcome.REFUSED, read, fault)
        return students

    # Attendances

    def _plan_records(self) -> None:
        here = {
            row["id"]: row
            for some in batches([read.item.id for read in self.source.records])
            for row in Attendance.objects.filter(pk__in=some).values(
                "id", "class_ref_id", "session_id", "student_id", "status"
            )
        }
        usable = []
        for read in self.source.records:
            record, row = read.item, here.get(read.item.id)
            if row is not None:
                self._compare(
                    "attendances",
                    read,
                    {"class": row["class_ref_id"], "student": row["student_id"], "status": row["status"]},
                    {"class": record.class_id, "student": record.student_id, "status": record.status},
                )
                if row["class_ref_id"] == record.class_id:
                    usable.append(read)
                continue
            if record.class_id not in self.teachers:
                fault: str | None = f"its class {record.class_id} is not there (missing, or refused above)"
            else:
                fault = self._fault_of(record.student_id, Role.STUDENT)
            if fault is None:
                usable.append(read)
            else:
                self.plan.note("attendances", Outcome.REFUSED, read, fault)
        self._plan_lessons(usable, {key: row["session_id"] for key, row in here.items()})

    def _plan_lessons(self, usable: list[Read[Record]], session_of: Mapping[str, str]) -> None:
        """Puts the records that are not in the database (not in `session_of`) into new sessions or existing ones."""
        drafts: dict[str, tuple[Lesson, list[Read[Record]]]] = {}
        usable.sort(key=lambda read: (read.item.class_id, read.item.at, read.item.id))
        for class_id, group in groupby(usable, key=lambda read: read.item.class_id):
            before: datetime | None = None
            for some in split(list(group)):
                records = [read.item for read in some]
                known = next((session_of[record.id] for record in records if record.id in session_of), None)
                started_at, ended_at = records[0].at, records[-1].at
                if before is not None and ended_at <= before:
                    # The session that ended last counts, so no two sessions of a class may end at the same moment.
                    started_at, ended_at = before, before + timedelta(milliseconds=1)
                before = ended_at
                key = known or derived_id("session", class_id, records[0].id)
                lesson = Lesson(key, class_id, self.teachers[class_id], [], started_at, ended_at)
                new = [read for read in some if read.item.id not in session_of]
                if new:
                    drafts.setdefault(key, (lesson, []))[1].extend(new)
        here = self._sessions_here(list(drafts))
        for lesson, new in drafts.values():
            state, lesson.known_seq, marked = here.get(lesson.id, (SessionState.ENDED, None, set()))
            for read in new:
                if state != SessionState.ENDED:
                    self.plan.note("attendances", Outcome.REFUSED, read, f"its session here is {state}")
                elif read.item.student_id in marked:
                    reason = f"its session here has a record of {read.item.student_id} already"
                    self.plan.note("attendances", Outcome.REFUSED, read, reason)
                else:
                    lesson.records.append(read.item)
                    marked.add(read.item.student_id)
                    self.plan.note("attendances", Outcome.CREATED, read)
            if lesson.records:
                self.plan.lessons.append(lesson)

    def _sessions_here(self, ids: Sequence[str]) -> dict[str, tuple[str, int | None, set[str]]]:
        """State, last seq and students of the sessions that are in the database already."""
        sessions: dict[str, tuple[str, int]] = {}
        students: dict[str, set[str]] = {}
        for some in batches(ids):
            rows = Session.objects.filter(pk__in=some).values_list("id", "state", "last_seq")
            sessions.update((key, (state, seq)) for key, state, seq in rows)
        for some in batches(list(sessions)):
            for key, student in Attendance.objects.filter(session_id__in=some).values_list("session_id", "student_id"):
                students.setdefault(key, set()).add(student)
        return {key: (state, seq, students.get(key, set())) for key, (state, seq) in sessions.items()}


def split(records: Sequence[Read[Record]]) -> Iterator[list[Read[Record]]]:
    """The records of one class, in the order of their times, by the sessions that they came from.

    With each student once they are the last state of everybody, which those systems keep: one session. Otherwise
    a session ends with a pause of `PAUSE`, or before a student who appears again.
    """
    repeated = len({read.item.student_id for read in records}) < len(records)
    some: list[Read[Record]] = []
    seen: set[str] = set()
    for read in records:
        if some and repeated and (read.item.student_id in seen or read.item.at - some[-1].item.at > PAUSE):
            yield some
            some, seen = [], set()
        some.append(read)
        seen.add(read.item.student_id)
    if some:
        yield some


def present_among(records: Iterable[Record]) -> int:
    return sum(record.status is Status.PRESENT for record in records)
