"""An address is proved before it counts: what class sheets, teachers and the proof itself make of accounts."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts import mail, proofs
from accounts.models import Origin, User
from classes.models import Class, Enrolment, SetAside
from classes.rosters.entries import entry_of
from classes.services import class_add_student, class_create, class_create_with_roster, class_join
from core import errors
from core.emails import email_key
from core.identity import Role
from core.ids import new_id
from core.times import now
from tests.services.conftest import actor_of, below_head

pytestmark = pytest.mark.django_db(transaction=True)

CLOSED = ["students", "domains", "invited", "closed"]


def person(
    email: str, role: Role = Role.STUDENT, origin: str = Origin.SELF, *, proved: bool = False, roll: str | None = None
) -> User:
    """An account with a password that nobody knows."""
    user = User(id=new_id(), name=email.partition("@")[0], email=email, email_key=email_key(email), role=role)
    user.origin, user.roll_number, user.password = origin, roll, "a hash"
    user.email_verified_at = now() if proved else None
    user.save(force_insert=True)
    return user


def school_teacher(name: str = "tara") -> User:
    return person(f"{name}@school.example", Role.TEACHER, Origin.SCHOOL)


def stranger(name: str = "mallory", *, proved: bool = False) -> User:
    """A teacher's account that one request has made."""
    return person(f"{name}@anywhere.example", Role.TEACHER, proved=proved)


def sheet(teacher: User, *students: tuple[str, str], name: str = "Physics") -> Class:
    """AttenTrack's way of making a class: (e-mail, roll number) of each student."""
    entries = [entry_of(line=n, name=email, email=email, roll_number=roll) for n, (email, roll) in enumerate(students)]
    return class_create_with_roster(teacher_id=teacher.id, name=name, entries=entries, unique_name=True)


def imported(found: Class, folder: Path, *rows: str) -> list[str]:
    """What `manage.py import_roster` prints of the rows."""
    path = folder / "students.csv"
    path.write_text("\n".join(["name,email,rollNumber", *rows]))
    out = io.StringIO()
    call_command("import_roster", found.id, str(path), stdout=out)
    return below_head(out.getvalue().splitlines())


def roster(found: Class) -> set[str]:
    return set(Enrolment.objects.filter(class_ref=found).values_list("student__email", flat=True))


def number_of(email: str) -> str | None:
    return User.objects.get(email=email).roll_number


@pytest.fixture
def mailed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """To whom a notice was to be mailed."""
    to: list[str] = []
    monkeypatch.setattr(mail, "_submit", lambda message, taken=None: to.extend(message.to))
    return to


# Who is enrolled


@pytest.mark.parametrize("policy", CLOSED)
def test_who_signed_up_is_set_aside_by_a_sheet_and_told_so_and_the_others_are_enrolled(
    policy: str, settings: Any, mailed: list[str]
) -> None:
    settings.SIGNUP = policy
    person("asha@school.example")
    person("ben@school.example", proved=True)
    person("chen@school.example", origin=Origin.SCHOOL)

    made = sheet(school_teacher(), *((f"{name}@school.example", name) for name in ("asha", "ben", "chen", "dana")))

    assert roster(made) == {f"{name}@school.example" for name in ("ben", "chen", "dana")}
    assert number_of("asha@school.example") is None
    assert number_of("ben@school.example") == "ben"
    assert mailed == ["asha@school.example"]
    waiting = SetAside.objects.get()
    assert (waiting.class_ref_id, waiting.student.email, waiting.roll_number) == (
        made.id,
        "asha@school.example",
        "asha",
    )


def test_the_command_says_who_is_set_aside_and_importing_twice_mails_once(
    tmp_path: Path, settings: Any, mailed: list[str]
) -> None:
    settings.SIGNUP = "students"
    person("asha@school.example")
    found = Class.objects.create(name="Physics", teacher=school_teacher())
    for _ in range(2):
        lines = imported(found, tmp_path, "Asha,asha@school.example,1")
        assert lines == [
            "line 2: Asha <asha@school.example>: set aside: somebody signed up with this address and has not proved it;"
            " they are enrolled once they have",
            "1 row: 0 created and enrolled, 0 enrolled, 0 already on the roster, 1 set aside, 0 refused."
            " 1 with an address that nobody has proved.",
        ]
    assert roster(found) == set()
    assert mailed == ["asha@school.example"]


