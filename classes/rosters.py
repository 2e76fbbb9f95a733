"""Rosters from files: reading one, and importing it into a class, all or nothing.

`roster_read` knows files, `roster_plan` compares with the database, `roster_import` writes what the plan says.
Whatever stops the whole import is a `RosterError`; what is wrong with one row is that row's reason.
"""

import csv
import io
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import StudentProfile, User, email_key
from classes.models import Class, Enrolment, announce_roster
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from core.ids import parse_id

#: What a heading may be, in lower case and without spaces, hyphens and underscores.
HEADINGS = {
    "name": "name",
    "studname": "name",
    "email": "email",
    "rollnumber": "roll_number",
    "rollno": "roll_number",
}
_LABELS = {"name": "name or STUDNAME", "email": "email or EMAIL", "roll_number": "rollNumber or ROLLNO"}
_LONGEST = {"name": 255, "email": 254, "roll_number": 64}
_SAID = {"name": "name", "email": "e-mail", "roll_number": "roll number"}
#: Rows in one statement.
_BATCH = 500
#: No letters that are mistaken for others on paper, and none that a spreadsheet takes for a formula.
_UNMISTAKABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_valid_email = EmailValidator(allowlist=[])


class RosterError(Exception):
    """The import cannot be done; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a file, its cells trimmed; `problem` says why it cannot be used whatever the database holds."""

    line: int
    name: str
    email: str
    roll_number: str | None = None
    problem: str | None = None


class Outcome(Enum):
    """What the import comes to for one row."""

    CREATED = "created and enrolled"
    ENROLLED = "enrolled"
    UNCHANGED = "already on the roster"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry and what becomes of it. `student_id` is None where there is no such student yet."""

    entry: Entry
    outcome: Outcome
    reason: str = ""
    student_id: str | None = None
    adds_roll_number: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """All rows of a file, in its order."""

    rows: Sequence[Row]

    def of(self, outcome: Outcome) -> list[Row]:
        return [row for row in self.rows if row.outcome is outcome]

    @property
    def refused(self) -> list[Row]:
        return self.of(Outcome.REFUSED)

    @property
    def created(self) -> list[Row]:
        return self.of(Outcome.CREATED)


def class_find(text: str) -> Class:
    """The class that `text` names, by its id or by a name that no other class has; `RosterError` otherwise."""
    key = parse_id(text)
    found = Class.objects.filter(pk=key, removed_at=None).first() if key else None
    if found is not None:
        return found
    named = (
        list(Class.objects.filter(name=text, removed_at=None).select_related("teacher")[:21])
        if "\0" not in text
        else []
    )
    if len(named) == 1:
        return named[0]
    if not named:
        raise RosterError(f"No class has the id or the name {text!r}. The admin's page of classes shows both.")
    lines = [f"  {one.id}  teacher {one.teacher}" for one in named[:20]]
    if len(named) > 20:
        lines.append("  … and more")
    raise RosterError("\n".join([f"Several classes have the name {text!r}. Give the id of one of them:", *lines]))


# Reading


def roster_read(path: Path) -> list[Entry]:
    """The rows of a CSV file (comma, semicolon or tab; UTF-8 with or without a byte order mark)."""
    text = _text_of(path)
    delimiter, width, columns = _columns_of(re.split(r"\r\n|\r|\n", text, maxsplit=1)[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    entries = []
    end = 0
    try:
        for cells in reader:
            line, end = end + 1, reader.line_num
            if line > 1 and any(cell.strip() for cell in cells):
                entries.append(_entry(line, cells, columns, width))
    except csv.Error as failure:
        raise RosterError(
            f"Line {end + 1} is not CSV ({failure}). A quotation mark opens a cell and must close it again."
        ) from None
    if not entries:
        raise RosterError(f"{path} has headings but no students below them.")
    return entries


def _text_of(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise RosterError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise RosterError(f"{path} is a folder. Name a CSV file.") from None
    except OSError as failure:
        raise RosterError(f"Cannot read {path}: {failure.strerror}.") from None
    except UnicodeDecodeError:
        raise RosterError(f"{path} is not UTF-8. In a spreadsheet, save it as “CSV UTF-8”.") from None
    except ValueError:
        raise RosterError("The file's name has a NUL character.") from None
    if not text.strip():
        raise RosterError(f"{path} is empty. Its first line must have the headings name and email.")
    return text


def _columns_of(header: str) -> tuple[str, int, dict[str, int]]:
    """The delimiter that makes sense of the heading line, how many headings it has, and where ours are."""
    best: dict[str, int] = {}
    for delimiter in (",", ";", "\t"):
        try:
            headings = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue  # a cell beyond all measure: no line of headings
        columns: dict[str, int] = {}
        for position, heading in enumerate(headings):
            column = HEADINGS.get(re.sub(r"[\s_-]", "", heading.casefold()))
            if column is not None and column in columns:
                raise RosterError(f"Two columns are headed {_LABELS[column]}. Leave one of them out.")
            if column is not None:
                columns[column] = position
        if "name" in columns and "email" in columns:
            return delimiter, len(headings), columns
        best = max(best, columns, key=len)
    missing = " and ".join(_LABELS[column] for column in ("name", "email") if column not in best)
    raise RosterError(
        f"The first line has no column {missing}. It must have the headings name and email"
        " (or STUDNAME and EMAIL), with commas, semicolons or tabs between them."
    )


def _entry(line: int, cells: Sequence[str], columns: Mapping[str, int], width: int) -> Entry:
    found = {column: cells[at].strip() if at < len(cells) else "" for column, at in columns.items()}
    entry = entry_of(line=line, **found)
    if any(cell.strip() for cell in cells[width:]):
        problem = "it has more cells than there are headings: a cell with a comma in it needs quotation marks"
        return replace(entry, problem=problem)
    return entry


def entry_of(*, line: int, name: str, email: str, roll_number: str = "") -> Entry:
    """An entry, judged as far as that can be done without the database. The parts are trimmed already."""
    return Entry(line, name, email, roll_number or None, _problem(name, email, roll_number))


def _problem(name: str, email: str, roll_number: str) -> str | None:
    cells = {"name": name, "email": email, "roll_number": roll_number}
    for column, cell in cells.items():
        if any(unicodedata.category(letter) == "Cc" for letter in cell):
            return f"the {_SAID[column]} has a control character (NUL or a line break, say): remove it"
        if len(cell) > _LONGEST[column] or (column == "email" and len(email_key(cell)) > _LONGEST[column]):
            return f"the {_SAID[column]} is too long: at most {_LONGEST[column]} characters"
    if not name:
        return "the name is missing: fill it in"
    if not email:
        return None if roll_number else "the e-mail is missing: fill it in"
    try:
        _valid_email(email)
    except ValidationError:
        return f"{email!r} is not an e-mail address: correct it"
    return None


# Planning


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database holds of the people in a file."""

    by_email: Mapping[str, User]
    by_roll_number: Mapping[str, User]
    enrolled: Collection[str]


