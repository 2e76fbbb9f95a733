"""Documents held to their shapes: a document of another shape is refused with the reason and reaches no database.

A string is a string, an id an ObjectId or its 24 hex digits, a date a date. Fields that are not named here are
ignored. No reason shows a password.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from django.core.exceptions import ValidationError

from accounts import passwords
from attendance.enums import Status
from attendance.importing.sources import Malformed
from core.emails import LONGEST, email_key, valid_email
from core.identity import Role
from core.ids import parse_id
from core.times import latest

_STATUSES = (Status.PRESENT, Status.ABSENT)


class Refused(Exception):
    """The document cannot be used; the message says why, to follow its place."""


@dataclass(frozen=True, slots=True)
class Person:
    """A document of `users`; `password` is the hash as it is to be stored."""

    id: str
    name: str
    email: str
    email_key: str
    password: str
    role: Role
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Group:
    """A document of `classes`, each student once."""

    id: str
    name: str
    teacher_id: str
    student_ids: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """A document of `attendances`; `at` is its createdAt, or else the time in its id."""

    id: str
    class_id: str
    student_id: str
    status: Status
    at: datetime


def person(document: object) -> Person:
    fields = _fields(document)
    email = _text(fields, "email", LONGEST)
    try:
        valid_email(email)
    except ValidationError:
        raise Refused(f"{email!r} is not an e-mail address") from None
    role = _text(fields, "role", 16).lower()
    if role not in Role.values:
        raise Refused(f"{role!r} is not a role (teacher or student)")
    password = passwords.from_bcrypt(_text(fields, "password", 255))
    if password is None:
        raise Refused(f"its password is not a bcrypt hash of cost 4 to {passwords.HIGHEST_COST}")
    return Person(
        id=_id(fields, "_id"),
        name=_text(fields, "name", 255),
        email=email,
        email_key=email_key(email),
        password=password,
        role=Role(role),
        created_at=_moment(fields, "createdAt"),
        updated_at=_moment(fields, "updatedAt"),
    )


def group(document: object) -> Group:
    fields = _fields(document)
    spelt = [key for key in ("studentIds", "studentsIds") if key in fields]
    if len(spelt) != 1:
        raise Refused("it has both studentIds and studentsIds" if spelt else "its studentIds are missing")
    students = fields[spelt[0]]
    if not isinstance(students, list):
        raise Refused(f"its {spelt[0]} are not an array")
    return Group(
        id=_id(fields, "_id"),
        name=_text(fields, "className", 255).strip(),
        teacher_id=_id(fields, "teacherId"),
        student_ids=tuple(dict.fromkeys(_as_id(student, spelt[0]) for student in students)),
        created_at=_moment(fields, "createdAt"),
        updated_at=_moment(fields, "updatedAt"),
    )


def record(document: object) -> Record:
    fields = _fields(document)
    key = _id(fields, "_id")
    status = _text(fields, "status", 16).lower()
    if status not in _STATUSES:
        raise Refused(f"{status!r} is not a status (present or absent)")
    made_at = _moment(fields, "createdAt") or _in_time(ObjectId(key).generation_time, "the time in its _id")
    return Record(key, _id(fields, "classId"), _id(fields, "studentId"), Status(status), made_at)


def label(document: object) -> str:
    """The name of a document in messages: its e-mail, name or id, if it has one."""
    if not isinstance(document, dict):
        return "?"
    found = (document.get(key) for key in ("email", "className", "name", "_id"))
    return next((str(value)[:80] for value in found if isinstance(value, (str, ObjectId)) and value), "?")


def _fields(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise Refused("it is not a document")
    return document


def _value(fields: dict[str, Any], key: str) -> Any:
    value = fields.get(key)
    if value is None:
        raise Refused(f"its {key} is missing")
    if isinstance(value, Malformed):
        raise Refused(f"its {key} {value.reason}")
    return value


def _text(fields: dict[str, Any], key: str, longest: int) -> str:
    value = _value(fields, key)
    if not isinstance(value, str):
        raise Refused(f"its {key} is not a string")
    if not value.strip():
        raise Refused(f"its {key} is missing")
    if len(value) > longest:
        raise Refused(f"its {key} is too long: at most {longest} characters")
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Refused(f"its {key} has a character that no database stores (NUL, or half of a pair)")
    return value


def _id(fields: dict[str, Any], key: str) -> str:
    return _as_id(_value(fields, key), key)


def _as_id(value: object, key: str) -> str:
    found = str(value) if isinstance(value, ObjectId) else parse_id(value)
    if found is None:
        raise Refused(f"its {key} is not an id (24 hex digits)")
    return found


def _moment(fields: dict[str, Any], key: str) -> datetime | None:
    if fields.get(key) is None:
        return None
    value = _value(fields, key)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Refused(f"its {key} is not a date")
    return _in_time(value, f"its {key}")


def _in_time(moment: datetime, what: str) -> datetime:
    if not datetime(1970, 1, 1, tzinfo=UTC) <= moment <= latest():
        raise Refused(f"{what} ({moment:%Y-%m-%d}) is before 1970 or in the future")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
