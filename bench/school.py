"""A school with its past: what the live path, `DONE` and the timetable leave behind, by the models' bulk writes.

Each year of 190 days has 40 lessons a day, in 100 classes of 30. 90 of the classes are made anew each year and archived
in the end, 10 go on; a fifth of the students leave and are followed by others. In half of the classes lessons open by
themselves and students check in on devices of their own, in the other half a teacher taps each student who is there.
Then the teacher marks the rest as absent, and ends the lesson. Guardians are told (`NOTICE_TO`).

A test takes real lessons of both kinds and compares what they leave, table by table and column by column.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Model

from accounts.models import Origin, StudentProfile, User
from accounts.passwords import hash_password
from attendance.enums import ExcuseState, Method, SessionState, Status
from attendance.models import Attendance, CheckIn, CheckInDevice, Excuse, ExcusedClass, Focus, Mark, Session
from audit.models import Action, Entry
from classes.models import Class, Enrolment, Holiday, Slot
from core.database.batches import batches, insert_as_they_are
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from core.ids import new_id
from core.times import local_instant, midnight, now, today
from notices.models import Kind, Notice
from notices.watching import key_of

#: From one year's day to the same day of the next, in whole weeks.
YEAR = timedelta(weeks=52)
#: When the lessons of a day begin; each lasts so long.
HOURS = (time(8), time(9), time(10), time(11), time(13), time(14))
LENGTH = timedelta(minutes=50)
#: Weeks before the last one that are holidays.
HOLIDAYS = (6, 7, 17, 18, 27, 36)

#: How those are marked who are there, over and over.
HOW = (Status.PRESENT,) * 19 + (Status.LATE,)

_FIRST = (
    *(
        "Asha",
        "Ben",
        "Chloé",
        "Dmitri",
        "Elif",
        "Fatima",
        "Gustav",
        "Hana",
        "Iker",
        "Jonas",
        "Kavita",
        "Leila",
        "Mateo",
    ),
    *("Noor", "Olga", "Pedro", "Qi", "Rosa", "Samir", "Tuyết", "Uma", "Viktor", "Wanjiru", "Ximena", "Yusuf", "Zoë"),
)
_LAST = (
    *("Rao", "Ortiz", "Lefèvre", "Ivanov", "Yılmaz", "Haddad", "Lindqvist", "Sato", "Etxeberria", "Weber", "Sharma"),
    *("Rahimi", "García", "Okafor", "Petrova", "Alves", "Chen", "Moretti", "Khan", "Nguyễn", "Iyer", "Novák"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the school is. A class has two lessons a week, so `classes` are `2.5 *` the lessons of a day."""

    years: int = 1
    students: int = 2000
    teachers: int = 60
    classes: int = 100
    #: So many of the classes go on from year to year.
    lasting: int = 10
    roster: int = 30
    days: int = 190

    @property
    def lessons_a_day(self) -> int:
        return self.classes * 2 // 5


@dataclass(slots=True)
class Group:
    """A class of a year, with those who are in it."""

    id: str
    name: str
    teacher_id: str
    checks_in: bool
    student_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class School:
    """What was made: whom to ask as, and what to ask for."""

    office_id: str = ""
    #: The classes of the last year: first those that go on from year to year.
    groups: list[Group] = field(default_factory=list)
    lessons: int = 0
    marks: int = 0


def make_school(plan: Plan, advance: Callable[[str], object] = lambda _: None) -> School:
    """Makes the school in the default database; `advance` is told of each week that is there."""
    return _Maker(plan, advance).make()


def find_school() -> School | None:
    """The school that was made in the default database; None where nobody has an account."""
    office = User.objects.filter(is_superuser=True).first()
    if office is None:
        return None
    rosters: dict[str, list[str]] = {}
    rows = Enrolment.objects.current().order_by("id").values_list("class_ref_id", "student_id")
    for class_id, student_id in rows:
        rosters.setdefault(class_id, []).append(student_id)
    groups = [
        Group(found.id, found.name, found.teacher_id, found.opens_by_itself, rosters[found.id])
        for found in Class.objects.filter(archived_at=None).order_by("id")
    ]
    return School(office.id, groups, Session.objects.count(), Mark.objects.count())


def school_days(plan: Plan, year: int) -> list[date]:
    """The days of the year, the oldest first. Of the last year the last one is before today."""
    found: list[date] = []
    last = today() - timedelta(days=1)
    for back in itertools.count():
        day = last - timedelta(days=back)
        if day.isoweekday() < 6 and (last - day).days // 7 not in HOLIDAYS:
            found.append(day)
            if len(found) == plan.days:
                break
    ago = YEAR * (plan.years - 1 - year)
    return [day - ago for day in reversed(found)]


