"""Absences that students announce, and what their teachers say of them.

An excuse is for one class or for all that the student attends in its time. The teachers of each class decide for their
class alone. Where it is approved, the student is marked as excused when a lesson of the class starts in its time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.limits import take
from attendance.enums import ExcuseState
from attendance.models import Excuse, ExcusedClass
from classes.access import Part, class_for_member
from classes.models import Class, CoTeacher, Enrolment
from core import errors, limits
from core.database.unit_of_work import unit_of_work
from core.identity import Actor, Role
from core.ids import parse_id
from core.times import day_of, is_far, midnight, now

#: What the journal says of a mark that an excuse made.
NOTE = "announced"
#: An excuse reaches so far at most.
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days, both included, or instants: `until` is the last one."""

    since: date | datetime
    until: date | datetime

    @property
    def whole_days(self) -> bool:
        return not isinstance(self.since, datetime)

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The first instant, and the first one that is not part of it any more."""
        if isinstance(self.since, datetime) and isinstance(self.until, datetime):
            return self.since, self.until
        return midnight(self.since), midnight(self.until, days_after=1)

    def check(self) -> None:
        """Raises `InvalidSchema` for a span that is none, is over, or is longer than LONGEST."""
        if isinstance(self.since, datetime) != isinstance(self.until, datetime):
            raise errors.InvalidSchema({"until": [_("A day where `from` is a day, and a time where it is a time.")]})
        for name, moment in (("from", self.since), ("until", self.until)):
            if is_far(moment):
                raise errors.InvalidSchema({name: [_("A day of the years 1900 to 9000.")]})
        if self.until < self.since or (self.until == self.since and not self.whole_days):
            raise errors.InvalidSchema({"until": [_("Not after `from`.")]})
        since, until = self.instants
        if until <= now():
            raise errors.InvalidSchema({"until": [_("This is over.")]})
        if until - since > LONGEST:
            raise errors.InvalidSchema({"until": [_("More than a year after `from`.")]})


@dataclass(frozen=True, slots=True)
class Shown:
    """An excuse as somebody sees it: of its classes those in which they may know of it."""

    excuse: Excuse
    classes: Sequence[ExcusedClass]

    @property
    def state(self) -> ExcuseState:
        """Undecided while a class is; refused where all classes refused it."""
        states = {ExcuseState(one.state) for one in self.classes}
        if self.excuse.withdrawn_at is not None:
            return ExcuseState.WITHDRAWN
        if ExcuseState.ASKED in states or not states:
            return ExcuseState.ASKED
        return ExcuseState.REFUSED if states == {ExcuseState.REFUSED} else ExcuseState.APPROVED

    @property
    def span(self) -> Span:
        """As the student said it."""
        if not self.excuse.whole_days:
            return Span(self.excuse.since, self.excuse.until)
        return Span(day_of(self.excuse.since), day_of(self.excuse.until - timedelta(seconds=1)))


@unit_of_work
def excuse_add(*, actor: Actor, span: Span, note: str, class_id: str | None = None) -> Shown:
    """Announces an absence of the student `actor`, from one class or, without `class_id`, from all of theirs.

    Raises `InvalidSchema`, `ClassNotFound`, `NotEnrolled` (also where no class has them then), `TooManyRequests`.
    """
    span.check()
    since, until = span.instants
    if class_id is not None:
        found, part = class_for_member(actor=actor, class_id=class_id)
        if part is not Part.STUDENT:
            raise errors.NotEnrolled
        class_ids = [found.id]
    else:
        class_ids = _attended(actor.id, day_of(since), day_of(until - timedelta(seconds=1)))
    if not class_ids:
        raise errors.NotEnrolled
    take(limits.EXCUSES, actor.id)
    excuse = Excuse.objects.create(student_id=actor.id, since=since, until=until, whole_days=span.whole_days, note=note)
    ExcusedClass.objects.bulk_create([ExcusedClass(excuse=excuse, class_ref_id=key) for key in class_ids])
    return _shown(actor, [excuse])[0]


def _attended(student_id: str, first: date, last: date) -> list[str]:
    """The classes whose roster has the student on one of the days."""
    overlapping = Q(since=None) | Q(since__lte=last), Q(until=None) | Q(until__gte=first)
    enrolled = Enrolment.objects.filter(*overlapping, student_id=student_id)
    ids = list(enrolled.values_list("class_ref_id", flat=True))
    open_classes = Class.objects.filter(pk__in=ids, removed_at=None, archived_at=None)
    return list(open_classes.values_list("id", flat=True))


@unit_of_work
def excuse_decide(*, actor: Actor, excuse_id: str, state: ExcuseState, seen: str | None = None) -> Shown:
    """A teacher approves or refuses for the classes that they teach, the office for all; the student withdraws.

    Teachers may change their mind. `seen` is the `version` that the client has read: raises `Changed` if there is
    another one by now. Raises `ExcuseNotFound`, `TeachersOnly` and `StudentOnly` for what others may do,
    `ExcuseWithdrawn`.
    """
    found = excuse_get(actor=actor, excuse_id=excuse_id)
    # The row is taken first: of two who decide at once, the second one sees what the first one did.
    if not Excuse.objects.filter(pk=found.excuse.id, withdrawn_at=None).update(withdrawn_at=None):
        raise errors.ExcuseWithdrawn
    found = excuse_get(actor=actor, excuse_id=excuse_id)
    if seen is not None and seen != version(found):
        raise errors.Changed
    is_own = found.excuse.student_id == actor.id
    if state is ExcuseState.WITHDRAWN:
        if not is_own:
            raise errors.StudentOnly
        Excuse.objects.filter(pk=found.excuse.id).update(withdrawn_at=now())
    elif is_own:
        raise errors.TeachersOnly
    else:
        ids = [one.id for one in found.classes]
        ExcusedClass.objects.filter(pk__in=ids).update(state=state, decided_by_id=actor.id, decided_at=now())
    return excuse_get(actor=actor, excuse_id=excuse_id)


def excuse_get(*, actor: Actor, excuse_id: str) -> Shown:
    """The excuse as `actor` sees it. `ExcuseNotFound` for whoever may not know of it."""
    key = parse_id(excuse_id)
    excuse = Excuse.objects.filter(pk=key).select_related("student").first() if key else None
    if excuse is None:
        raise errors.ExcuseNotFound
    shown = _shown(actor, [excuse])[0]
    if not shown.classes and excuse.student_id != actor.id:
        raise errors.ExcuseNotFound
    return shown


def version(shown: Shown) -> str:
    """Another text after each decision."""
    decided = [f"{one.id}{one.state}{one.decided_at}" for one in shown.classes]
    return " ".join([str(shown.excuse.id), str(shown.excuse.withdrawn_at), *decided])


def excuses_listed(actor: Actor) -> "QuerySet[Excuse]":
    """A student's own excuses; a teacher's those for classes that they teach; all of them for the office."""
    rows = Excuse.objects.select_related("student")
    if actor.role == Role.STUDENT:
        return rows.filter(student_id=actor.id)
    taught = _taught(actor)
    if taught is None:
        return rows
    return rows.filter(pk__in=ExcusedClass.objects.filter(class_ref_id__in=list(taught)).values("excuse_id"))


def excuses_waiting(actor: Actor) -> "QuerySet[Excuse]":
    """Those of `excuses_listed` that a teacher's own word is still missing of, and whose time is not over."""
    undecided = ExcusedClass.objects.filter(
        state=ExcuseState.ASKED, class_ref__removed_at=None, excuse__withdrawn_at=None, excuse__until__gt=now()
    )
    taught = _taught(actor)
    if taught is not None:
        undecided = undecided.filter(class_ref_id__in=list(taught))
    return excuses_listed(actor).filter(pk__in=list(undecided.values_list("excuse_id", flat=True)))


