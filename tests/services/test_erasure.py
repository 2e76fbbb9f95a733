"""Erasing a person: nothing says who they were, and everything counts as before."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from accounts import tokens
from accounts.models import Invitation, User
from attendance import services
from attendance.class_report import class_report
from attendance.erasure import person_erase
from attendance.models import Mark, Session
from audit.models import Entry
from audit.trail import trail
from classes.models import Class, Enrolment
from core import errors
from core.times import now
from tests.services.conftest import at_once
from tests.services.personal import SECRETS, Known, everything, records_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known() -> Known:
    return Known()


def erase_all(known: Known) -> None:
    for person in (known.zoltan, known.xanthippe):
        person_erase(user_id=person.id)


def test_nothing_in_any_table_says_who_the_person_was(known: Known) -> None:
    before = everything()
    assert [text for text in SECRETS if text not in before] == []
    erase_all(known)
    assert [line for line in everything().splitlines() if any(text in line for text in SECRETS)] == []


def test_counts_records_and_the_journals_shape_stay(known: Known) -> None:
    def shape() -> Any:
        marks = list(Mark.objects.values_list("id", "session_id", "seq", "student_id", "status", "at", "by_id"))
        counts = list(Session.objects.values_list("id", "last_seq", "present_count", "absent_count"))
        report = class_report(class_id=known.physics.id)
        return marks, counts, {line.id: line.tally for line in report.students}, records_of(known.zoltan)

    before = shape()
    erase_all(known)
    assert shape() == before


def test_others_notes_stay_unless_they_name_the_person(known: Known) -> None:
    person_erase(user_id=known.zoltan.id)
    notes = Mark.objects.filter(student=known.classmate).order_by("seq").values_list("note", flat=True)
    assert list(notes) == ["", "nothing about anybody"]


def test_an_erased_person_is_nobody_any_more(known: Known) -> None:
    token = tokens.issue(known.zoltan)
    person_erase(user_id=known.zoltan.id)
    with pytest.raises(errors.Unauthorized):
        tokens.authenticate(token)
    assert not Enrolment.objects.current().filter(student=known.zoltan).exists()
    assert User.objects.by_email(known.zoltan.email) is None
    assert User.objects.by_roll_number("R-4711-X") is None
    person_erase(user_id=known.zoltan.id)  # once more, after a crash of whoever asked for it


def test_the_persons_address_goes_from_invitations_and_one_that_is_nearly_the_same_stays(known: Known) -> None:
    email, others = "z.q+maths@example.com", ["z-q+maths@example.com", "z.qmaths@example.com", "z.qqmaths@example.com"]
    User.objects.filter(pk=known.zoltan.id).update(email=email)
    for number, invited in enumerate([email, email.upper(), *others]):
        secret_hash, expires_at = f"near {number}", now() + timedelta(days=1)
        Invitation.objects.create(secret_hash=secret_hash, role="student", email=invited, expires_at=expires_at)
    person_erase(user_id=known.zoltan.id)
    made = Invitation.objects.filter(secret_hash__startswith="near ").order_by("secret_hash")
    assert list(made.values_list("email", flat=True)) == ["", "", *others]
    assert [invitation.voided_at is not None for invitation in made] == [True, True, False, False, False]


def test_a_person_in_an_open_lesson_a_teacher_with_classes_and_staff_are_refused_with_a_reason(known: Known) -> None:
    services.session_start(actor=known.actor, class_id=known.physics.id)
    User.objects.filter(pk=known.xanthippe.id).update(is_staff=True)
    before = everything()
    for person, reason in ((known.zoltan, "lesson"), (known.owner, "Physics"), (known.xanthippe, "rights")):
        with pytest.raises(errors.ErasureRefused) as refusal:
            person_erase(user_id=person.id)
        assert reason in " ".join(refusal.value.reasons)
        assert everything().count(person.email) == before.count(person.email)


def test_an_archived_class_keeps_nobody(known: Known) -> None:
    Class.objects.update(archived_at=known.owner.created_at)
    person_erase(user_id=known.owner.id)
    assert User.objects.get(pk=known.owner.id).name == "Erased person"


def test_a_crash_in_the_middle_leaves_everything_as_it_was(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    trail.flush()  # what tests before this one did
    before = everything()

    def crash(**_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("attendance.erasure.person_changed.send", crash)
    with pytest.raises(RuntimeError):
        person_erase(user_id=known.zoltan.id)
    assert everything() == before
    monkeypatch.undo()
    person_erase(user_id=known.zoltan.id)


def test_two_who_erase_the_same_person_at_once_both_succeed(known: Known) -> None:
    def erase() -> None:
        person_erase(user_id=known.zoltan.id)

    assert at_once([erase, erase]) == [None, None]
    assert "Zoltan" not in everything()


# The command


def run(*arguments: str, answer: str | None = None, monkeypatch: pytest.MonkeyPatch | None = None) -> str:
    if monkeypatch is not None:
        monkeypatch.setattr("builtins.input", lambda _: answer)
    out = io.StringIO()
    call_command("erase_person", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_what_it_would_do_and_asks_first(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run(known.zoltan.email, "--dry-run")
    assert "Zoltan Quill" in said
    assert "2 marks  emptied: note" in said
    assert "student profiles  deleted" in said
    with pytest.raises(CommandError, match="Nothing was erased"):
        run("R-4711-X", answer="no", monkeypatch=monkeypatch)
    assert User.objects.by_email(known.zoltan.email) is not None
    assert "is erased" in run("R-4711-X", answer="erase", monkeypatch=monkeypatch)
    assert User.objects.get(pk=known.zoltan.id).name == "Erased person"
    assert Entry.objects.filter(way="manage.py erase_person", thing=known.zoltan.id).exists()


def test_the_command_refuses_in_words(known: Known) -> None:
    with pytest.raises(CommandError, match="Nobody has"):
        run("nobody@example.com", "--yes")
    with pytest.raises(CommandError, match="Nothing was erased"):
        run(known.owner.email, "--yes")


# The admin


def test_the_office_erases_in_the_admin_after_a_page_that_says_what_goes(known: Known) -> None:
    root = User.objects.create_superuser("root@example.com", name="Root", password=None)
    client = Client()
    client.get("/admin/login/")  # loads the admin, which notes when a sign-in began
    client.force_login(root)
    asked = {"action": "erase", "_selected_action": known.zoltan.id}
    page: Any = client.post("/admin/accounts/user/", asked)
    assert "Zoltan Quill" in page.content.decode()
    assert User.objects.by_email(known.zoltan.email) is not None
    client.post("/admin/accounts/user/", {**asked, "confirmed": "yes"})
    assert User.objects.get(pk=known.zoltan.id).name == "Erased person"
    refused: Any = client.post("/admin/accounts/user/", {**asked, "_selected_action": known.owner.id})
    assert "Physics" in refused.content.decode()
    assert "Erase this person" not in refused.content.decode()