class _Maker:
    def __init__(self, plan: Plan, advance: Callable[[str], object]) -> None:
        self.plan, self.advance = plan, advance
        self.chance = random.Random(9)
        self.school = School()
        self.teacher_ids: list[str] = []
        self.student_ids: list[str] = []
        self.numbers = itertools.count(1)
        self.focus = 0
        self.password = hash_password("correct horse")
        #: What of the audit log is kept.
        self.audited_since = now() - timedelta(days=settings.AUDIT_DAYS)

    def make(self) -> School:
        school = self.school
        (school.office_id,) = self._people(Role.TEACHER, 1, is_staff=True, is_superuser=True)
        self.teacher_ids = self._people(Role.TEACHER, self.plan.teachers)
        for year in range(self.plan.years):
            days = school_days(self.plan, year)
            self._begin_year(year, days)
            self._excuses(days)
            for week in batches(days, 5):
                self._lessons_of(week)
                self.advance(f"Year {year + 1} of {self.plan.years}, until {week[-1]}: {school.lessons:,} lessons")
        self._standing()
        return school

    @unit_of_work
    def _standing(self) -> None:
        """A student of each class attended too little until now, and was absent from its last lessons."""
        _insert(
            Notice,
            [
                Notice(
                    id=new_id(),
                    kind=kind,
                    key=key_of(kind, group.id, group.student_ids[-1]),
                    class_ref_id=group.id,
                    student_id=group.student_ids[-1],
                    created_at=now(),
                )
                for group in self.school.groups
                for kind in (Kind.BELOW, Kind.AWAY)
            ],
        )

    # Who is there

    @unit_of_work
    def _people(self, role: Role, count: int, **fields: Any) -> list[str]:
        people = []
        for number in itertools.islice(self.numbers, count):
            name = f"{self.chance.choice(_FIRST)} {self.chance.choice(_LAST)}"
            email = f"person{number:05}@school.example.org"
            person = User(id=new_id(), name=name, email=email, role=role, password=self.password, **fields)
            person.email_verified_at = person.last_login = now()
            if role is Role.STUDENT:
                person.roll_number, person.origin = f"R-{number:05}", Origin.SHEET
            people.append(person)
        for some in batches(people):
            User.objects.bulk_create(some)
        if role is Role.STUDENT:
            profiles = [StudentProfile(id=new_id(), user=one, guardian_email=f"guardian.{one.email}") for one in people]
            _insert(StudentProfile, profiles)
        return [person.id for person in people]

    def _begin_year(self, year: int, days: Sequence[date]) -> None:
        """Who leaves is followed by others; classes are archived, and others made."""
        plan = self.plan
        leaving = self.student_ids[: plan.students // 5] if year else []
        coming = self._people(Role.STUDENT, plan.students - len(self.student_ids) + len(leaving))
        self.student_ids = [*self.student_ids[len(leaving) :], *coming]
        self._end_year(leaving, days[0])
        self._classes(year, days)

    @unit_of_work
    def _end_year(self, leaving: Sequence[str], first: date) -> None:
        old = self.school.groups
        going = [group.id for group in old[self.plan.lasting :]]
        Class.objects.filter(pk__in=going).update(archived_at=midnight(first))
        for some in batches(leaving):
            User.objects.filter(pk__in=list(some)).update(is_active=False)
            Enrolment.objects.filter(student_id__in=list(some), until=None).update(until=first - timedelta(days=1))
        for group in old:
            group.student_ids = [key for key in group.student_ids if key not in set(leaving)]

    @unit_of_work
    def _classes(self, year: int, days: Sequence[date]) -> None:
        plan, school = self.plan, self.school
        kept = school.groups[: plan.lasting]
        made = [self._group(number, year) for number in range(len(kept), plan.classes)]
        school.groups = [*kept, *made]
        dealt = itertools.cycle(self.chance.sample(self.student_ids, len(self.student_ids)))
        enrolments: list[Model] = []
        for group in school.groups:
            has = set(group.student_ids)
            for key in itertools.islice((key for key in dealt if key not in has), plan.roster - len(has)):
                group.student_ids.append(key)
                enrolments.append(Enrolment(id=new_id(), class_ref_id=group.id, student_id=key, since=days[0]))
        began = midnight(days[0])
        for row in enrolments:
            row.created_at = began  # type: ignore[attr-defined]
        classes = [
            Class(
                id=group.id,
                name=group.name,
                teacher_id=group.teacher_id,
                opens_by_itself=group.checks_in,
                roster_version=plan.roster,
                created_at=began,
                updated_at=began,
            )
            for group in made
        ]
        Class.objects.bulk_create(classes)
        _insert(Enrolment, enrolments)
        _insert(Slot, [slot for number, group in enumerate(school.groups) for slot in self._slots(number, group, days)])
        weeks = {day - timedelta(days=day.weekday()) for day in days}
        _insert(
            Holiday,
            [
                Holiday(id=new_id(), name="Holidays", since=monday, until=monday + timedelta(days=6))
                for monday in _mondays(days)
                if monday not in weeks
            ],
        )

    def _group(self, number: int, year: int) -> Group:
        name = f"Course {number + 1:03} of year {year + 1}"
        teachers = self.teacher_ids
        return Group(new_id(), name, teachers[number % len(teachers)], checks_in=number % 2 == 0)

    def _slots(self, number: int, group: Group, days: Sequence[date]) -> Iterator[Slot]:
        for weekday, start in self._times(number):
            end = (datetime.combine(days[0], start) + LENGTH).time()
            yield Slot(
                id=new_id(),
                class_ref_id=group.id,
                weekday=weekday,
                start=f"{start:%H:%M}",
                end=f"{end:%H:%M}",
                since=days[0],
                until=days[-1],
                room=f"Room {number % 30}",
            )

    def _times(self, number: int) -> list[tuple[int, time]]:
        """The weekdays and times of a class's two lessons of a week."""
        lessons = [divmod(2 * number + lesson, self.plan.lessons_a_day) for lesson in range(2)]
        return [(day + 1, HOURS[place % len(HOURS)]) for day, place in lessons]

    @unit_of_work
    def _excuses(self, days: Sequence[date]) -> None:
        """Each student announces an absence of a day once a year, from each of their classes."""
        classes: dict[str, list[Group]] = {}
        for group in self.school.groups:
            for key in group.student_ids:
                classes.setdefault(key, []).append(group)
        excuses, excused = [], []
        for key, groups in classes.items():
            since = midnight(self.chance.choice(days))
            excuse = Excuse(
                id=new_id(),
                student_id=key,
                since=since,
                until=since + timedelta(days=1),
                whole_days=True,
                note="at the doctor's",
                created_at=since,
            )
            excuses.append(excuse)
            excused += [
                ExcusedClass(
                    id=new_id(),
                    excuse_id=excuse.id,
                    class_ref_id=group.id,
                    state=ExcuseState.APPROVED,
                    decided_by_id=group.teacher_id,
                    decided_at=since,
                )
                for group in groups
            ]
        _insert(Excuse, excuses)
        _insert(ExcusedClass, excused)

    # What happens

    @unit_of_work
    def _lessons_of(self, week: Sequence[date]) -> None:
        by_day = {day.isoweekday(): day for day in week}
        planned = [
            (local_instant(by_day[weekday], start), group)
            for number, group in enumerate(self.school.groups)
            for weekday, start in self._times(number)
            if weekday in by_day
        ]
        rows = _Rows()
        for start, group in sorted(planned, key=lambda lesson: lesson[0]):
            self._lesson(rows, start, group)
        self.school.lessons += len(planned)
        self.school.marks += len(rows.marks)
        for day in week:
            self._sign_ins(rows, day)
        rows.marks.sort(key=lambda mark: mark.at)  # lessons of one hour are marked at once
        rows.insert()
        _focus(rows.sessions[-1].id, self.focus)

    def _lesson(self, rows: "_Rows", start: datetime, group: Group) -> None:
        self.focus += 0 if group.checks_in else 1
        session = Session(
            id=new_id(),
            class_ref_id=group.id,
            state=SessionState.ENDED,
            started_at=start,
            started_by_id=group.teacher_id,
            last_seq=len(group.student_ids),
            last_activity_at=start + timedelta(minutes=12),
            check_in_version=int(group.checks_in),
            ended_at=start + LENGTH,
            focus_number=0 if group.checks_in else self.focus,
            planned_for=start if group.checks_in else None,
            ends_at=start + LENGTH if group.checks_in else None,
        )
        away = set(self.chance.sample(group.student_ids, max(1, len(group.student_ids) // 10)))
        here = [key for key in group.student_ids if key not in away]
        self._marks(rows, session, group, here, away)
        session.present_count, session.absent_count = len(here), len(away)
        rows.sessions.append(session)
        if group.checks_in:
            rows.check_ins.append(_check_in(session.id))
            rows.devices += [_device(session.id, key) for key in here]
        rows.notices += self._notices(session, away)
        if start >= self.audited_since:
            rows.entries += _entries(session, group, here)

    def _marks(self, rows: "_Rows", session: Session, group: Group, here: Sequence[str], away: set[str]) -> None:
        rest, last = new_id(), session.started_at + timedelta(minutes=12)
        for seq, key in enumerate([*here, *away], start=1):
            is_here = key not in away
            method = Method.BULK if not is_here else Method.SELF if group.checks_in else Method.TEACHER
            status = HOW[(seq * 7 + self.school.lessons) % len(HOW)] if is_here else Status.ABSENT
            rows.marks.append(
                Mark(
                    id=new_id(),
                    session_id=session.id,
                    seq=seq,
                    student_id=key,
                    status=status,
                    at=session.started_at + timedelta(seconds=2.5 * seq) if is_here else last,
                    by_id=key if method is Method.SELF else group.teacher_id,
                    method=method,
                    key=None if not is_here else f"check-in:{key}:0" if group.checks_in else new_id(),
                    action=None if is_here or len(away) < 2 else rest,
                )
            )
            rows.records.append(
                Attendance(
                    id=new_id(),
                    class_ref_id=group.id,
                    session_id=session.id,
                    student_id=key,
                    status=status,
                    method=method,
                )
            )

    def _notices(self, session: Session, away: set[str]) -> Iterator[Notice]:
        """That the lesson ended, and in every third one a student who was absent too often."""
        moment = session.started_at + LENGTH
        end = f"{Kind.ENDED.value} {session.id} 1"
        yield Notice(
            id=new_id(),
            kind=Kind.ENDED,
            key=end,
            class_ref_id=session.class_ref_id,
            session_id=session.id,
            created_at=moment,
        )
        if self.focus % 3 == 0:
            yield Notice(
                id=new_id(),
                kind=Kind.AWAY,
                key=None,  # the student has been there again since
                class_ref_id=session.class_ref_id,
                student_id=min(away),
                created_at=moment,
            )

    def _sign_ins(self, rows: "_Rows", day: date) -> None:
        """Everybody who teaches, and every other student, signs in once on a day."""
        moment = local_instant(day, time(7, 45))
        if moment < self.audited_since:
            return
        for key in [*self.teacher_ids, *self.student_ids[day.day % 2 :: 2]]:
            rows.entries.append(_entry(moment, key, Action.SIGN_IN, "password"))


@dataclass(slots=True)
class _Rows:
    """A week's rows."""

    sessions: list[Session] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    records: list[Attendance] = field(default_factory=list)
    check_ins: list[CheckIn] = field(default_factory=list)
    devices: list[CheckInDevice] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def insert(self) -> None:
        """In the order in which one refers to the other."""
        _insert(Session, self.sessions)
        _insert(CheckIn, self.check_ins)
        _insert(CheckInDevice, self.devices)
        _insert(Mark, self.marks)
        _insert(Attendance, self.records)
        _insert(Notice, self.notices)
        _insert(Entry, self.entries)


def _insert(model: type[Model], rows: Sequence[Any]) -> None:
    if rows:
        insert_as_they_are(model, rows)


def _mondays(days: Sequence[date]) -> Iterator[date]:
    monday = days[0] - timedelta(days=days[0].weekday())
    while monday <= days[-1]:
        yield monday
        monday += timedelta(weeks=1)


def _focus(session_id: str, number: int) -> None:
    if not Focus.objects.update(session_id=session_id, number=number):
        Focus.objects.create(session_id=session_id, number=number)


def _check_in(session_id: str) -> CheckIn:
    nonce = f"{random.getrandbits(128):032x}"
    return CheckIn(session_id=session_id, nonce=nonce, mode="rotating", outside="refuse", same_device="refuse")


def _device(session_id: str, student_id: str) -> CheckInDevice:
    """A student has one device, and its key is as long as a browser's."""
    return CheckInDevice(id=new_id(), session_id=session_id, student_id=student_id, device=f"{student_id:0>32}")


def _entries(session: Session, group: Group, here: Sequence[str]) -> Iterator[Entry]:
    """What a lesson leaves in the audit log."""
    about, by, start = ("session", session.id), group.teacher_id, session.started_at
    if not group.checks_in:
        yield _entry(start, by, Action.CHANGE, "POST web:class-start", "class", group.id)
    yield _entry(start, by, Action.READ, "GET web:session", *about)
    yield _entry(start, by, Action.CHANGE, "POST web:token")
    if group.checks_in:
        yield _entry(start, by, Action.CHANGE, "PUT v2-check-in", *about)
        for key in here:
            yield _entry(start, key, Action.CHANGE, "POST web:token")
            yield _entry(start, key, Action.CHANGE, "POST v2-self-mark")
    yield _entry(start + LENGTH, by, Action.CHANGE, "POST web:session-end", *about)


def _entry(at: datetime, actor: str, action: Action, way: str, *about: str) -> Entry:
    kind, thing = about or ("", "")
    return Entry(
        id=new_id(),
        at=at,
        actor=actor,
        action=action,
        outcome="done",
        way=way,
        kind=kind,
        thing=thing,
        address="192.168.100.200",
        request_id=f"{random.getrandbits(64):016x}",
    )
