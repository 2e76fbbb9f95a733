"""`manage.py import_roster` enrols what a file says, all of it or nothing, and says what it did with each row."""

import csv
import errno
import io
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, OperationalError
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from classes.models import Class, Enrolment
from classes.rosters import write as writing
from classes.services import class_add_student
from core.emails import email_key
from core.identity import Actor, Role
from tests.services.conftest import below_head
from tests.support.database import Databases, manage

pytestmark = pytest.mark.django_db

HEADINGS = "name,email,rollNumber\n"


def add_person(name: str, email: str, role: Role = Role.STUDENT, roll_number: str | None = None) -> User:
    user = User(name=name, email=email, role=role, roll_number=roll_number, password="!")
    user.save()
    return user


@pytest.fixture
def teacher() -> User:
    return add_person("Tara", "tara@example.com", Role.TEACHER)


@pytest.fixture
def physics(teacher: User) -> Class:
    return Class.objects.create(name="Physics", teacher=teacher)


def write(folder: Path, content: str | bytes) -> str:
    path = folder / "students.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def run(*arguments: str) -> list[str]:
    """The lines that the command prints of the rows."""
    out = io.StringIO()
    call_command("import_roster", *arguments, stdout=out)
    return below_head(out.getvalue().splitlines())


def refusal(*arguments: str) -> tuple[str, list[str]]:
    """The command's error, and the lines of the rows printed before it."""
    out = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("import_roster", *arguments, stdout=out)
    return str(failure.value), below_head(out.getvalue().splitlines())


def roster(found: Class) -> list[str]:
    return list(Enrolment.objects.filter(class_ref=found).order_by("id").values_list("student__email", flat=True))


def people() -> list[tuple[str, str, str | None]]:
    return list(User.objects.order_by("email").values_list("name", "email", "roll_number"))


def test_missing_students_are_created_and_everybody_is_enrolled_in_the_files_order(
    tmp_path: Path, physics: Class
) -> None:
    add_person("Zoe", "Zoe@Example.com")
    file = write(tmp_path, HEADINGS + "Asha Rao,Asha@example.com,7\nZoe,zoe@example.COM,\nBen,ben@example.com,8\n")

    lines = run(physics.id, file)

    assert lines == [
        "line 2: Asha Rao <Asha@example.com>: created and enrolled",
        "line 3: Zoe <zoe@example.COM>: enrolled",
        "line 4: Ben <ben@example.com>: created and enrolled",
        "3 rows: 2 created and enrolled, 1 enrolled, 0 already on the roster, 0 refused.",
    ]
    assert roster(physics) == ["Asha@example.com", "Zoe@Example.com", "ben@example.com"]
    asha = User.objects.get(email="Asha@example.com")
    assert (asha.name, asha.role, asha.roll_number, asha.email_key) == (
        "Asha Rao",
        Role.STUDENT,
        "7",
        email_key("Asha@example.com"),
    )
    assert not asha.has_usable_password()
    assert not asha.is_staff


@pytest.mark.parametrize(
    "content",
    [
        "ROLLNO,STUDNAME,EMAIL\n1,Asha,asha@example.com\n",
        "\ufeffname;email;rollNumber\r\nAsha;asha@example.com;1\r\n",
        " Email \tRollno\t studName\n asha@example.com \t 1 \t Asha \n",
        'name,email,house,rollnumber\n"Asha","asha@example.com","red, or blue",1\n\n,,,\n',
        "name,email,rollnumber\rAsha,asha@example.com,1\r",
    ],
    ids=["spreadsheet", "bom-semicolon-crlf", "tab-spaces-order", "quotes-extra-column-blank-lines", "cr"],
)
def test_headings_delimiters_and_line_ends_of_every_kind_are_read(tmp_path: Path, physics: Class, content: str) -> None:
    run(physics.id, write(tmp_path, content))
    assert people()[0] == ("Asha", "asha@example.com", "1")
    assert roster(physics) == ["asha@example.com"]


def test_a_roll_number_column_is_not_needed(tmp_path: Path, physics: Class) -> None:
    run("Physics", write(tmp_path, "name,email\nAsha,asha@example.com\nBen,ben@example.com\n"))
    assert [roll_number for _, _, roll_number in people()] == [None, None, None]
    assert len(roster(physics)) == 2


