"""A page of the admin that is saved late undoes nothing: what others have saved meanwhile stays, or is asked about."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from accounts.models import StudentProfile, User
from attendance import services
from attendance.enums import Status
from attendance.models import Attendance, Mark
from classes.models import Class
from core.identity import Role
from tests.support.admin import CLASSES, RECORDS, USERS, Opened, World, form_errors, make_user, sign_in
from tests.support.http import Client

pytestmark = pytest.mark.django_db

GROUPS = "/admin/auth/group/"


@pytest.fixture
def mia() -> Client:
    return sign_in(make_user("Mia", Role.TEACHER, is_staff=True, is_superuser=True))


@pytest.fixture
def noor() -> Client:
    return sign_in(make_user("Noor", Role.TEACHER, is_staff=True, is_superuser=True))


def test_a_field_that_its_person_left_alone_keeps_what_others_saved(mia: Client, noor: Client, world: World) -> None:
    late = Opened(mia, USERS, world.asha)
    early = Opened(noor, USERS, world.asha)
    assert early.save(name="Asha Rao", roll_number="A-2", is_active=None).status_code == 302
    assert late.save(email="asha.rao@example.com").status_code == 302
    asha = User.objects.get(pk=world.asha.pk)
    assert (asha.name, asha.roll_number, asha.is_active) == ("Asha Rao", "A-2", False)
    assert asha.email == "asha.rao@example.com"


def test_a_field_that_both_changed_is_refused_with_who_and_when_and_saving_again_replaces_it(
    mia: Client, noor: Client, world: World
) -> None:
    late, early = Opened(mia, USERS, world.asha), Opened(noor, USERS, world.asha)
    assert early.save(name="Asha Rao").status_code == 302
    clock = timezone.localtime()
    refused = late.save(name="Asha R.")
    (words,) = form_errors(refused)["name"]
    assert words.startswith("Noor changed this at "), words
    assert f"{clock:%H:}" in words or f"{timezone.localtime():%H:}" in words
    assert words.endswith("after you opened the page, to: Asha Rao. Save again to replace it.")
    assert User.objects.get(pk=world.asha.pk).name == "Asha Rao"
    assert late.form["name"] == "Asha R."  # what was typed is kept
    assert late.save().status_code == 302
    assert User.objects.get(pk=world.asha.pk).name == "Asha R."


def test_two_who_make_the_same_change_are_not_asked(mia: Client, noor: Client, world: World) -> None:
    late, early = Opened(mia, USERS, world.asha), Opened(noor, USERS, world.asha)
    assert early.save(name="Asha Rao").status_code == 302
    assert late.save(name="Asha Rao").status_code == 302


def test_a_change_that_no_page_made_is_somebody_elses(mia: Client, world: World) -> None:
    late = Opened(mia, CLASSES, world.physics)
    Class.objects.filter(pk=world.physics.pk).update(name="Physics II")
    (words,) = form_errors(late.save(name="Physik"))["name"]
    assert words.startswith("Somebody else changed this, after you opened the page, to: Physics II.")
    assert late.save(name="Physik").status_code == 302
    assert Class.objects.get(pk=world.physics.pk).name == "Physik"


def test_a_profile_and_a_groups_permissions_are_held_to_the_same(mia: Client, noor: Client, world: World) -> None:
    StudentProfile.objects.create(user=world.asha, batch="2025")
    late, early = Opened(mia, USERS, world.asha), Opened(noor, USERS, world.asha)
    assert early.save(**{"student_profile-0-batch": "2026"}).status_code == 302
    assert late.save(**{"student_profile-0-branch": "IT"}).status_code == 302
    profile = StudentProfile.objects.get(user=world.asha)
    assert (profile.batch, profile.branch) == ("2026", "IT")

    group = Group.objects.create(name="Office")
    view, change = (Permission.objects.get(codename=f"{verb}_class") for verb in ("view", "change"))
    late, early = Opened(mia, GROUPS, group), Opened(noor, GROUPS, group)
    assert early.save(permissions=[view.pk, change.pk]).status_code == 302
    assert late.save(name="The office").status_code == 302
    assert (group.permissions.count(), Group.objects.get().name) == (2, "The office")


def test_a_record_saved_unchanged_writes_no_correction_though_it_was_corrected_meanwhile(
    mia: Client, world: World
) -> None:
    record = Attendance.objects.get(session=world.finished, student=world.asha)
    unchanged, changed = Opened(mia, RECORDS, record), Opened(mia, RECORDS, record)
    services.record_correct(by_id=world.tara.pk, record_id=record.pk, status=Status.EXCUSED, note="a letter came")
    marks = Mark.objects.count()
    assert unchanged.save().status_code == 302
    (words,) = form_errors(changed.save(status="absent"))["status"]
    assert words.startswith("Tara changed this at ")
    assert "to: excused." in words.lower()
    assert Mark.objects.count() == marks
    assert Attendance.objects.get(pk=record.pk).status == Status.EXCUSED


def test_what_another_page_showed_counts_for_nothing(mia: Client, noor: Client, world: World) -> None:
    late, other = Opened(mia, USERS, world.asha), Opened(mia, USERS, world.cleo)
    assert Opened(noor, USERS, world.asha).save(name="Asha Rao").status_code == 302
    late.form["as_shown"] = other.form["as_shown"]
    assert late.save(roll_number="A-9").status_code == 302
    assert User.objects.get(pk=world.asha.pk).roll_number == "A-9"
