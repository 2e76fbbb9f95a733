"""The school as a bulk export of OneRoster 1.1: users, classes and enrolments for other systems.

The headings and words are those of the specification's CSV tables (1EdTech, 1.1.1). It is data for machines: no cell is
guarded against spreadsheets, since a quote before a name would be a part of the name there. Cells that the
specification leaves empty in a bulk export (`status`, `dateLastModified`) are empty.

What OneRoster asks for and this server does not know: one school, one school year with one term, and a course for each
class. A name is one here and two there: its last word is the family name. A name of one word has `-` for it.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import IO

from django.db.models import Q

from accounts.models import User
from accounts.standing import address_counts
from classes.models import Class, CoTeacher, Enrolment
from core.database.snapshot import snapshot
from core.identity import Role
from core.times import today

#: File → its columns, in the specification's order. None may be left out.
COLUMNS: Mapping[str, Sequence[str]] = {
    "academicSessions": (
        *("sourcedId", "status", "dateLastModified", "title", "type", "startDate", "endDate", "parentSourcedId"),
        "schoolYear",
    ),
    "orgs": ("sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId"),
    "courses": (
        *("sourcedId", "status", "dateLastModified", "schoolYearSourcedId", "title", "courseCode", "grades"),
        *("orgSourcedId", "subjects", "subjectCodes"),
    ),
    "classes": (
        *("sourcedId", "status", "dateLastModified", "title", "grades", "courseSourcedId", "classCode", "classType"),
        *("location", "schoolSourcedId", "termSourcedIds", "subjects", "subjectCodes", "periods"),
    ),
    "users": (
        *("sourcedId", "status", "dateLastModified", "enabledUser", "orgSourcedIds", "role", "username", "userIds"),
        *("givenName", "familyName", "middleName", "identifier", "email", "sms", "phone", "agentSourcedIds", "grades"),
        "password",
    ),
    "enrollments": (
        *("sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId", "role"),
        *("primary", "beginDate", "endDate"),
    ),
}
#: The files that the specification knows. Those that are not sent are `absent`.
_FILES = (
    *("academicSessions", "categories", "classes", "classResources", "courses", "courseResources", "demographics"),
    *("enrollments", "lineItems", "orgs", "resources", "results", "users"),
)
_SCHOOL, _YEAR, _TERM = "school", "year", "term"
_CHUNK = 1000

#: A row: column → its cell. Columns that it does not name are empty.
Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class School:
    """What the export says of the school. `first` and `last`: the days of the school year, both included."""

    name: str
    first: date
    last: date


def school_year(day: date) -> tuple[date, date]:
    """The first and the last day of the year from August to July that `day` lies in."""
    first = date(day.year if day.month >= 8 else day.year - 1, 8, 1)
    return first, date(first.year + 1, 7, 31)


def export(file: IO[bytes], school: School) -> Iterator[tuple[str, int]]:
    """Writes the zip, all of one moment. Yields the name of a file and how many rows more it has, as they go."""
    with snapshot(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _write(archive, "manifest", ("propertyName", "value"), _manifest())
        taught = {found.id: found for found in Class.objects.filter(removed_at=None, archived_at=None).order_by("id")}
        for name, rows in {
            "academicSessions": _sessions(school),
            "orgs": iter([{"sourcedId": _SCHOOL, "name": school.name, "type": "school"}]),
            "courses": _courses(taught.values()),
            "classes": _classes(taught.values()),
            "users": _users({found.teacher_id for found in taught.values()}),
            "enrollments": _enrollments(taught, school),
        }.items():
            lines = ([row.get(column, "") for column in COLUMNS[name]] for row in rows)
            yield name, _write(archive, name, COLUMNS[name], lines)


def _write(archive: zipfile.ZipFile, name: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> int:
    count = 0
    with archive.open(f"{name}.csv", "w") as part, io.TextIOWrapper(part, "utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(columns)
        for line in lines:
            writer.writerow([" ".join(cell.split()) for cell in line])
            count += 1
    return count


def _manifest() -> Iterator[tuple[str, str]]:
    yield "manifest.version", "1.0"
    yield "oneroster.version", "1.1"
    for name in _FILES:
        yield f"file.{name}", "bulk" if name in COLUMNS else "absent"
    yield "source.systemName", "Live attendance"
    yield "source.systemCode", "live-attendance"


def _sessions(school: School) -> Iterator[Row]:
    """The year, and the one term in it: classes belong to terms. A session ends on the day after its last one."""
    days = {"startDate": str(school.first), "endDate": str(school.last + timedelta(days=1))}
    title = f"{school.first.year}-{school.last.year}"
    common = {"title": title, **days, "schoolYear": str(school.last.year)}
    yield {"sourcedId": _YEAR, "type": "schoolYear", **common}
    yield {"sourcedId": _TERM, "type": "term", "parentSourcedId": _YEAR, **common}


def _courses(classes: Iterable[Class]) -> Iterator[Row]:
    for found in classes:
        yield {
            "sourcedId": _course(found),
            "schoolYearSourcedId": _YEAR,
            "title": found.name,
            "orgSourcedId": _SCHOOL,
        }


def _course(found: Class) -> str:
    return f"course-{found.id}"


def _classes(classes: Iterable[Class]) -> Iterator[Row]:
    for found in classes:
        yield {
            "sourcedId": found.id,
            "title": found.name,
            "courseSourcedId": _course(found),
            "classType": "scheduled",
            "schoolSourcedId": _SCHOOL,
            "termSourcedIds": _TERM,
        }


def _users(owners: set[str]) -> Iterator[Row]:
    """Everybody who may sign in, and the teachers of the classes."""
    for user in User.objects.filter(Q(is_active=True) | Q(pk__in=sorted(owners))).order_by("id").iterator(_CHUNK):
        given, family = _names(user.name)
        # An address that nobody has proved may be another's: no other system is to know the person by it.
        email = user.email if address_counts(user) else ""
        yield {
            "sourcedId": user.id,
            "enabledUser": "true" if user.is_active else "false",
            "orgSourcedIds": _SCHOOL,
            "role": "administrator" if user.is_superuser else user.role,
            "username": email or user.roll_number or user.id,
            "givenName": given,
            "familyName": family,
            "identifier": user.roll_number or "",
            "email": email,
        }


def _names(name: str) -> tuple[str, str]:
    *given, last = name.split() or ["-"]
    return (" ".join(given), last) if given else (last, "-")


def _enrollments(classes: Mapping[str, Class], school: School) -> Iterator[Row]:
    """Teachers, then who is enrolled today or will be. Days outside of the school year are none of OneRoster's."""
    for found in classes.values():
        yield _enrollment(f"owner-{found.id}", found.id, found.teacher_id, Role.TEACHER, is_primary=True)
    for one in CoTeacher.objects.filter(teacher__is_active=True).order_by("id").iterator(_CHUNK):
        if one.class_ref_id in classes:
            yield _enrollment(one.id, one.class_ref_id, one.teacher_id, Role.TEACHER)
    rows = Enrolment.objects.filter(student__is_active=True).exclude(until__lt=today()).order_by("id")
    for enrolment in rows.iterator(_CHUNK):
        if enrolment.class_ref_id in classes:
            row = _enrollment(enrolment.id, enrolment.class_ref_id, enrolment.student_id, Role.STUDENT)
            since, until = enrolment.since, enrolment.until
            begin = str(since) if since and school.first <= since <= school.last else ""
            end = str(until + timedelta(days=1)) if until and school.first <= until <= school.last else ""
            yield {**row, "beginDate": begin, "endDate": end}


def _enrollment(key: str, class_id: str, user_id: str, role: Role, *, is_primary: bool = False) -> dict[str, str]:
    return {
        "sourcedId": key,
        "classSourcedId": class_id,
        "schoolSourcedId": _SCHOOL,
        "userSourcedId": user_id,
        "role": role.value,
        "primary": "true" if is_primary else "false",
    }