def test_a_student_without_e_mail_in_the_file_is_known_by_the_roll_number(tmp_path: Path, physics: Class) -> None:
    add_person("Asha", "asha@example.com", roll_number="7")
    lines = run(physics.id, write(tmp_path, HEADINGS + "Asha,,7\n"))
    assert lines[0] == "line 2: Asha: enrolled"
    assert roster(physics) == ["asha@example.com"]


def test_a_known_student_keeps_the_name_and_gets_the_roll_number_that_was_missing(
    tmp_path: Path, physics: Class
) -> None:
    add_person("Asha Rao", "asha@example.com")
    lines = run(physics.id, write(tmp_path, HEADINGS + "A. Rao,asha@example.com,7\n"))
    assert lines[0] == ("line 2: A. Rao <asha@example.com>: enrolled, known here as Asha Rao, roll number 7 noted")
    assert lines[1] == "1 row: 0 created and enrolled, 1 enrolled, 0 already on the roster, 0 refused." + (
        " 1 known here by another name."
    )
    assert people()[0] == ("Asha Rao", "asha@example.com", "7")


def test_importing_twice_changes_nothing(tmp_path: Path, physics: Class) -> None:
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,7\nBen,ben@example.com,8\n")
    run(physics.id, file)
    before = list(User.objects.order_by("id").values()), list(Enrolment.objects.order_by("id").values())
    version = Class.objects.get(pk=physics.pk).roster_version

    lines = run(physics.id, file)

    assert lines[-1] == "2 rows: 0 created and enrolled, 0 enrolled, 2 already on the roster, 0 refused."
    assert lines[0] == "line 2: Asha <asha@example.com>: already on the roster"
    assert before == (list(User.objects.order_by("id").values()), list(Enrolment.objects.order_by("id").values()))
    assert Class.objects.get(pk=physics.pk).roster_version == version


def test_an_import_raises_the_rosters_version_once(tmp_path: Path, physics: Class) -> None:
    run(physics.id, write(tmp_path, HEADINGS + "Asha,asha@example.com,7\nBen,ben@example.com,8\n"))
    assert Class.objects.get(pk=physics.pk).roster_version == physics.roster_version + 1


def test_a_dry_run_reports_the_same_and_writes_nothing(tmp_path: Path, physics: Class) -> None:
    add_person("Zoe", "zoe@example.com")
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,7\nZoe,zoe@example.com,\n")
    before = people()

    dry = run(physics.id, file, "--dry-run")

    assert people() == before
    assert roster(physics) == []
    assert dry[0].startswith("Nothing is written.")
    assert dry[-1] == "Nothing was written: this was a dry run."
    assert dry[1:-1] == run(physics.id, file)


BAD_ROWS = {
    "bad e-mail": ("Bad,not-an-address,", "“not-an-address” is not an e-mail address: correct it"),
    "e-mail of another host's kind": ("Bad,bad@localhost,", "is not an e-mail address"),
    "missing name": (" ,bad@example.com,", "the name is missing: fill it in"),
    "missing e-mail": ("Bad,,", "the e-mail is missing: fill it in"),
    "unknown roll number alone": ("Bad,,99", "no student has the roll number 99: fill in the e-mail"),
    "teacher": ("Tara,TARA@example.com,", "is a teacher's account, and only students can be enrolled"),
    "roll number of another": ("Bad,bad@example.com,7", "the roll number 7 belongs to known@example.com"),
    "another roll number": ("Known,known@example.com,8", "already has the roll number 7"),
    "same e-mail twice": ("Good,GOOD@example.com,", "it has the same e-mail as line 2: leave one of the two out"),
    "same roll number twice": ("Bad,bad@example.com,1", "it has the same roll number as line 2"),
    "same student twice": ("Known,,7\nKnown,known@example.com,", "it is the same student as line 3"),
    "NUL in the name": ("B\0d,bad@example.com,", "the name has a control character"),
    "NUL in the e-mail": ("Bad,b\0d@example.com,", "the e-mail has a control character"),
    "line break in the name": ('"B\nd",bad@example.com,', "the name has a control character"),
    "NUL in the roll number": ("Bad,bad@example.com,1\x002", "the roll number has a control character"),
    "long name": (f"{'x' * 256},bad@example.com,", "the name is too long: at most 255 characters"),
    "long e-mail": (f"Bad,{'x' * 250}@example.com,", "the e-mail is too long: at most 254 characters"),
    "long roll number": (f"Bad,bad@example.com,{'1' * 65}", "the roll number is too long: at most 64 characters"),
    "unquoted comma": (
        "Bad,bad@example.com,5,Jr.",
        "it has 4 cells, more cells than there are headings (3): a cell with a separator in it needs quotation marks."
        " It was read as “Bad | bad@example.com | 5 | Jr.”",
    ),
    "too few cells": ("Bad", "it has 1 of 3 cells, so the e-mail is missing: fill it in. It was read as “Bad”"),
    "number of a spreadsheet": ("Bad,bad@example.com,1.23457E+11", "format the column as text and export it again"),
    "error of a spreadsheet": ("#NAME?,bad@example.com,", "the name is #NAME?, a formula's error"),
    "invisible character": ("Bad,bad@exam\u200bple.com,", "U+200B ZERO WIDTH SPACE) after “bad@exam”: remove it"),
}


