"""The files that teachers have: each comes to the right people, or to the reason why not.

The files are in tests/data/rosters; the people in them are invented.
"""

import csv
import io
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import User
from accounts.standing import school_as_author
from classes.models import Class, Enrolment
from classes.rosters.entries import entries_of
from classes.rosters.plan import Plan, roster_plan
from classes.rosters.sources import read_path
from core.identity import Role

pytestmark = pytest.mark.django_db

FILES = Path(__file__).parent.parent / "data" / "rosters"


class Person(NamedTuple):
    name: str
    email: str
    roll_number: str | None = None


class Case(NamedTuple):
    taken_for: str
    people: list[Person]
    #: Other lines that are printed, or parts of them.
    said: tuple[str, ...] = ("Columns not used: none.",)
    options: tuple[str, ...] = ()


IMPORTED = {
    "utf8_with_mark.csv": Case(
        "a list of students (CSV, UTF-8, commas)",
        [Person("Asha Rao", "asha@a01.example.com", "a01-1"), Person("Ben Ortiz", "ben@a01.example.com", "a01-2")],
    ),
    "semicolons.csv": Case(
        "a list of students (CSV, UTF-8, semicolons)",
        [
            Person("Nora Karim", "nora@a02.example.com", "a02-1"),
            Person("Jan, der Ältere", "jan@a02.example.com", "a02-2"),
        ],
    ),
    "sep_line.csv": Case(
        "a list of students (CSV, UTF-8, semicolons)",
        [Person("Nora Karim", "nora@a03.example.com")],
        ("line 3: Nora Karim",),
    ),
    "windows_1252.csv": Case(
        "a list of students (CSV, CP1252, semicolons)",
        [Person("Jürgen Æsop", "j@a04.example.com"), Person("Zoë Peña", "z@a04.example.com")],
        options=("--encoding", "windows-1252"),
    ),
    "teams_report_utf16.csv": Case(
        "a Microsoft Teams attendance report (TSV, UTF-16, tabs)",
        [Person("Ines García", "ines@a05.example.com")],
        (
            "Mara Quist <mara@a05.example.com>: left out: the role is Organizer",
            "Goliath, David <dgol@a05.example.com>: left out: the role is Presenter",
            "Columns not used: “First join”, “Last leave”, “In-meeting duration”.",
            "3 rows: 1 created and enrolled, 0 enrolled, 0 already on the roster, 2 left out, 0 refused.",
        ),
    ),
    "teams_participants.csv": Case(
        "a Microsoft Teams attendance report (TSV, UTF-8, tabs)",
        [Person("Ines García", "ines@a05.example.com")],
        ("3 rows: 1 created and enrolled, 0 enrolled, 0 already on the roster, 2 left out, 0 refused.",),
    ),
    "canvas_gradebook.csv": Case(
        "a Canvas gradebook (CSV, UTF-8, commas)",
        [Person("Asha Rao", "asha@a07.example.com", "S11")],
        (
            "Columns: name from “Student”, roll number from “SIS User ID”, e-mail, where there is no other, from “SIS",
            "Columns not used: “ID”, “Section”, “Quiz 1 (23)”.",
            "1 row: 1 created",
        ),
    ),
    "oneroster_users.csv": Case(
        "OneRoster users (CSV, UTF-8, commas)",
        [Person("Asha Rao", "asha@a08.example.com", "0012")],
        (
            "Mara Quist <mara@a08.example.com>: left out: the role is teacher",
            "Old One <old@a08.example.com>: left out: the file says that they leave, and they are not on the roster",
        ),
    ),
    "moodle_participants.csv": Case(
        "a Moodle list of participants (CSV, UTF-8, commas)",
        [Person("Asha Rao", "asha@a09.example.com")],
        ("Columns not used: “Groups”.",),
    ),
    "kept_as_text.csv": Case(
        "a list of students (CSV, UTF-8, commas)",
        [Person("Asha Rao", "asha@a16.example.com", "0012"), Person("Ben Ortiz", "ben@a16.example.com", "0013")],
    ),
    "heading_with_line_break.csv": Case(
        "a list of students (CSV, UTF-8, commas)", [Person("Asha Rao", "asha@a18.example.com", "a18-1")]
    ),
    "empty_line_first.csv": Case(
        "a list of students (CSV, UTF-8, commas)", [Person("Asha Rao", "asha@a19.example.com")], ("line 3: ",)
    ),
    "workbook.xlsx": Case(
        "a list of students (workbook, .xlsx, sheet “Sheet”)", [Person("Asha Rao", "asha@a26.example.com", "12")]
    ),
    "utf16_without_mark.csv": Case(
        "a list of students (CSV, UTF-16, commas)", [Person("Asha Rao", "asha@a27.example.com")]
    ),
    "roll_no.csv": Case(
        "a list of students (CSV, UTF-8, commas)",
        [Person("Asha Rao", "asha@a33.example.com", "001"), Person("Ben Ortiz", "ben@a33.example.com", "002")],
    ),
    "enrollment_no.csv": Case(
        "a list of students (CSV, UTF-8, commas)", [Person("Asha Rao", "asha@a33c.example.com", "190270107001")]
    ),
    "joiner_in_name.csv": Case(
        "a list of students (CSV, UTF-8, commas)",
        [Person("علی\u200cرضا کریمی", "ali@a48.example.com")],
        ("line 2: علی\u200cرضا کریمی <ali@a48.example.com>: created and enrolled",),
    ),
    "formulas.csv": Case(
        "a list of students (CSV, UTF-8, commas)",
        [
            Person("Ana;=1+1;", "ana@b03.example.com"),
            Person("Bob;=HYPERLINK(0);", "bob@b03.example.com"),
            Person("＝1+1", "wide@b03.example.com"),
        ],
    ),
}

