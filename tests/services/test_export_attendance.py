"""`manage.py export_attendance` writes who was present when, with sums that add up, in files that harm nobody."""

import codecs
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from attendance import class_report
from attendance.counting import RULE_IN_FULL, Tally
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Session
from attendance.report_tables import COUNTED
from classes.models import Class, Enrolment
from core.identity import Role

pytestmark = pytest.mark.django_db

DAY = datetime(2025, 3, 10, 9, 30, tzinfo=UTC)
P, A, L, E = Status.PRESENT, Status.ABSENT, Status.LATE, Status.EXCUSED


class School:
    """A class, its students by first name, and sessions with the statuses that are given."""

    def __init__(self) -> None:
        self.teacher = self.person("Tara", Role.TEACHER)
        self.physics = Class.objects.create(name="Physics", teacher=self.teacher)
        self.students: dict[str, User] = {}

    def person(self, name: str, role: Role = Role.STUDENT, roll_number: str | None = None) -> User:
        user = User(name=name, email=f"{name.lower()}@example.com", role=role, roll_number=roll_number, password="!")
        user.save()
        return user

    def enrol(self, name: str, roll_number: str | None = None) -> User:
        self.students[name] = self.person(name, roll_number=roll_number)
        Enrolment.objects.create(class_ref=self.physics, student=self.students[name], since=None)
        return self.students[name]

    def session(self, at: datetime, state: SessionState = SessionState.ENDED, **statuses: Status) -> Session:
        session = Session.objects.create(
            class_ref=self.physics, started_by=self.teacher, started_at=at, ended_at=at, state=state
        )
        Attendance.objects.bulk_create(
            Attendance(
                class_ref=self.physics,
                session=session,
                student=self.students[name],
                status=status,
                method=Method.TEACHER,
            )
            for name, status in statuses.items()
        )
        return session


@pytest.fixture
def school() -> School:
    return School()


def export(school: School, *arguments: str) -> list[list[str]]:
    """The rows of the CSV on the standard output."""
    out = io.StringIO()
    call_command("export_attendance", school.physics.id, *arguments, stdout=out)
    rows = list(csv.reader(io.StringIO(out.getvalue())))
    if "--output" not in arguments:
        assert rows.pop() == [RULE_IN_FULL]
    return rows


def refusal(*arguments: str) -> str:
    out = io.StringIO()
    with pytest.raises(CommandError) as failure:
        call_command("export_attendance", *arguments, stdout=out)
    assert out.getvalue() == ""
    return str(failure.value)


def test_the_matrix_has_students_by_name_sessions_by_start_and_totals_that_add_up(school: School) -> None:
    school.enrol("Zoe", "3")
    school.enrol("asha", "1")
    school.enrol("Ben")
    school.session(DAY + timedelta(days=1), Zoe=P, asha=A, Ben=L)
    school.session(DAY, Zoe=E, asha=P)

    assert export(school) == [
        [
            "Roll number",
            "Name",
            "Email",
            "2025-03-10 09:30",
            "2025-03-11 09:30",
            *COUNTED,
        ],
        ["1", "asha", "asha@example.com", "present", "absent", "1", "0", "1", "0", "1", "2", "50.0"],
        ["", "Ben", "ben@example.com", "", "late", "0", "1", "0", "0", "1", "1", "100.0"],
        ["3", "Zoe", "zoe@example.com", "excused", "present", "1", "0", "0", "1", "1", "1", "100.0"],
        ["", "All students", "", "100.0", "66.7", "2", "1", "1", "1", "3", "4", "75.0"],
    ]


def test_a_student_who_left_is_there_with_a_record_and_one_who_came_later_without(school: School) -> None:
    school.enrol("Left")
    school.session(DAY, Left=P)
    Enrolment.objects.all().delete()
    school.enrol("New")
    rows = export(school)
    assert rows[1] == ["", "Left", "left@example.com", "present", "1", "0", "0", "0", "1", "1", "100.0"]
    assert rows[2] == ["", "New", "new@example.com", "", *["0"] * 6, ""]