@pytest.mark.parametrize("dry_run", [False, True], ids=["import", "dry-run"])
@pytest.mark.parametrize("case", BAD_ROWS)
def test_one_refused_row_with_its_reason_and_line_refuses_the_whole_file(
    tmp_path: Path, physics: Class, case: str, dry_run: bool
) -> None:
    add_person("Known", "known@example.com", roll_number="7")
    row, reason = BAD_ROWS[case]
    file = write(tmp_path, HEADINGS + f"Good,good@example.com,1\n{row}\nLast,last@example.com,2\n")
    before = people()

    error, lines = refusal(physics.id, file, *(["--dry-run"] if dry_run else []))

    refused = [line for line in lines if ": refused: " in line]
    at = 4 if case == "same student twice" else 3
    assert len(refused) == 1, lines
    assert refused[0].startswith(f"line {at}: ")
    assert reason in refused[0]
    assert f"Nothing was written: 1 of {at} rows is refused." in error
    assert lines[-1].endswith("1 refused.")
    assert people() == before
    assert roster(physics) == []


def test_the_line_number_is_the_files_also_after_cells_with_line_breaks(tmp_path: Path, physics: Class) -> None:
    content = 'name,email,note\nAsha,asha@example.com,"one\ntwo\nthree"\n\nBad,bad,\n'
    _, lines = refusal(physics.id, write(tmp_path, content))
    assert lines[1].startswith("line 2: Asha")
    assert lines[2].startswith("line 6: Bad")


