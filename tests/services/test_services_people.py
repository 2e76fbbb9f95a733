"""Accounts, classes and rosters: who gets in, what a change of credentials undoes, and what is announced when."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from accounts import services, tokens
from accounts.models import AccountsVersion, User
from accounts.signals import accounts_changed
from classes.models import Class, Enrolment, announce_roster
from classes.services import class_add_student, class_create
from classes.signals import roster_changed
from core import errors
from core.database.unit_of_work import unit_of_work
from core.identity import Role
from tests.services.conftest import actor_of, at_once, make_room, make_users

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def announced() -> Iterator[list[str]]:
    """What was announced so far."""
    heard: list[str] = []

    def roster(**kwargs: Any) -> None:
        heard.append("roster")

    def accounts(**kwargs: Any) -> None:
        heard.append("accounts")

    roster_changed.connect(roster)
    accounts_changed.connect(accounts)
    yield heard
    roster_changed.disconnect(roster)
    accounts_changed.disconnect(accounts)


def version_of(class_id: str) -> int:
    return Class.objects.get(pk=class_id).roster_version


def test_an_account_opens_with_its_password_in_any_letter_case_of_its_email() -> None:
    user = services.user_signup(name="Ada", email="Ada@Example.com", password="lovelace", role=Role.TEACHER)
    assert (user.email, user.email_key) == ("Ada@Example.com", "ada@example.com")
    actor, claims = tokens.authenticate(services.user_login(email="ADA@example.com", password="lovelace"))
    assert (actor, claims.version) == (actor_of(user), 0)
    for email, password in (("ada@example.com", "Lovelace"), ("nobody@example.com", "lovelace")):
        with pytest.raises(errors.InvalidCredentials):
            services.user_login(email=email, password=password)
    User.objects.update(is_active=False)
    with pytest.raises(errors.InvalidCredentials):
        services.user_login(email="ada@example.com", password="lovelace")


def test_of_four_signups_with_one_email_one_wins() -> None:
    spellings = ["a@example.com", "A@example.com", "a@EXAMPLE.com", "A@EXAMPLE.COM"]
    answers = at_once(
        [
            partial(services.user_signup, name="A", email=email, password="123456", role=Role.STUDENT)
            for email in spellings
        ]
    )
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert sum(isinstance(answer, errors.EmailTaken) for answer in answers) == 3


@pytest.mark.parametrize(
    "change", [{"role": Role.TEACHER}, {"is_active": False}, {"password": "another"}, {"is_superuser": True}]
)
@pytest.mark.parametrize("only", [True, False])
def test_a_change_of_credentials_makes_earlier_tokens_worthless(
    announced: list[str], change: dict[str, Any], only: bool
) -> None:
    user = User.objects.get(pk=make_users(Role.STUDENT, 1)[0].id)
    raw = tokens.issue(user)
    _, claims = tokens.authenticate(raw)
    (name, value), before = *change.items(), AccountsVersion.current()
    setattr(user, name, value)
    user.save(update_fields=[name] if only else None)
    assert announced == ["accounts"]
    assert AccountsVersion.current() == before + 1
    stored = User.objects.get(pk=user.id)
    assert (getattr(stored, name), stored.token_version) == (value, 1)
    assert stored.credentials_changed_at is not None
    assert tokens.revoked([claims]) == {claims}
    with pytest.raises(errors.Unauthorized):
        tokens.authenticate(raw)
    user.save()
    assert (User.objects.get(pk=user.id).token_version, announced) == (1, ["accounts"])


def test_another_name_or_email_keeps_the_tokens_good(announced: list[str]) -> None:
    user = User.objects.get(pk=make_users(Role.STUDENT, 1)[0].id)
    raw = tokens.issue(user)
    user.name, user.email = "New", "New@Example.com"
    user.save(update_fields=["name", "email"])
    stored = User.objects.get(pk=user.id)
    assert (stored.email_key, stored.token_version, announced) == ("new@example.com", 0, [])
    assert tokens.authenticate(raw)[0].name == "New"


def test_a_deleted_account_is_announced_and_its_tokens_are_worthless(announced: list[str]) -> None:
    user = make_users(Role.STUDENT, 1)[0]
    _, claims = tokens.authenticate(tokens.issue(user))
    before = AccountsVersion.current()
    user.delete()
    assert AccountsVersion.current() == before + 1
    assert announced == ["accounts"]
    assert tokens.revoked([claims]) == {claims}


def test_a_student_is_enrolled_once_and_the_roster_is_announced_once(announced: list[str]) -> None:
    room = make_room(0)
    student, before = make_users(Role.STUDENT, 1)[0], version_of(room.class_id)
    announced.clear()
    for _ in range(2):
        class_add_student(actor=room.actor, class_id=room.class_id, student_id=student.id.upper())
    assert Enrolment.objects.count() == 1
    assert (version_of(room.class_id), announced) == (before + 1, ["roster"])
    Enrolment.objects.all().delete()
    assert (version_of(room.class_id), announced) == (before + 2, ["roster"] * 2)


def test_eight_enrolments_at_once_are_one() -> None:
    room, student = make_room(0), make_users(Role.STUDENT, 1)[0]
    work = lambda: class_add_student(actor=room.actor, class_id=room.class_id, student_id=student.id)  # noqa: E731
    assert all(isinstance(answer, Class) for answer in at_once([work] * 8))
    assert Enrolment.objects.count() == 1


def test_only_the_teacher_of_a_class_enrols_and_only_students_are_enrolled() -> None:
    room, other = make_room(0), make_room(1)
    student = other.students[0]
    cases = [
        (room.actor, "zzz", student.id, errors.ClassNotFound),
        (other.actor, room.class_id, "zzz", errors.NotClassTeacher),
        (room.actor, room.class_id, "zzz", errors.StudentNotFound),
        (room.actor, room.class_id, other.teacher.id, errors.StudentNotFound),
    ]
    for actor, class_id, student_id, error in cases:
        with pytest.raises(error):
            class_add_student(actor=actor, class_id=class_id, student_id=student_id)
    assert Enrolment.objects.filter(class_ref_id=room.class_id).count() == 0


def test_two_classes_may_have_one_name() -> None:
    teacher = actor_of(make_users(Role.TEACHER, 1)[0])
    assert class_create(teacher=teacher, name="X").id != class_create(teacher=teacher, name="X").id


def test_of_eight_classes_at_once_under_one_unique_name_one_is_made() -> None:
    teacher, other = (actor_of(user) for user in make_users(Role.TEACHER, 2))
    class_create(teacher=other, name="X")
    answers = at_once([lambda: class_create(teacher=teacher, name="X", unique_name=True)] * 8)
    assert sum(isinstance(answer, Class) for answer in answers) == 1
    assert sum(isinstance(answer, errors.ClassNameTaken) for answer in answers) == 7
    assert Class.objects.filter(teacher_id=teacher.id).count() == 1


def test_a_name_counts_as_taken_exactly_as_it_is_stored_however_its_class_was_made() -> None:
    teacher = actor_of(make_users(Role.TEACHER, 1)[0])
    class_create(teacher=teacher, name="X")
    with pytest.raises(errors.ClassNameTaken):
        class_create(teacher=teacher, name="X", unique_name=True)
    class_create(teacher=teacher, name="x", unique_name=True)
    class_create(teacher=teacher, name="X")
    assert sorted(Class.objects.values_list("name", flat=True)) == ["X", "X", "x"]


def test_of_eight_additions_at_once_of_only_new_students_one_is_made() -> None:
    room, student = make_room(0), make_users(Role.STUDENT, 1)[0]
    work = lambda: class_add_student(  # noqa: E731
        actor=room.actor, class_id=room.class_id, student_id=student.id, only_new=True
    )
    answers = at_once([work] * 8)
    assert sum(isinstance(answer, Class) for answer in answers) == 1
    assert sum(isinstance(answer, errors.AlreadyEnrolled) for answer in answers) == 7
    assert Enrolment.objects.count() == 1


def test_a_roster_change_dates_the_class_that_is_answered() -> None:
    room, student = make_room(0), make_users(Role.STUDENT, 1)[0]
    before = Class.objects.get()
    answered = class_add_student(actor=room.actor, class_id=room.class_id, student_id=student.id)
    after = Class.objects.get()
    assert before.updated_at < after.updated_at == answered.updated_at
    assert before.created_at == after.created_at


def test_a_roster_change_that_is_undone_announces_nothing(announced: list[str]) -> None:
    room = make_room(1)
    before = version_of(room.class_id)
    announced.clear()

    @unit_of_work
    def undone() -> None:
        Enrolment.objects.all().delete()
        announce_roster(room.class_id)
        assert version_of(room.class_id) == before + 2
        assert announced == []
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert (version_of(room.class_id), announced, Enrolment.objects.count()) == (before, [], 1)
