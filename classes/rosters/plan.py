"""What an import comes to: entries compared with each other and with the database. Reads only."""

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.standing import Author, address_counts, gives_way, is_set_aside, may_correct, may_number
from classes.models import Class, Enrolment
from classes.rosters.entries import Entry
from classes.rosters.headings import folded
from core.characters import without_invisible
from core.database.batches import batches
from core.emails import email_key
from core.identity import Role
from core.roll_numbers import roll_number_key


class Outcome(Enum):
    """What becomes of one entry."""

    CREATED = "created and enrolled"
    ENROLLED = "enrolled"
    UNCHANGED = "already on the roster"
    REMOVED = "taken off the roster"
    SET_ASIDE = "set aside"
    LEFT_OUT = "left out"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Holder:
    """An account that loses a roll number."""

    id: str
    email: str


@dataclass(frozen=True, slots=True)
class Row:
    """An entry and what becomes of it. `student_id` is None where the student has no account yet."""

    entry: Entry
    outcome: Outcome
    reason: str = ""
    student_id: str | None = None
    adds_roll_number: bool = False
    #: The roll number that the entry's replaces, if it does.
    old_roll_number: str | None = None
    #: The account that loses the entry's roll number, if one does.
    taken_from: Holder | None = None
    #: Nobody has shown that the account's address is theirs, and the school did not make the account.
    is_doubtful: bool = False
    #: The account's name, where the file has another one for it.
    known_as: str | None = None

    @property
    def sets_roll_number(self) -> bool:
        return self.adds_roll_number or self.old_roll_number is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of all entries, in the file's order.

    A plain value: one that was shown is equal to a later one that comes to the same.
    """

    rows: Sequence[Row]

    def of(self, outcome: Outcome) -> list[Row]:
        return [row for row in self.rows if row.outcome is outcome]

    @property
    def digest(self) -> str:
        """A digest of what becomes of each row, the same for as long as that is the same."""
        fates = [
            (row.entry.line, row.outcome.name, row.student_id, row.entry.email, row.entry.name, row.entry.roll_number)
            for row in self.rows
        ]
        return hashlib.sha256(repr(fates).encode()).hexdigest()

    @property
    def refused(self) -> list[Row]:
        return self.of(Outcome.REFUSED)

    @property
    def created(self) -> list[Row]:
        return self.of(Outcome.CREATED)

    @property
    def known_otherwise(self) -> list[Row]:
        """The rows whose account has another name than the file."""
        return [row for row in self.rows if row.known_as is not None]

    @property
    def names_are_shifted(self) -> bool:
        """Whether so many names differ that the file may have been sorted in one column: each is somebody else's then.

        More than a third of those who have an account, and at least two: one name alone is not sorted.
        """
        known = sum(row.student_id is not None and row.outcome in _COMPARED for row in self.rows)
        return len(self.known_otherwise) > max(1, known / 3)

    def is_refused(self, *, names_differ: bool) -> bool:
        """Whether nothing of the plan is to be done. `names_differ`: somebody has looked, and the names are right."""
        return bool(self.refused) or (self.names_are_shifted and not names_differ)


#: The outcomes of rows that say by their name whom they mean.
_COMPARED = (Outcome.ENROLLED, Outcome.UNCHANGED, Outcome.SET_ASIDE)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of the people in a file, and who says what the file says."""

    author: Author
    by_email: Mapping[str, User]
    by_roll_number: Mapping[str, User]
    #: The makers of those accounts, by their ids.
    makers: Mapping[str, User]
    enrolled: Collection[str]
    #: Those holders of roll numbers who are on another roster of the author's.
    authors_own: Collection[str]
    #: Those whose roll number this very file replaces.
    renumbered: set[str] = field(default_factory=set)

    def maker(self, user: User) -> User | None:
        return self.makers.get(user.made_by_id) if user.made_by_id else None

    def student(self, entry: Entry) -> User | None:
        if entry.email:
            return self.by_email.get(entry.email)
        return self.by_roll_number.get(entry.roll_number) if entry.roll_number else None

    def replaces_number(self, entry: Entry, student: User) -> bool:
        """Whether `entry` gives `student` another roll number, and may."""
        return _has_other_number(student, entry) and may_correct(student, self.maker(student), self.author)

    def loses_number(self, holder: User) -> bool:
        """Whether `holder` has to leave the roll number to another student of the file."""
        own = holder.made_by_id == self.author.id or holder.id in self.authors_own
        return holder.id in self.renumbered or (not own and gives_way(holder, self.maker(holder), self.author))