def test_sessions_that_are_open_voided_or_another_classs_are_left_out(school: School) -> None:
    school.enrol("Asha")
    school.session(DAY, SessionState.OPEN)
    school.session(DAY, SessionState.VOIDED)
    other = School.__new__(School)
    other.teacher, other.students = school.teacher, school.students
    other.physics = Class.objects.create(name="Chemistry", teacher=school.teacher)
    other.session(DAY, Asha=P)
    assert export(school) == [
        ["Roll number", "Name", "Email", *COUNTED],
        ["", "Asha", "asha@example.com", *["0"] * 6, ""],
        ["", "All students", "", *["0"] * 6, ""],
    ]


def test_from_and_to_are_local_days_both_included(school: School, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Kolkata"  # 5:30 ahead of UTC
    school.enrol("Asha")
    for at in (
        datetime(2025, 3, 9, 18, 29, tzinfo=UTC),  # 23:59 on the 9th there
        datetime(2025, 3, 9, 18, 30, tzinfo=UTC),  # midnight
        datetime(2025, 3, 11, 18, 29, tzinfo=UTC),  # 23:59 on the 11th
        datetime(2025, 3, 11, 18, 30, tzinfo=UTC),
    ):
        school.session(at, Asha=P)
    everything = ["2025-03-09 23:59", "2025-03-10 00:00", "2025-03-11 23:59", "2025-03-12 00:00"]
    assert export(school)[0][3:-7] == everything
    assert export(school, "--from", "2025-03-10", "--to", "2025-03-11")[0][3:-7] == everything[1:3]
    assert export(school, "--from", "2025-03-10")[0][3:-7] == everything[1:]
    assert export(school, "--to", "2025-03-11")[0][3:-7] == everything[:3]
    assert export(school, "--from", "2025-03-12", "--to", "2025-03-12")[1][3:5] == ["present", "1"]


def test_a_record_outside_the_days_puts_no_student_into_the_matrix(school: School) -> None:
    school.enrol("Left")
    school.session(DAY, Left=P)
    Enrolment.objects.all().delete()
    assert [row[1] for row in export(school, "--from", "2025-03-11")[1:]] == ["All students"]


@pytest.mark.parametrize(
    "text",
    ["11.03.2025", "2025-3-1", "20250311", "2025-02-30", "2025-W11-1", "yesterday", "", "9999-12-31", "٢٠٢٥-٠٣-١١"],
)
@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_wrong_date_is_an_error_that_says_the_form(school: School, option: str, text: str) -> None:
    error = refusal(school.physics.id, option, text)
    assert error.startswith(f"{option} {text!r} is not a day. The form is YYYY-MM-DD")


def test_from_after_to_is_an_error(school: School) -> None:
    error = refusal(school.physics.id, "--from", "2025-03-12", "--to", "2025-03-11")
    assert error == "--from 2025-03-12 is after --to 2025-03-11. Both are days in the form YYYY-MM-DD."


def test_an_unknown_class_is_an_error_and_a_name_is_enough_for_a_known_one(school: School) -> None:
    assert refusal("Chemistry").startswith("No class has the id or the name 'Chemistry'")
    out = io.StringIO()
    call_command("export_attendance", "Physics", stdout=out)
    assert out.getvalue().startswith('"Roll number","Name","Email"')


def test_sessions_of_one_minute_and_of_the_hour_that_comes_twice_have_headings_that_differ(
    school: School, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    school.enrol("Asha")
    for hour, minute, second in ((0, 30, 0), (1, 30, 0), (9, 0, 1), (9, 0, 7), (9, 0, 7), (10, 0, 0)):
        school.session(datetime(2026, 10, 25, hour, minute, second, tzinfo=UTC), Asha=P)
    headings = export(school)[0][3:-7]
    assert headings == [
        "2026-10-25 02:30 +02:00",
        "2026-10-25 02:30 +01:00",
        "2026-10-25 10:00:01",
        "2026-10-25 10:00:07",
        "2026-10-25 10:00:07 (2)",
        "2026-10-25 11:00",
    ]


FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "\r=1", "\r\n=1", "\u200b=1", "＝1"]


def test_no_cell_of_a_csv_is_a_formula(school: School) -> None:
    for number, name in enumerate(FORMULAS):
        user = User(name=name, email=f"=x{number}@example.com", roll_number=f"-{number}", role=Role.STUDENT)
        user.save()
        Enrolment.objects.create(class_ref=school.physics, student=user, since=None)
    rows = export(school)[1:-1]
    assert sorted(row[1] for row in rows) == sorted(
        "'" + name.replace("\r", " ").replace("\n", " ") for name in FORMULAS
    )
    assert all(row[0].startswith("'-") and row[2].startswith("'=x") for row in rows)


def test_a_workbook_has_texts_as_texts_numbers_as_numbers_and_no_letter_that_breaks_it(
    school: School, tmp_path: Path
) -> None:
    school.enrol("Asha", "-7")
    school.session(DAY, Asha=P)
    User.objects.filter(name="Asha").update(name='=HYPERLINK("x")\x07')
    school.enrol("#N/A", "5")
    path = tmp_path / "out.xlsx"

    call_command("export_attendance", school.physics.id, "--output", str(path), stdout=io.StringIO())

    book = openpyxl.load_workbook(path)
    rows = {row[0].value: row for row in book.worksheets[0].iter_rows()}
    assert [cell.value for cell in rows["Roll number"]][3:] == [DAY.replace(tzinfo=None), *COUNTED]
    row = rows["-7"]
    assert row[1].value == '=HYPERLINK("x")\N{REPLACEMENT CHARACTER}'
    assert [cell.data_type for cell in row] == ["s", "s", "s", "s", *["n"] * 7]
    assert [cell.value for cell in row][3:] == ["present", 1, 0, 0, 0, 1, 1, 100]
    assert rows["5"][1].data_type == "s"
    assert rows["5"][1].value == "#N/A"


def test_a_csv_in_a_file_is_what_goes_to_the_standard_output(school: School, tmp_path: Path) -> None:
    school.enrol("José")
    school.session(DAY, José=P)
    path = tmp_path / "out.csv"
    path.write_text("older")
    call_command("export_attendance", school.physics.id, "--output", str(path), stdout=io.StringIO())
    assert path.read_bytes().startswith(codecs.BOM_UTF8), "Excel would take it for Windows-1252"
    assert list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))[:-1] == export(school)
    call_command("export_attendance", school.physics.id, "--output", str(path), "--no-bom", stdout=io.StringIO())
    assert path.read_bytes().startswith(b'"Roll number"')
    assert [found.name for found in tmp_path.iterdir()] == ["out.csv"]