def test_while_anybody_may_sign_up_the_command_enrols_as_before_and_marks_the_row(tmp_path: Path) -> None:
    person("asha@school.example")
    person("ben@school.example", proved=True)
    found = Class.objects.create(name="Physics", teacher=school_teacher())
    lines = imported(found, tmp_path, "Asha,asha@school.example,1", "Ben,ben@school.example,2")
    assert "enrolled, roll number 1 noted, ADDRESS NOT PROVED" in lines[0]
    assert lines[1] == "line 3: Ben <ben@school.example>: enrolled, roll number 2 noted"
    assert roster(found) == {"asha@school.example", "ben@school.example"}


@pytest.mark.parametrize("policy", CLOSED)
def test_a_teacher_cannot_enrol_who_is_set_aside_nor_can_they_join(
    policy: str, settings: Any, mailed: list[str]
) -> None:
    settings.SIGNUP = policy
    teacher, asha = school_teacher(), person("asha@school.example")
    found = class_create(teacher=actor_of(teacher), name="Physics", open_roster=True)
    with pytest.raises(errors.AddressNotProved):
        class_add_student(actor=actor_of(teacher), class_id=found.id, student_id=asha.id)
    with pytest.raises(errors.StudentNotEnrolled):
        class_join(actor=actor_of(asha), class_id=found.id)
    assert roster(found) == set()
    assert mailed == ["asha@school.example"]


@pytest.mark.parametrize("way", ["proof", "vouching"])
def test_a_proof_enrols_who_was_set_aside_and_gives_the_sheets_roll_number(
    way: str, settings: Any, mailed: list[str]
) -> None:
    settings.SIGNUP = "students"
    asha, ben = person("asha@school.example"), person("ben@school.example")
    teacher = school_teacher()
    physics, gone = (sheet(teacher, (asha.email, "7"), name=name) for name in ("Physics", "Art"))
    class_id = Class.objects.create(name="Maths", teacher=teacher).id
    with pytest.raises(errors.AddressNotProved):
        class_add_student(actor=actor_of(teacher), class_id=class_id, student_id=ben.id)
    Class.objects.filter(pk=gone.id).update(removed_at=now())

    if way == "proof":
        proofs.mailbox_proved(asha)
        proofs.mailbox_proved(ben)
    else:
        assert proofs.accounts_vouch(user_ids=[asha.id, ben.id]) == 2

    assert (roster(physics), roster(gone)) == ({asha.email}, set())
    assert roster(Class.objects.get(pk=class_id)) == {ben.email}
    assert (number_of(asha.email), number_of(ben.email)) == ("7", None)
    assert not SetAside.objects.exists()


def test_a_roll_number_that_somebody_has_got_meanwhile_stays_theirs(settings: Any, mailed: list[str]) -> None:
    settings.SIGNUP = "students"
    asha = person("asha@school.example")
    made = sheet(school_teacher(), (asha.email, "7"))
    person("other@school.example", origin=Origin.SCHOOL, roll="7")
    proofs.mailbox_proved(asha)
    assert (roster(made), number_of(asha.email)) == ({asha.email}, None)


def test_a_stranger_who_signs_up_as_a_teacher_with_a_students_address_keeps_no_sheet_from_being_used(
    mailed: list[str],
) -> None:
    person("asha@school.example", Role.TEACHER)
    made = sheet(school_teacher(), ("asha@school.example", "1"), ("ben@school.example", "2"))
    assert roster(made) == {"ben@school.example"}
    assert mailed == ["asha@school.example"]


# Whose a roll number is


@pytest.mark.parametrize("real", ["school's", "signed up"])
def test_three_hundred_squatted_roll_numbers_and_a_class_name_keep_no_real_sheet_from_being_used(real: str) -> None:
    squatted = [(f"nobody{n}@anywhere.example", str(n)) for n in range(300)]
    sheet(stranger(), *squatted)
    teacher = school_teacher() if real == "school's" else stranger("tess")
    made = sheet(teacher, *((f"s{n}@school.example", str(n)) for n in range(300)))
    assert len(roster(made)) == 300
    numbers = dict(User.objects.exclude(roll_number=None).values_list("roll_number", "email"))
    assert numbers == {str(n): f"s{n}@school.example" for n in range(300)}