def excuses_shown(actor: Actor, excuses: Sequence[Excuse]) -> list[Shown]:
    """A page of `excuses_listed`."""
    return _shown(actor, excuses)


def _shown(actor: Actor, excuses: Sequence[Excuse]) -> list[Shown]:
    rows = ExcusedClass.objects.filter(excuse_id__in=[excuse.id for excuse in excuses], class_ref__removed_at=None)
    taught = None if actor.role == Role.STUDENT else _taught(actor)
    by_excuse: dict[str, list[ExcusedClass]] = {excuse.id: [] for excuse in excuses}
    for row in rows.select_related("class_ref").order_by("id"):
        if taught is None or row.class_ref_id in taught:
            by_excuse[row.excuse_id].append(row)
    is_student = actor.role == Role.STUDENT
    return [
        Shown(excuse, by_excuse[excuse.id] if not is_student or excuse.student_id == actor.id else [])
        for excuse in excuses
    ]


def _taught(actor: Actor) -> Collection[str] | None:
    """The ids of the classes that the teacher teaches; None for the office, which stands above all."""
    if actor.is_superuser:
        return None
    shared = CoTeacher.objects.filter(teacher_id=actor.id).values_list("class_ref_id", flat=True)
    own = Class.objects.filter(Q(teacher_id=actor.id) | Q(pk__in=list(shared)), removed_at=None)
    return set(own.values_list("id", flat=True))


def approved_at(*, class_id: str, moment: datetime) -> Mapping[str, str]:
    """Student's id → who approved the excuse, for the enrolled students who are excused from the class at `moment`."""
    rows = ExcusedClass.objects.filter(
        class_ref_id=class_id,
        state=ExcuseState.APPROVED,
        excuse__since__lte=moment,
        excuse__until__gt=moment,
        excuse__withdrawn_at=None,
    )
    found = dict(rows.order_by("decided_at").values_list("excuse__student_id", "decided_by_id"))
    if not found:
        return {}
    enrolled = Enrolment.objects.on(day_of(moment)).filter(class_ref_id=class_id, student_id__in=list(found))
    return {student_id: found[student_id] for student_id in enrolled.values_list("student_id", flat=True)}
