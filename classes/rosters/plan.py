"""What an import comes to: entries compared with each other and with the database. Reads only."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from accounts.models import User, email_key
from classes.models import Enrolment
from classes.rosters.entries import Entry
from core.database.batches import batches
from core.identity import Role


class Outcome(Enum):
    """What becomes of one entry."""

    CREATED = "created and enrolled"
    ENROLLED = "enrolled"
    UNCHANGED = "already on the roster"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry and what becomes of it. `student_id` is None where the student has no account yet."""

    entry: Entry
    outcome: Outcome
    reason: str = ""
    student_id: str | None = None
    adds_roll_number: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of all entries, in the file's order."""

    rows: Sequence[Row]

    def of(self, outcome: Outcome) -> list[Row]:
        return [row for row in self.rows if row.outcome is outcome]

    @property
    def refused(self) -> list[Row]:
        return self.of(Outcome.REFUSED)

    @property
    def created(self) -> list[Row]:
        return self.of(Outcome.CREATED)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of the people in a file."""

    by_email: Mapping[str, User]
    by_roll_number: Mapping[str, User]
    enrolled: Collection[str]


def roster_plan(*, class_id: str, entries: Sequence[Entry]) -> Plan:
    """What importing `entries` into the class comes to."""
    known = _known(class_id, entries)
    first_lines: dict[tuple[str, str], int] = {}
    return Plan([_judge(entry, known, first_lines) for entry in entries])


def _known(class_id: str, entries: Iterable[Entry]) -> _Known:
    usable = [entry for entry in entries if entry.problem is None]
    columns = ("id", "name", "email", "email_key", "role", "roll_number")
    by_email: dict[str, User] = {}
    for some in batches([email_key(entry.email) for entry in usable if entry.email]):
        by_email.update((user.email_key, user) for user in User.objects.filter(email_key__in=some).only(*columns))
    by_roll_number: dict[str, User] = {}
    for some in batches([entry.roll_number for entry in usable if entry.roll_number]):
        found = User.objects.filter(roll_number__in=some).only(*columns)
        by_roll_number.update((user.roll_number, user) for user in found if user.roll_number)
    enrolled = Enrolment.objects.filter(class_ref_id=class_id).values_list("student_id", flat=True)
    return _Known(by_email, by_roll_number, set(enrolled))


def _judge(entry: Entry, known: _Known, first_lines: dict[tuple[str, str], int]) -> Row:
    by_email = known.by_email.get(email_key(entry.email)) if entry.email else None
    by_roll_number = known.by_roll_number.get(entry.roll_number) if entry.roll_number else None
    reason = entry.problem or _conflict(entry, by_email, by_roll_number)
    student = by_email if entry.email else by_roll_number
    if reason is None:
        reason = _repeated(entry, student, first_lines)
    if reason is not None:
        return Row(entry, Outcome.REFUSED, reason)
    if student is None:
        return Row(entry, Outcome.CREATED)
    outcome = Outcome.UNCHANGED if student.id in known.enrolled else Outcome.ENROLLED
    adds = entry.roll_number is not None and not student.roll_number
    return Row(entry, outcome, student_id=student.id, adds_roll_number=adds)


def _conflict(entry: Entry, by_email: User | None, by_roll_number: User | None) -> str | None:
    """Why `entry` contradicts the database; None where it does not."""
    student = by_email if entry.email else by_roll_number
    if student is None and not entry.email:
        return f"it has no e-mail, and no student has the roll number {entry.roll_number}: fill in the e-mail"
    if student is not None and student.role != Role.STUDENT:
        return f"{student.email} is a teacher's account, and only students can be enrolled: leave the row out"
    if by_roll_number is not None and by_roll_number != student:
        return f"the roll number {entry.roll_number} belongs to {by_roll_number.email}: correct one of the two"
    if student is not None and entry.roll_number and student.roll_number not in (None, "", entry.roll_number):
        return f"{student.email} already has the roll number {student.roll_number}: correct it here or in the admin"
    return None


def _repeated(entry: Entry, student: User | None, first_lines: dict[tuple[str, str], int]) -> str | None:
    """Why `entry` is the student of an earlier row; None where it is not, and then its keys go into `first_lines`."""
    named = {"e-mail": email_key(entry.email), "roll number": entry.roll_number, "student": student and student.id}
    keys = [(what, value) for what, value in named.items() if value]
    for key in keys:
        if key in first_lines:
            return f"it has the same {key[0]} as line {first_lines[key]}: leave one of the two out"
    first_lines.update(dict.fromkeys(keys, entry.line))
    return None