def roster_plan(*, class_id: str, entries: Sequence[Entry], author: Author) -> Plan:
    """What importing `entries` into the class comes to, in the name of `author`."""
    known = _known(class_id, entries, author)
    for entry in entries:
        student = known.student(entry) if entry.problem is None else None
        if student is not None and known.replaces_number(entry, student):
            known.renumbered.add(student.id)
    first_lines: dict[tuple[str, str], int] = {}
    return Plan([_judge(entry, known, first_lines) for entry in entries])


#: What `accounts.standing` looks at, and what messages show.
_COLUMNS = (
    *("id", "name", "email", "email_key", "role", "roll_number", "roll_number_key", "origin", "made_by_id"),
    *("password", "email_verified_at", "credentials_changed_at"),
)


def _known(class_id: str, entries: Iterable[Entry], author: Author) -> _Known:
    usable = [entry for entry in entries if entry.problem is None]
    people = User.objects.only(*_COLUMNS)
    by_email = people.by_emails(entry.email for entry in usable if entry.email)
    by_roll_number = people.by_roll_numbers(entry.roll_number for entry in usable if entry.roll_number)
    makers: dict[str, User] = {}
    ids = {user.made_by_id for user in (*by_email.values(), *by_roll_number.values()) if user.made_by_id}
    for some in batches(sorted(ids)):
        makers.update((user.id, user) for user in User.objects.filter(pk__in=some).only(*_COLUMNS))
    enrolled = Enrolment.objects.current().filter(class_ref_id=class_id).values_list("student_id", flat=True)
    holders = [user.id for user in by_roll_number.values()]
    return _Known(author, by_email, by_roll_number, makers, set(enrolled), _students_among(holders, author.id))


def _students_among(user_ids: Sequence[str], teacher_id: str) -> set[str]:
    """Those of the people who are enrolled in a class of the teacher's."""
    if not user_ids:
        return set()
    classes = list(Class.objects.filter(teacher_id=teacher_id, removed_at=None).values_list("id", flat=True))
    found: set[str] = set()
    for some in batches(user_ids):
        rows = Enrolment.objects.filter(student_id__in=some, class_ref_id__in=classes)
        found.update(rows.values_list("student_id", flat=True))
    return found


def _judge(entry: Entry, known: _Known, first_lines: dict[tuple[str, str], int]) -> Row:
    if entry.problem is None:
        off = _off_the_roster(entry, known)
        if off is not None:
            return off
    student = known.student(entry)
    holder = known.by_roll_number.get(entry.roll_number) if entry.roll_number else None
    reason = entry.problem or _conflict(entry, known, student, holder) or _repeated(entry, student, first_lines)
    if reason is not None:
        return Row(entry, Outcome.REFUSED, reason)
    if student is not None and _waits_for_proof(student, known):
        reason = "" if student.role == Role.STUDENT else _("it is a teacher's account; the admin can change that")
        return Row(
            entry,
            Outcome.SET_ASIDE,
            reason,
            student_id=student.id,
            is_doubtful=True,
            known_as=_other_name(entry, student),
        )
    taken_from = None
    if holder is not None and holder != student and holder.id not in known.renumbered:
        taken_from = Holder(holder.id, holder.email)
    if student is None:
        return Row(entry, Outcome.CREATED, taken_from=taken_from)
    changes = known.replaces_number(entry, student)
    adds = entry.roll_number is not None and not student.roll_number
    adds = adds and may_number(student, known.maker(student), known.author) and not is_set_aside(student)
    return Row(
        entry,
        Outcome.UNCHANGED if student.id in known.enrolled else Outcome.ENROLLED,
        student_id=student.id,
        adds_roll_number=adds,
        old_roll_number=student.roll_number if changes else None,
        taken_from=taken_from if adds or changes else None,
        is_doubtful=not address_counts(student),
        known_as=_other_name(entry, student),
    )


