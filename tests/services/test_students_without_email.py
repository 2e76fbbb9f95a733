"""Students who have no e-mail: how they are made, that their key is theirs alone, and what is never mailed to them."""

import csv
import io
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from accounts import credentials, mail, proofs
from accounts.codes import Purpose
from accounts.models import Origin, User
from accounts.services import sign_in
from accounts.standing import author_of
from classes.models import Class, Enrolment
from classes.rosters.entries import Entry
from classes.rosters.plan import Outcome, roster_plan
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from tests.services.conftest import below_head, make_room

pytestmark = pytest.mark.django_db(transaction=True)


def pupil(name: str, roll_number: str) -> User:
    user = User(name=name, roll_number=roll_number, role=Role.STUDENT, password="!")
    user.save()
    return user


@pytest.fixture
def physics() -> Class:
    return Class.objects.get(pk=make_room(0).class_id)


def imported(found: Class, folder: Path, text: str, *options: str) -> list[str]:
    path = folder / "students.csv"
    path.write_text(text)
    out = io.StringIO()
    call_command("import_roster", found.id, str(path), *options, stdout=out)
    return below_head(out.getvalue().splitlines())


def test_any_number_of_students_has_no_email_and_nobody_has_anothers_in_another_spelling() -> None:
    one, two = pupil("Asha", "1"), pupil("Ben", "2")
    assert [User.objects.get(pk=user.pk).email for user in (one, two)] == ["", ""]
    User.objects.filter(pk=one.pk).update(email="asha@example.com")
    two.email = "ASHA@example.com"
    with pytest.raises(IntegrityError):
        unit_of_work(two.save)()
    User.objects.filter(pk=one.pk).update(email="")
    two.save()
    assert User.objects.by_email("asha@example.com") == two
    assert User.objects.by_email("") is None
    assert str(one) == "Asha (1)"


@pytest.mark.parametrize(("role", "roll_number"), [(Role.STUDENT, None), (Role.STUDENT, " "), (Role.TEACHER, "1")])
def test_only_a_student_with_a_roll_number_may_have_no_email(role: Role, roll_number: str | None) -> None:
    with pytest.raises(ValidationError, match="Only a student with a roll number"):
        User(name="Asha", role=role, roll_number=roll_number, password="!").clean()


def test_a_list_of_names_and_roll_numbers_makes_students_without_email_once(physics: Class, tmp_path: Path) -> None:
    text = "Roll No,Student name,Parent e-mail\n7,Asha Rao,rao@example.com\n8,Ben Ortiz,\n"
    assert imported(physics, tmp_path, text)[-1].startswith("2 rows: 2 created and enrolled")
    found = User.objects.filter(role=Role.STUDENT).order_by("roll_number")
    assert [(user.name, user.email, user.roll_number) for user in found] == [
        ("Asha Rao", "", "7"),
        ("Ben Ortiz", "", "8"),
    ]
    assert Enrolment.objects.current().filter(class_ref=physics).count() == 2
    assert imported(physics, tmp_path, text)[-1].startswith("2 rows: 0 created and enrolled, 0 enrolled, 2 already")


def test_the_file_of_passwords_says_the_roll_number_with_which_they_sign_in(physics: Class, tmp_path: Path) -> None:
    out = tmp_path / "passwords.csv"
    imported(physics, tmp_path, "name,roll number\nAsha Rao,7\n", "--passwords", str(out), "--no-bom")
    with out.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], row["roll number"]) == ("Asha Rao", "7")
    assert sign_in(login="7", password=row["password"]).name == "Asha Rao"


def entry(**fields: object) -> Entry:
    return Entry(**{"line": 2, "name": "Asha", "email": "", "roll_number": "7", "has_no_email": True, **fields})  # type: ignore[arg-type]


def outcome_of(found: Class, teacher: User, one: Entry) -> tuple[Outcome, str]:
    (row,) = roster_plan(class_id=found.id, entries=[one], author=author_of(teacher)).rows
    return row.outcome, row.reason


def test_only_a_teacher_of_the_schools_makes_students_without_email(physics: Class) -> None:
    teacher = physics.teacher
    assert outcome_of(physics, teacher, entry()) == (Outcome.CREATED, "")
    outcome, reason = outcome_of(physics, teacher, entry(has_no_email=False))
    assert outcome is Outcome.REFUSED
    assert reason.endswith("fill in the e-mail, or leave the column out if the students have none")
    teacher.origin = Origin.SELF  # SIGNUP is open: this may be anybody
    teacher.save()
    outcome, reason = outcome_of(physics, teacher, entry())
    assert outcome is Outcome.REFUSED
    assert reason.endswith("fill in the e-mail")


def test_no_sheet_takes_the_roll_number_of_a_student_without_email(physics: Class) -> None:
    pupil("Ben", "7")
    outcome, reason = outcome_of(physics, physics.teacher, entry(email="asha@example.com", has_no_email=False))
    assert outcome is Outcome.REFUSED
    assert "belongs to Ben, who has no e-mail here" in reason


def test_nothing_is_mailed_to_a_student_without_email(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_submit", lambda message: pytest.fail("a mail"))
    asha = pupil("Asha", "7")
    credentials.password_forgot(login="7")  # answers as for anybody
    with pytest.raises(errors.NoAddress):
        proofs.code_mail(asha, Purpose.RECOVER, address=None)
    with pytest.raises(errors.AlreadyProved):
        proofs.proof_begin(user_id=asha.id)
    with pytest.raises(errors.InvalidCode):
        credentials.password_reset(login="7", code="123456", password="correct horse")


def test_a_second_administrator_of_one_email_is_refused_in_any_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse")
    call_command("createsuperuser", "--noinput", "--email", "boss@example.com", "--name", "Boss", stdout=io.StringIO())
    with pytest.raises(CommandError, match="That email is already taken"):
        call_command("createsuperuser", "--noinput", "--email", "BOSS@example.com", "--name", "Boss")
    assert User.objects.filter(is_superuser=True).count() == 1