def test_a_sheet_of_the_schools_holds_against_strangers() -> None:
    made = sheet(school_teacher(), ("asha@school.example", "1"))
    for mallory in (stranger(), stranger("proved", proved=True)):
        with pytest.raises(errors.RosterConflict):
            sheet(mallory, ("evil@anywhere.example", "1"), name="Evil")
        with pytest.raises(errors.RosterConflict):
            sheet(mallory, ("asha@school.example", "666"), name="Evil")
        with pytest.raises(errors.ClassNameTaken):
            sheet(mallory, name="Physics")
    assert (number_of("asha@school.example"), roster(made)) == ("1", {"asha@school.example"})


def test_a_wrong_number_for_a_squatted_address_is_put_right_by_the_school() -> None:
    sheet(stranger(), ("asha@school.example", "666"), name="Evil")
    made = sheet(school_teacher(), ("asha@school.example", "1"))
    assert (number_of("asha@school.example"), roster(made)) == ("1", {"asha@school.example"})


def test_numbers_that_a_stranger_had_proved_give_way_to_the_school_and_to_no_other_stranger() -> None:
    sheet(stranger("proved", proved=True), ("evil@anywhere.example", "1"), name="Evil")
    User.objects.filter(email="evil@anywhere.example").update(email_verified_at=now(), password="a hash")
    with pytest.raises(errors.RosterConflict):
        sheet(stranger("tess"), ("asha@school.example", "1"))
    sheet(school_teacher(), ("asha@school.example", "1"))
    assert (number_of("asha@school.example"), number_of("evil@anywhere.example")) == ("1", None)


def test_a_sheets_own_teacher_corrects_and_swaps_roll_numbers_of_people_whom_the_sheet_made() -> None:
    teacher, other = school_teacher(), school_teacher("uma")
    sheet(teacher, ("asha@school.example", "1"), ("ben@school.example", "2"), ("chen@school.example", "3"))
    sheet(teacher, ("asha@school.example", "2"), ("ben@school.example", "1"), ("chen@school.example", "4"), name="Two")
    assert [number_of(f"{name}@school.example") for name in ("asha", "ben", "chen")] == ["2", "1", "4"]
    with pytest.raises(errors.RosterConflict):
        sheet(other, ("asha@school.example", "9"), name="Three")
    with pytest.raises(errors.RosterConflict):
        sheet(teacher, ("dana@school.example", "2"), name="Four")
    assert number_of("asha@school.example") == "2"


def test_the_command_corrects_what_it_has_imported_and_says_so(tmp_path: Path) -> None:
    found = Class.objects.create(name="Physics", teacher=school_teacher())
    imported(found, tmp_path, "Asha,asha@school.example,1")
    lines = imported(found, tmp_path, "Asha,asha@school.example,2")
    assert lines[0] == "line 2: Asha <asha@school.example>: already on the roster, roll number 1 corrected to 2"
    sheet(stranger(), ("evil@anywhere.example", "3"), name="Evil")
    lines = imported(found, tmp_path, "Ben,ben@school.example,3")
    assert lines[0] == (
        "line 2: Ben <ben@school.example>: created and enrolled, roll number 3 taken from evil@anywhere.example,"
        " whose address nobody has proved"
    )


def test_nobody_who_signed_up_gives_a_roll_number_to_somebodys_proved_account() -> None:
    person("asha@school.example", proved=True)
    for mallory in (stranger(), stranger("proved", proved=True)):
        sheet(mallory, ("asha@school.example", "666"), name=mallory.name)
        assert number_of("asha@school.example") is None
    sheet(school_teacher(), ("asha@school.example", "1"))
    for mallory in (stranger("third"), stranger("fourth", proved=True)):
        with pytest.raises(errors.RosterConflict):
            sheet(mallory, ("asha@school.example", "666"), name=mallory.name)
    assert number_of("asha@school.example") == "1"


def test_in_attentracks_open_mode_nobody_has_shown_to_be_the_schools_teacher() -> None:
    sheet(school_teacher(), ("asha@school.example", "1"))
    entries = [entry_of(line=1, name="E", email="evil@anywhere.example", roll_number="1")]
    other = school_teacher("uma")
    person("proved@school.example", proved=True)
    for number, email in (("1", "evil@anywhere.example"), ("2", "proved@school.example")):
        entries = [entry_of(line=1, name="E", email=email, roll_number=number)]
        try:
            class_create_with_roster(
                teacher_id=other.id, name=f"Evil {number}", entries=entries, unique_name=True, by_teacher=False
            )
        except errors.RosterConflict:
            assert number == "1"
    assert (number_of("asha@school.example"), number_of("proved@school.example")) == ("1", None)