def _off_the_roster(entry: Entry, known: _Known) -> Row | None:
    """What becomes of an entry that is not to be on the roster; None for one that is."""
    if entry.left_out is not None:
        return Row(entry, Outcome.LEFT_OUT, entry.left_out)
    student = known.student(entry)
    if entry.may_be_staff and student is not None and _is_staff(student):
        return Row(entry, Outcome.LEFT_OUT, _("it is a teacher's account"), student_id=student.id)
    if not entry.leaves:
        return None
    if student is None or student.id not in known.enrolled:
        return Row(entry, Outcome.LEFT_OUT, _("the file says that they leave, and they are not on the roster"))
    return Row(entry, Outcome.REMOVED, student_id=student.id)


def _other_name(entry: Entry, student: User) -> str | None:
    """The account's name, if the file's is another: not the same words in another order or spelling."""
    return student.name if _words_of(student.name) != _words_of(entry.name) else None


def _words_of(name: str) -> list[str]:
    """The words of a name in order, each without letter case and accents of Latin letters."""
    kept = (letter if _is_of_word(letter) else " " for letter in without_invisible(name))
    return sorted(filter(None, map(folded, "".join(kept).split())))


def _is_of_word(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LMN" or letter in "'’"


def _is_staff(student: User) -> bool:
    return student.role != Role.STUDENT and address_counts(student)


def _has_other_number(student: User, entry: Entry) -> bool:
    """Whether both have a roll number, and not one in two spellings."""
    keys = roll_number_key(student.roll_number), roll_number_key(entry.roll_number)
    return None not in keys and keys[0] != keys[1]


def _waits_for_proof(student: User, known: _Known) -> bool:
    """Whether somebody has to show first that the address is theirs."""
    if student.id in known.enrolled:
        return False
    return is_set_aside(student) or student.role != Role.STUDENT


def _conflict(entry: Entry, known: _Known, student: User | None, holder: User | None) -> str | None:
    """Why `entry` contradicts the database; None where it does not."""
    if student is None and not entry.email and not (entry.has_no_email and known.author.is_school):
        said = (
            _(
                "it has no e-mail, and no student has the roll number %s: fill in the e-mail, or leave the column out"
                " if the students have none"
            )
            if known.author.is_school
            else _("it has no e-mail, and no student has the roll number %s: fill in the e-mail")
        )
        return said % entry.roll_number
    if student is not None and _is_staff(student):
        return _("%s is a teacher's account, and only students can be enrolled: leave the row out") % student.email
    if holder is not None and holder != student and not known.loses_number(holder):
        if not holder.email:
            said = _(
                "the roll number %(number)s belongs to %(name)s, who has no e-mail here: let the office note the"
                " address, or leave the cell empty"
            )
            return said % {"number": entry.roll_number, "name": holder.name}
        said = _("the roll number %(number)s belongs to %(email)s: correct one of the two")
        return said % {"number": entry.roll_number, "email": holder.email}
    other = student is not None and _has_other_number(student, entry)
    if student is not None and other and not (known.replaces_number(entry, student) or is_set_aside(student)):
        said = _("%(email)s already has the roll number %(number)s: correct it here or in the admin")
        return said % {"email": student.email, "number": student.roll_number}
    return None


def _repeated(entry: Entry, student: User | None, first_lines: dict[tuple[str, str], int]) -> str | None:
    """Why `entry` is the student of an earlier row; None where it is not, and then its keys go into `first_lines`."""
    named = {
        _("it has the same e-mail as line %d: leave one of the two out"): email_key(entry.email),
        _("it has the same roll number as line %d: leave one of the two out"): roll_number_key(entry.roll_number),
        _("it is the same student as line %d: leave one of the two out"): student and student.id,
    }
    keys = [(what, value) for what, value in named.items() if value]
    for key in keys:
        if key in first_lines:
            return key[0] % first_lines[key]
    first_lines.update(dict.fromkeys(keys, entry.line))
    return None