RUINED = "a spreadsheet ruined it: format the column as text and export it again"
#: File → what is said of it.
REFUSED = {
    "windows_1252.csv": (
        "Line 2 is not UTF-8. It looks like Windows-1252, which reads it as “Jürgen Æsop;j@a04.example.com”.",
        "--encoding windows-1252",
    ),
    "ruined_twice.csv": (
        f"line 2: Asha Rao <asha@a15.example.com>: refused: the roll number is 1.23457E+11: {RUINED}",
    ),
    "ruined_once.csv": (f"the roll number is 1.23457E+11: {RUINED}",),
    "ruined_overflow.csv": (f"the roll number is ########: {RUINED}", f"the roll number is #N/A: {RUINED}"),
    "invisible.csv": (
        "the e-mail has an invisible character (U+200B ZERO WIDTH SPACE) after “ann@a24.example.com”: remove it",
    ),
    "without_email.csv": ("it has no e-mail, and no student has the roll number a45-1: fill in the e-mail",),
    "full_width.csv": (
        "“ann@school。example” is not an e-mail address",
        "the e-mail has an invisible character (U+00AD SOFT HYPHEN) after “cid@sch”",
    ),
}


@pytest.fixture
def physics() -> Class:
    teacher = User(name="Tara", email="tara@example.com", role=Role.TEACHER, password="!")
    teacher.save()
    return Class.objects.create(name="Physics", teacher=teacher)


def add_student(name: str, email: str, roll_number: str | None = None, physics: Class | None = None) -> User:
    user = User(name=name, email=email, role=Role.STUDENT, roll_number=roll_number, password="!")
    user.save()
    if physics is not None:
        Enrolment.objects.create(class_ref=physics, student=user)
    return user


def run(physics: Class, path: Path | str, *options: str) -> list[str]:
    out = io.StringIO()
    call_command("import_roster", physics.id, str(path), *options, stdout=out)
    return out.getvalue().splitlines()


def refusal(physics: Class, path: Path | str, *options: str) -> str:
    """All that is said of a file that is refused. Nothing was written."""
    before = set(User.objects.values_list("id", flat=True)), set(roster(physics))
    out = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("import_roster", physics.id, str(path), *options, stdout=out)
    assert (set(User.objects.values_list("id", flat=True)), set(roster(physics))) == before
    return f"{out.getvalue()}\n{failure.value}"


def roster(physics: Class) -> list[Person]:
    rows = Enrolment.objects.current().filter(class_ref=physics).order_by("id")
    return [Person(*row) for row in rows.values_list("student__name", "student__email", "student__roll_number")]