def _known(class_id: str, entries: Iterable[Entry]) -> _Known:
    usable = [entry for entry in entries if entry.problem is None]
    columns = ("id", "name", "email", "email_key", "role", "roll_number")
    by_email: dict[str, User] = {}
    for some in _batches([email_key(entry.email) for entry in usable if entry.email]):
        by_email.update((user.email_key, user) for user in User.objects.filter(email_key__in=some).only(*columns))
    by_roll_number: dict[str, User] = {}
    for some in _batches([entry.roll_number for entry in usable if entry.roll_number]):
        found = User.objects.filter(roll_number__in=some).only(*columns)
        by_roll_number.update((user.roll_number, user) for user in found if user.roll_number)
    enrolled = Enrolment.objects.filter(class_ref_id=class_id).values_list("student_id", flat=True)
    return _Known(by_email, by_roll_number, set(enrolled))


def _batches(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


def roster_plan(*, class_id: str, entries: Sequence[Entry]) -> Report:
    """What importing `entries` into the class comes to. Reads only."""
    known = _known(class_id, entries)
    first_lines: dict[tuple[str, str], int] = {}
    return Report([_judge(entry, known, first_lines) for entry in entries])


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
    """Why what the database holds speaks against `entry`."""
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
    """Why an earlier row is the same student; otherwise remembers this one."""
    marks = {"e-mail": email_key(entry.email), "roll number": entry.roll_number, "student": student and student.id}
    keys = [(what, value) for what, value in marks.items() if value]
    for key in keys:
        if key in first_lines:
            return f"it has the same {key[0]} as line {first_lines[key]}: leave one of the two out"
    first_lines.update(dict.fromkeys(keys, entry.line))
    return None


# Writing


def roster_import(
    *, class_id: str, entries: Sequence[Entry], password_hashes: Mapping[str, str] | None = None
) -> Report:
    """Creates the missing students and enrols all, in one unit of work; with a refused row it writes nothing.

    `password_hashes` has a hash for the `email_key` of each student who is to be created (hashing takes 70 ms
    each, too long for a transaction). Left out, created students get a password that nobody can use.
    Raises `RosterError` if somebody else changed accounts or the roster meanwhile: then nothing was written.
    """
    try:
        return roster_write(class_id=class_id, entries=entries, password_hashes=password_hashes)
    except IntegrityError:
        raise _changed_meanwhile() from None


def _changed_meanwhile() -> RosterError:
    return RosterError("Accounts or the roster changed during the import, so nothing was written. Run it again.")


@unit_of_work
def roster_write(
    *, class_id: str, entries: Sequence[Entry], password_hashes: Mapping[str, str] | None = None, batch: str = ""
) -> Report:
    """As `roster_import`, inside another unit of work: what races raise, IntegrityError, is for that one's caller.

    `batch` is noted in the profiles of the students who are created.
    """
    report = roster_plan(class_id=class_id, entries=entries)
    if report.refused:
        return report
    hashes = password_hashes or {}
    users = {
        row.entry.line: User(
            name=row.entry.name,
            email=row.entry.email,
            email_key=email_key(row.entry.email),
            roll_number=row.entry.roll_number,
            role=Role.STUDENT,
            password=hashes.get(email_key(row.entry.email)) or make_password(None),
        )
        for row in report.created
    }
    if password_hashes is not None and {user.email_key for user in users.values()} != set(password_hashes):
        raise _changed_meanwhile()
    User.objects.bulk_create(users.values(), batch_size=_BATCH)
    if batch:
        profiles = [StudentProfile(user=user, batch=batch) for user in users.values()]
        StudentProfile.objects.bulk_create(profiles, batch_size=_BATCH)
    for row in report.rows:
        if row.adds_roll_number:
            User.objects.filter(pk=row.student_id).update(roll_number=row.entry.roll_number, updated_at=timezone.now())
    enrolments = [
        Enrolment(class_ref_id=class_id, student_id=row.student_id or users[row.entry.line].id)
        for row in report.rows
        if row.outcome is not Outcome.UNCHANGED
    ]
    Enrolment.objects.bulk_create(enrolments, batch_size=_BATCH)
    if enrolments:
        announce_roster(class_id)
    return report


# Passwords


def password_make() -> str:
    """A random password of twelve letters and digits, about 59 bits."""
    return "".join(secrets.choice(_UNMISTAKABLE) for _ in range(12))


def csv_safe(text: str) -> str:
    """`text` so that no spreadsheet runs it as a formula, and on one line."""
    line = text.replace("\r", " ").replace("\n", " ")
    return f"'{line}" if text.startswith(_FORMULA_STARTS) else line


class PasswordFile:
    """A new file for passwords that only its owner reads: written before the import, named after its commit.

    In between the passwords are on the disk, in `unfinished`: a crash after the commit leaves no student
    whose password nobody knows.
    """

    def __init__(self, path: Path) -> None:
        """Raises `RosterError` where there is no room for a new file."""
        self.path = path
        self.unfinished = path.with_name(f"{path.name}.unfinished-{secrets.token_hex(4)}")
        if os.path.lexists(path):
            raise RosterError(f"{path} is there already and is not overwritten. Name another file for the passwords.")
        if not path.parent.is_dir():
            raise RosterError(f"There is no folder {path.parent} for the passwords.")

    def write(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Puts name, e-mail and password of each row on the disk, under the unfinished name."""
        try:
            descriptor = os.open(self.unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(("name", "email", "password"))
                writer.writerows((csv_safe(name), csv_safe(email), password) for name, email, password in rows)
                file.flush()
                os.fsync(file.fileno())
        except OSError as failure:
            raise RosterError(f"Cannot write {self.path}: {failure.strerror}. Nothing was imported.") from None

    def keep(self) -> None:
        """After the commit: the file gets its name. `RosterError` if another took that meanwhile."""
        try:
            os.link(self.unfinished, self.path)  # unlike a rename it never replaces a file
        except FileExistsError:
            raise RosterError(
                f"The import is done, but {self.path} came to be meanwhile. The passwords are in {self.unfinished}."
            ) from None
        except OSError:
            self.unfinished.rename(self.path)  # a file system without links
        else:
            self.unfinished.unlink()

    def discard(self) -> None:
        """Nothing was committed: nothing is left."""
        self.unfinished.unlink(missing_ok=True)


def roster_import_with_passwords(
    *, class_id: str, entries: Sequence[Entry], path: Path, hashed: Callable[[Sequence[str]], Iterable[str]]
) -> Report:
    """As `roster_import`; each created student gets a random password, which is then in the new file `path`.

    `hashed` turns passwords into hashes to store, in order. No file is made where nobody is created.
    """
    file = PasswordFile(path)
    plan = roster_plan(class_id=class_id, entries=entries)
    if plan.refused or not plan.created:
        return roster_import(class_id=class_id, entries=entries, password_hashes={})
    passwords = [password_make() for _ in plan.created]
    keys = [email_key(row.entry.email) for row in plan.created]
    hashes = dict(zip(keys, hashed(passwords), strict=True))
    try:
        file.write(
            (row.entry.name, row.entry.email, password) for row, password in zip(plan.created, passwords, strict=True)
        )
        report = roster_import(class_id=class_id, entries=entries, password_hashes=hashes)
    except RosterError:
        file.discard()
        raise
    except BaseException as failure:
        # The commit may have been done and only its answer lost.
        failure.add_note(f"If students were created nevertheless, their passwords are in {file.unfinished}.")
        raise
    if report.refused:
        file.discard()
    else:
        file.keep()
    return report
