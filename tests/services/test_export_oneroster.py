"""`manage.py export_oneroster` writes what the specification's tables say, and this server's own import reads it."""

import csv
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Origin, User
from classes.models import Class, Enrolment
from classes.oneroster import school_year
from core.times import today
from tests.api.rest import make_user
from tests.dialects.v2.rest import School

pytestmark = pytest.mark.django_db(transaction=True)

#: As the specification prints them.
HEADINGS = {
    "manifest.csv": "propertyName,value",
    "academicSessions.csv": "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear",
    "orgs.csv": "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId",
    "courses.csv": "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects"
    ",subjectCodes",
    "classes.csv": "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location"
    ",schoolSourcedId,termSourcedIds,subjects,subjectCodes,periods",
    "users.csv": "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName"
    ",familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password",
    "enrollments.csv": "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary"
    ",beginDate,endDate",
}


@pytest.fixture
def school() -> School:
    return School()


def exported(path: Path, **options: str) -> dict[str, str]:
    """File → its text."""
    call_command("export_oneroster", str(path), stdout=io.StringIO(), **options)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def rows(text: str) -> dict[str, dict[str, str]]:
    """A file's rows by their ids, which are unique."""
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    by_id = {row["sourcedId"]: row for row in found}
    assert len(by_id) == len(found)
    return by_id


def test_files_have_the_specifications_headings_and_the_manifest_names_them(school: School, tmp_path: Path) -> None:
    files = exported(tmp_path / "school.zip")
    assert {name: text.split("\r\n")[0] for name, text in files.items()} == HEADINGS
    manifest = dict(csv.reader(io.StringIO(files["manifest.csv"], newline="")))
    assert (manifest["manifest.version"], manifest["oneroster.version"]) == ("1.0", "1.1")
    modes = {name: mode for name, mode in manifest.items() if name.startswith("file.")}
    assert len(modes) == 13
    assert {f"{name.removeprefix('file.')}.csv" for name, mode in modes.items() if mode == "bulk"} == {
        name for name in HEADINGS if name != "manifest.csv"
    }
    assert set(modes.values()) == {"bulk", "absent"}


def test_every_reference_leads_to_a_row_and_every_word_is_one_of_the_specifications(
    school: School, tmp_path: Path
) -> None:
    make_user("Only", is_active=False)
    Class.objects.create(name="Archived", teacher=school.owner, archived_at=today().isoformat() + "T00:00:00Z")
    files = exported(tmp_path / "school.zip", school="Lincoln School")
    sessions, orgs, courses, classes, users, enrolments = (
        rows(files[f"{name}.csv"])
        for name in ("academicSessions", "orgs", "courses", "classes", "users", "enrollments")
    )
    assert [(row["name"], row["type"]) for row in orgs.values()] == [("Lincoln School", "school")]
    assert {row["type"] for row in sessions.values()} == {"schoolYear", "term"}
    assert {row["title"] for row in classes.values()} == {"Physics"}
    for row in classes.values():
        assert row["courseSourcedId"] in courses
        assert sessions[row["termSourcedIds"]]["type"] == "term"
        assert (row["classType"], row["schoolSourcedId"] in orgs) == ("scheduled", True)
    for row in courses.values():
        assert sessions[row["schoolYearSourcedId"]]["type"] == "schoolYear"
    for row in users.values():
        assert (row["enabledUser"], row["orgSourcedIds"] in orgs) == ("true", True)
        assert row["role"] in ("student", "teacher", "administrator")
        assert all(row[column] for column in ("username", "givenName", "familyName"))
    for row in enrolments.values():
        assert row["classSourcedId"] in classes
        assert row["schoolSourcedId"] in orgs
        assert row["userSourcedId"] in users
    said = {(users[row["userSourcedId"]]["givenName"], row["role"], row["primary"]) for row in enrolments.values()}
    assert said == {
        ("Owner", "teacher", "true"),
        ("Colleague", "teacher", "false"),
        ("Ann", "student", "false"),
        ("Ben", "student", "false"),
    }
    for found in (sessions, orgs, courses, classes, users, enrolments):
        assert {(row["status"], row["dateLastModified"]) for row in found.values()} == {("", "")}


def test_days_are_of_the_school_year_and_end_on_the_day_after(school: School, tmp_path: Path) -> None:
    first, last = today() - timedelta(days=30), today() + timedelta(days=30)
    Enrolment.objects.filter(student=school.ann).update(since=first - timedelta(days=1), until=last)
    Enrolment.objects.filter(student=school.ben).update(until=today() - timedelta(days=1))
    files = exported(tmp_path / "school.zip", first=str(first), last=str(last))
    students = [row for row in rows(files["enrollments.csv"]).values() if row["role"] == "student"]
    after = str(last + timedelta(days=1))
    assert [(row["beginDate"], row["endDate"]) for row in students] == [("", after)]
    sessions = rows(files["academicSessions.csv"]).values()
    assert {(row["startDate"], row["endDate"], row["schoolYear"]) for row in sessions} == {
        (str(first), after, str(last.year))
    }
    assert school_year(date(2026, 7, 31)) == (date(2025, 8, 1), date(2026, 7, 31))
    assert school_year(date(2026, 8, 1)) == (date(2026, 8, 1), date(2027, 7, 31))


def test_names_are_as_they_are_and_an_unproved_address_is_nobodys(school: School, tmp_path: Path) -> None:
    User.objects.filter(pk=school.ann.pk).update(name='=1+1 "Ann, B" O\'Neil')
    User.objects.filter(pk=school.ben.pk).update(origin=Origin.SELF, email_verified_at=None)
    users = rows(exported(tmp_path / "school.zip")["users.csv"])
    ann, ben = users[school.ann.pk], users[school.ben.pk]
    assert (ann["givenName"], ann["familyName"]) == ('=1+1 "Ann, B"', "O'Neil")
    assert (ann["username"], ann["email"], ann["identifier"]) == ("Ann@example.com", "Ann@example.com", "1")
    assert (ben["username"], ben["email"], ben["familyName"]) == ("2", "", "-")


def test_this_servers_own_import_reads_the_zip(school: School, tmp_path: Path) -> None:
    User.objects.filter(pk=school.ann.pk).update(name="Ann Rao")
    User.objects.filter(pk=school.stranger.pk).update(name="Sam Strange")
    path = tmp_path / "school.zip"
    exported(path)
    other = Class.objects.create(name="Other", teacher=school.other_teacher)
    out = io.StringIO()
    call_command("import_roster", other.id, str(path), stdout=out)
    assert "the role is teacher" in out.getvalue()
    assert set(other.students.values_list("pk", flat=True)) == {school.ann.pk, school.ben.pk, school.stranger.pk}


def test_wrong_arguments_are_said_and_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "school.zip"
    for options in ({"first": "tomorrow"}, {"first": "2027-01-01", "last": "2026-01-01"}, {"school": " "}):
        with pytest.raises(CommandError):
            exported(path, **options)
    with pytest.raises(CommandError, match="is not a file"):
        exported(tmp_path)
    assert not path.exists()