@pytest.mark.parametrize("name", IMPORTED)
def test_a_file_is_taken_for_what_it_is_and_its_students_are_enrolled(name: str, physics: Class) -> None:
    case = IMPORTED[name]
    lines = run(physics, FILES / name, *case.options)
    assert lines[0] == f"Read as {case.taken_for}."
    assert lines[1].startswith("Columns: ")
    assert lines[2].startswith("Columns not used: ")
    assert roster(physics) == case.people
    for said in case.said:
        assert any(said in line for line in lines), lines


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_would_make_the_wrong_people_is_refused_with_the_reason(name: str, physics: Class) -> None:
    shown = refusal(physics, FILES / name)
    for said in REFUSED[name]:
        assert said in shown


def test_every_file_has_a_case() -> None:
    assert {path.name for path in FILES.iterdir()} == IMPORTED.keys() | REFUSED.keys() | {
        "composed.csv",
        "decomposed_without_email.csv",
    }


def test_a_student_is_found_whose_roll_number_is_spelled_in_parts(physics: Class) -> None:
    run(physics, FILES / "composed.csv")
    assert "already on the roster" in run(physics, FILES / "decomposed_without_email.csv")[3]
    assert [person.email for person in roster(physics)] == ["hieu@a23.example.com"]


def test_students_without_an_email_are_enrolled_by_their_roll_number(physics: Class) -> None:
    add_student("Asha Rao", "asha@example.com", "A45-1")
    add_student("Ben Ortiz", "ben@example.com", "a45-2")
    run(physics, FILES / "without_email.csv")
    assert [person.email for person in roster(physics)] == ["asha@example.com", "ben@example.com"]


def test_who_is_to_be_deleted_is_taken_off_the_roster_and_stays_a_person(physics: Class) -> None:
    old = add_student("Old One", "old@a08.example.com", physics=physics)
    version = Class.objects.get(pk=physics.pk).roster_version
    lines = run(physics, FILES / "oneroster_users.csv")
    assert "line 4: Old One <old@a08.example.com>: taken off the roster" in lines
    assert [person.name for person in roster(physics)] == ["Asha Rao"]
    assert User.objects.get(pk=old.pk).is_active
    assert Class.objects.get(pk=physics.pk).roster_version > version


def test_a_report_that_names_the_teacher_as_an_attendee_leaves_the_teacher_out(tmp_path: Path, physics: Class) -> None:
    report = tmp_path / "zoom.csv"
    report.write_text(
        "Meeting ID,Topic,Start Time,Participants\n123,Physics,2026-11-02 09:00,3\n\n"
        "Name (Original Name),User Email,Total Duration (Minutes),Guest\n"
        "Tara,tara@example.com,40,No\nAsha Rao,asha@example.com,20,No\nAsha Rao,ASHA@example.com,15,No\n"
        "Phone,,40,No\nVisitor,visitor@elsewhere.example,10,Yes\n"
    )
    lines = run(physics, report)
    assert lines[0] == "Read as a Zoom participants report (CSV, UTF-8, commas)."
    assert "line 5: Tara <tara@example.com>: left out: it is a teacher's account" in lines
    assert "line 8: Phone: left out: the meeting knows no e-mail of theirs: nobody knows who this is" in lines
    assert any(line.startswith("line 9: Visitor") and "left out: a guest" in line for line in lines)
    assert [person.name for person in roster(physics)] == ["Asha Rao"]


def shifted(folder: Path, physics: Class, *, right: int, wrong: int) -> Path:
    """A list of students who all have accounts, of whom `wrong` have another name there."""
    for n in range(right + wrong):
        add_student(f"Student {n}", f"s{n}@example.com")
    names = [f"Student {n}" if n < right else f"Other {n}" for n in range(right + wrong)]
    path = folder / "list.csv"
    path.write_text("name,email\n" + "".join(f"{name},s{n}@example.com\n" for n, name in enumerate(names)))
    return path


def test_a_file_whose_names_are_other_peoples_is_refused_unless_somebody_says_that_they_are_right(
    tmp_path: Path, physics: Class
) -> None:
    path = shifted(tmp_path, physics, right=5, wrong=3)
    shown = refusal(physics, path)
    assert "line 9: Other 7 <s7@example.com>: enrolled, known here as Student 7" in shown
    assert (
        "8 rows: 0 created and enrolled, 8 enrolled, 0 already on the roster, 0 refused. 3 known here by another"
        in shown
    )
    assert "Nothing was written: 3 students are known here by another name. Was the sheet sorted" in shown
    assert "this was a dry run" not in refusal(physics, path, "--dry-run")
    assert len(run(physics, path, "--names-differ")) == 3 + 8 + 1
    assert len(roster(physics)) == 8