def test_a_workbook_needs_a_file_to_go_to(school: School) -> None:
    error = refusal(school.physics.id, "--format", "xlsx")
    assert error == "A workbook cannot go to the standard output. Name a file: --output FILE.xlsx"


def test_an_output_of_an_unknown_or_contradicting_kind_is_refused(school: School, tmp_path: Path) -> None:
    for name in ("out.pdf", "out.csvx", "out.xls"):
        assert "is no kind of file that this command writes" in refusal(
            school.physics.id, "--output", str(tmp_path / name)
        )
    for name, kind in (("out.csv", "xlsx"), ("OUT.XLSX", "csv")):
        error = refusal(school.physics.id, "--output", str(tmp_path / name), "--format", kind)
        assert error.endswith(f"say different things. Name it FILE.{kind}.")
    assert list(tmp_path.iterdir()) == []
    export(school, "--output", str(tmp_path / "plain"), "--format", "csv")
    assert (tmp_path / "plain").exists()


def test_an_output_that_cannot_be_written_is_an_error(school: School, tmp_path: Path) -> None:
    assert "is not a file" in refusal(school.physics.id, "--output", str(tmp_path))
    assert "Cannot write" in refusal(school.physics.id, "--output", str(tmp_path / "none" / "out.csv"))


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_a_failure_while_writing_leaves_the_older_file_and_no_half_one(
    school: School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(self: class_report.StudentLine) -> Tally:
        raise MemoryError

    school.enrol("Asha")
    path = tmp_path / name
    path.write_text("older")
    monkeypatch.setattr(class_report.StudentLine, "tally", property(fail))
    with pytest.raises(MemoryError):
        export(school, "--output", str(path))
    assert path.read_text() == "older"
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_the_number_of_queries_does_not_grow_with_students_and_sessions(
    school: School, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    school.enrol("Asha")
    school.session(DAY, Asha=P)
    with django_assert_num_queries(5):
        class_report.class_report(class_id=school.physics.id)
    for number in range(20):
        school.enrol(f"S{number}")
        school.session(DAY + timedelta(days=number), Asha=A, S0=P)
    with django_assert_num_queries(5):
        report = class_report.class_report(class_id=school.physics.id)
    assert (len(report.students), len(report.lessons)) == (21, 21)