BAD_FILES = {
    "not UTF-8": (
        "name,email\nJosé,jose@example.com\n".encode("latin-1"),
        "Line 2 is not UTF-8. It looks like Windows-1252, which reads it as “José,jose@example.com”.",
    ),
    "not Windows-1252": (b"name,email\nA\x81,a@example.com\n", "Line 2 is not UTF-8. In a spreadsheet, save the file"),
    "half a UTF-16": ("name,email\nAsha,asha@example.com\n".encode("utf-16")[:-1], "is not UTF-16 throughout"),
    "empty": (b"", "is empty. Its first line must have the headings"),
    "only a byte order mark and spaces": (b"\xef\xbb\xbf \n\n", "is empty"),
    "neither e-mail nor roll number": (
        b"name,phone\nAsha,1\n",
        "There is no column for the e-mail: line 1 is “name | phone”.",
    ),
    "addresses below another heading": (
        b"name,rollNumber,Contact\nAsha,1,asha@example.com\n",
        "There is no column for the e-mail, and “Contact” has addresses: leave that column out",
    ),
    "no known column": (
        b"Asha,asha@example.com\n",
        "There is no column for the name and no e-mail: line 1 is “Asha | asha@example.com”.",
    ),
    "a column twice": (
        b"name,STUDNAME,email\nA,B,asha@example.com\n",
        "Two columns may be the name: “name” and “STUDNAME”. Leave one of them out",
    ),
    "a title": (
        b"Class 7B,,\nname,email\nAsha,asha@example.com\n",
        "Line 1 stands above the headings: “Class 7B”. Delete the lines above the line with “name | email”.",
    ),
    "headings only": (b"name,email\n\n", "There are headings but no students below them."),
    "open quotation": (
        b'name,email\nA,a@example.com\n"Asha,asha@example.com\nBen,b@example.com\n',
        "Line 3 is not CSV",
    ),
    "one endless cell": (b"x" * 200_000, "Line 1 is not CSV (field larger than field limit"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_cannot_be_read_is_an_error_that_says_what_to_do(tmp_path: Path, physics: Class, case: str) -> None:
    content, message = BAD_FILES[case]
    error, lines = refusal(physics.id, write(tmp_path, content))
    assert message in error
    assert lines == []
    assert User.objects.count() == 1


def test_a_file_that_is_not_there_or_is_a_folder_is_an_error(tmp_path: Path, physics: Class) -> None:
    assert "There is no file" in refusal(physics.id, str(tmp_path / "none.csv"))[0]
    assert "is a folder. Name a file of students." in refusal(physics.id, str(tmp_path))[0]


@pytest.mark.parametrize("class_ref", ["Chemistry", "physics", "65f1a2b3c4d5e6f708192a3b", "", "a\0b"])
def test_an_unknown_class_is_an_error(tmp_path: Path, physics: Class, class_ref: str) -> None:
    error, _ = refusal(class_ref, write(tmp_path, HEADINGS + "Asha,asha@example.com,\n"))
    assert error.startswith("No class has the id or the name")


def test_a_name_that_several_classes_have_is_an_error_that_lists_their_ids_and_teachers(
    tmp_path: Path, physics: Class
) -> None:
    other = Class.objects.create(name="Physics", teacher=add_person("Uma", "uma@example.com", Role.TEACHER))
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,\n")

    error, _ = refusal("Physics", file)

    assert f"{physics.id}  teacher Tara <tara@example.com>" in error
    assert f"{other.id}  teacher Uma <uma@example.com>" in error
    run(other.id.upper(), file)
    assert roster(other) == ["asha@example.com"]
    assert roster(physics) == []


def test_a_large_file_takes_few_queries(
    tmp_path: Path, physics: Class, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = "".join(f"Student {n},s{n}@example.com,{n}\n" for n in range(1500))
    with django_assert_max_num_queries(60):
        run(physics.id, write(tmp_path, HEADINGS + rows))
    assert len(roster(physics)) == 1500


# Passwords


def read_passwords(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row["email"]: row["password"] for row in csv.DictReader(file)}


def test_created_students_sign_in_with_the_passwords_of_the_file_that_only_its_owner_reads(
    tmp_path: Path, physics: Class
) -> None:
    known = add_person("Zoe", "zoe@example.com")
    file = write(tmp_path, HEADINGS + "=Asha,asha@example.com,7\nZoe,zoe@example.com,\nBen,ben@example.com,8\n")
    out = tmp_path / "passwords.csv"

    lines = run(physics.id, file, "--passwords", str(out))

    assert lines[-1] == f"The passwords are in {out}."
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_text().splitlines()[0] == '\ufeff"name","email","password"'
    assert out.read_text().splitlines()[1].startswith('"\'=Asha",'), "a spreadsheet would run it"
    passwords = read_passwords(out)
    assert list(passwords) == ["asha@example.com", "ben@example.com"]
    assert len(set(passwords.values())) == 2
    for email, password in passwords.items():
        assert len(password) >= 10
        assert User.objects.get(email=email).check_password(password)
    assert User.objects.get(pk=known.pk).password == "!"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["passwords.csv", "students.csv"]


@pytest.mark.parametrize("dry_run", [False, True], ids=["import", "dry-run"])
def test_a_password_file_that_is_there_is_never_overwritten(tmp_path: Path, physics: Class, dry_run: bool) -> None:
    out = tmp_path / "passwords.csv"
    out.write_text("mine")
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n")
    error, _ = refusal(physics.id, file, "--passwords", str(out), *(["--dry-run"] if dry_run else []))
    assert "is there already and is not overwritten" in error
    assert out.read_text() == "mine"
    assert User.objects.count() == 1


def test_no_password_file_is_left_where_nobody_is_created(tmp_path: Path, physics: Class) -> None:
    out = tmp_path / "passwords.csv"
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n")
    run(physics.id, file, "--dry-run", "--passwords", str(out))
    assert not out.exists()
    run(physics.id, file)
    assert "Nobody was created" in run(physics.id, file, "--passwords", str(out))[-1]
    refusal(physics.id, write(tmp_path, HEADINGS + "Bad,bad,\n"), "--passwords", str(out))
    assert "There is no folder" in refusal(physics.id, file, "--passwords", str(tmp_path / "none" / "p.csv"))[0]
    assert [path.name for path in tmp_path.iterdir()] == ["students.csv"]


def test_an_account_that_came_to_be_during_the_hashing_stops_the_import(
    tmp_path: Path, physics: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_hash(password: str) -> str:
        add_person("Asha", "asha@example.com")
        return f"hash of {password}"

    monkeypatch.setattr("classes.management.commands.import_roster.hash_password", slow_hash)
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n")

    error, _ = refusal(physics.id, file, "--passwords", str(tmp_path / "passwords.csv"))

    assert "so nothing was written. Run it again." in error
    assert roster(physics) == []
    assert [path.name for path in tmp_path.iterdir()] == ["students.csv"]


def test_the_passwords_are_on_the_disk_when_the_answer_to_the_commit_is_lost(
    tmp_path: Path, physics: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = writing.roster_write

    def commit_and_lose_the_answer(**given: Any) -> None:
        assert not out.exists(), "the file has its name before the import is committed"
        real(**given)
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(writing, "roster_write", commit_and_lose_the_answer)
    monkeypatch.setattr("classes.management.commands.import_roster.hash_password", lambda password: f"of {password}")
    out = tmp_path / "passwords.csv"
    with pytest.raises(OperationalError) as failure:
        run(physics.id, write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n"), "--passwords", str(out))

    assert not out.exists()
    (unfinished,) = tmp_path.glob("passwords.csv.unfinished-*")
    assert str(unfinished) in failure.value.__notes__[0]
    assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
    created = User.objects.get(email="asha@example.com")
    assert created.password == f"of {read_passwords(unfinished)['asha@example.com']}"


def test_where_the_passwords_cannot_be_written_nobody_is_created(
    tmp_path: Path, physics: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("classes.management.commands.import_roster.hash_password", lambda password: f"of {password}")
    monkeypatch.setattr("classes.rosters.passwords.os.fsync", full_disk)
    file = write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n")

    error, _ = refusal(physics.id, file, "--passwords", str(tmp_path / "passwords.csv"))

    assert error.endswith("No space left on device. Nothing was imported.")
    assert User.objects.count() == 1
    assert [path.name for path in tmp_path.iterdir()] == ["students.csv"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failure", [IntegrityError("raced"), OperationalError("disk full")])
def test_a_failure_in_the_middle_of_the_writing_leaves_nothing_written(
    tmp_path: Path, physics: Class, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        assert User.objects.filter(email="asha@example.com").exists()
        raise failure

    monkeypatch.setattr(type(Enrolment.objects), "bulk_create", lambda self, *a, **k: fail())
    monkeypatch.setattr(type(User.objects), "bulk_create", lambda self, users, **k: [u.save() for u in users])
    with pytest.raises((CommandError, OperationalError)) as caught:
        run(physics.id, write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n"))

    assert isinstance(caught.value, CommandError) == isinstance(failure, IntegrityError)
    assert User.objects.count() == 1
    assert roster(physics) == []


def test_an_imported_student_can_be_added_again_by_the_service_without_a_change(
    tmp_path: Path, physics: Class, teacher: User
) -> None:
    run(physics.id, write(tmp_path, HEADINGS + "Asha,asha@example.com,7\n"))
    student = User.objects.get(email="asha@example.com")
    actor = Actor(teacher.id, Role.TEACHER, teacher.name, teacher.email)
    class_add_student(actor=actor, class_id=physics.id, student_id=student.id)
    assert roster(physics) == ["asha@example.com"]


def test_at_the_shell_errors_go_to_stderr_with_a_failing_status_and_help_has_an_example(
    databases: Databases, tmp_path: Path
) -> None:
    database = databases.fresh()
    failed = manage("import_roster", "Nowhere", str(tmp_path / "none.csv"), database=database)
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.startswith("CommandError: No class has the id or the name 'Nowhere'.")
    shown = manage("import_roster", "--help", database=database)
    assert shown.returncode == 0
    assert '  python manage.py import_roster "Physics 1" students.csv --dry-run\n' in shown.stdout