def test_a_file_with_a_third_of_other_names_is_imported_and_counts_them(tmp_path: Path, physics: Class) -> None:
    lines = run(physics, shifted(tmp_path, physics, right=4, wrong=2))
    assert lines[-1].endswith("2 known here by another name.")
    assert len(roster(physics)) == 6


@pytest.mark.parametrize(
    "spelled", ["Rao, Asha Maria", "ASHA MARIA RAO", "Asha  Maria\xa0Rao", "Ásha María Rao", "Asha-Maria Rao"]
)
def test_a_name_in_another_order_or_spelling_is_no_other_name(spelled: str, tmp_path: Path, physics: Class) -> None:
    add_student("Asha Maria Rao", "asha@example.com")
    path = tmp_path / "list.csv"
    path.write_text(f'name,email\n"{spelled}",asha@example.com\n')
    assert "another name" not in run(physics, path)[-1]


def test_a_plan_is_equal_to_a_later_one_for_as_long_as_it_comes_to_the_same(tmp_path: Path, physics: Class) -> None:
    def plan() -> Plan:
        entries = entries_of(read_path(FILES / "utf8_with_mark.csv"))
        return roster_plan(class_id=physics.id, entries=entries, author=school_as_author(physics.teacher_id))

    shown = plan()
    assert plan() == shown
    add_student("Asha Rao", "asha@a01.example.com")
    assert plan() != shown


def test_columns_can_be_named_by_hand(tmp_path: Path, physics: Class) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Spalte 1,Kennung,Nr\nAsha Rao,asha@example.com,7\n")
    options = ["--column", "name=Spalte 1", "--column", 'email="Kennung"'.replace('"', ""), "--column", "rollNumber=NR"]
    lines = run(physics, path, *options)
    assert lines[1] == "Columns: name from “Spalte 1”, e-mail from “Kennung”, roll number from “Nr”."
    assert roster(physics) == [Person("Asha Rao", "asha@example.com", "7")]
    assert "No column is headed “Login”" in refusal(physics, path, "--column", "email=Login")
    assert "“login=Nr” names no column. The form is" in refusal(physics, path, "--column", "login=Nr")


def test_our_own_export_and_our_passwords_are_read_again(tmp_path: Path, physics: Class) -> None:
    add_student("=Asha", "asha@example.com", "-7", physics)
    add_student("Ben;+1|x", "ben@example.com", "8", physics)
    export = tmp_path / "export.csv"
    call_command("export_attendance", physics.id, output=str(export), stdout=io.StringIO())
    other = Class.objects.create(name="Other", teacher=physics.teacher)
    lines = run(other, export)
    assert lines[0] == "Read as an attendance export of this server (CSV, UTF-8, commas)."
    unused = "“Present”, “Late”, “Absent”, “Excused”, “Attended”, “Lessons”, “Percent”"
    assert lines[2] == f"Columns not used: {unused}."
    assert roster(other) == roster(physics)
    assert "known here" not in "".join(lines)
    book = tmp_path / "export.xlsx"
    call_command("export_attendance", physics.id, output=str(book), stdout=io.StringIO())
    fourth = Class.objects.create(name="Fourth", teacher=physics.teacher)
    assert "sheet “Attendance”" in run(fourth, book)[0]
    assert roster(fourth) == roster(physics)

    passwords = tmp_path / "passwords.csv"
    new = tmp_path / "new.csv"
    new.write_text("name,email\n@Cleo,cleo@example.com\n")
    run(physics, new, "--passwords", str(passwords))
    third = Class.objects.create(name="Third", teacher=physics.teacher)
    assert run(third, passwords)[2] == "Columns not used: “password”."
    assert [person.name for person in roster(third)] == ["@Cleo"]


def test_an_export_of_names_like_formulas_is_none_for_any_separator(tmp_path: Path, physics: Class) -> None:
    run(physics, FILES / "formulas.csv")
    out = io.StringIO()
    call_command("export_attendance", physics.id, stdout=out)
    for separator in ",;\t|":
        for cells in csv.reader(io.StringIO(out.getvalue()), delimiter=separator):
            assert not [cell for cell in cells if cell.lstrip('" \u200b').startswith(("=", "+", "-", "@", "＝"))], (
                separator
            )
