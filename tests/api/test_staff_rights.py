"""Staff who are no superusers: they change nobody who has more rights than they have, and give no rights."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import User
from core.identity import Role
from tests.api.rest import make_user

pytestmark = pytest.mark.django_db

USERS, GROUPS = "/admin/accounts/user/", "/admin/auth/group/"
OF_PEOPLE = ("view_user", "add_user", "change_user", "delete_user")


def staff(name: str, *permissions: str, **fields: Any) -> User:
    user = make_user(name, Role.TEACHER, is_staff=True, **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def office() -> Client:
    """The browser of somebody who may change people and nothing else."""
    client = Client()
    client.force_login(staff("office", *OF_PEOPLE))
    return client


def more_by_group() -> User:
    user = staff("grouped")
    group = Group.objects.create(name="Deans")
    group.permissions.set(Permission.objects.filter(codename="delete_class"))
    user.groups.add(group)
    return user


#: Who has a right that the office lacks.
HIGHER: dict[str, Callable[[], User]] = {
    "a superuser": lambda: make_user("root", Role.TEACHER, is_staff=True, is_superuser=True),
    "a disabled superuser": lambda: make_user("root", Role.TEACHER, is_superuser=True, is_active=False),
    "another right": lambda: staff("dean", "delete_class"),
    "more rights": lambda: staff("dean", *OF_PEOPLE, "delete_class"),
    "a group's right": more_by_group,
    "a disabled one's right": lambda: staff("dean", "delete_class", is_active=False),
}
#: Who has none.
OTHERS = {
    "a student": lambda: make_user("asha"),
    "an equal": lambda: staff("equal", *OF_PEOPLE),
    "one with less": lambda: staff("less", "view_user"),
}


@pytest.mark.parametrize("who", HIGHER)
def test_nobody_changes_deletes_or_sets_the_password_of_who_has_more_rights(office: Client, who: str) -> None:
    user = HIGHER[who]()
    before = User.objects.filter(pk=user.pk).values().get()
    form = {"name": "Changed", "email": "changed@example.com", "role": "teacher", "is_active": "on"}
    password = {"password1": "another horse", "password2": "another horse", "usable_password": "true"}
    assert office.get(f"{USERS}{user.pk}/change/").status_code == 200  # to be looked at
    assert office.post(f"{USERS}{user.pk}/change/", form).status_code == 403
    assert office.post(f"{USERS}{user.pk}/password/", password).status_code == 403
    assert office.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    office.post(USERS, {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    assert User.objects.filter(pk=user.pk).values().get() == before


@pytest.mark.parametrize("who", OTHERS)
def test_who_has_no_more_rights_can_be_changed(office: Client, who: str) -> None:
    user = OTHERS[who]()
    password = {"password1": "another horse", "password2": "another horse", "usable_password": "true"}
    assert office.post(f"{USERS}{user.pk}/password/", password).status_code == 302
    assert User.objects.get(pk=user.pk).has_usable_password()


def test_nobody_but_a_superuser_gives_rights(office: Client) -> None:
    user = make_user("asha")
    right = Permission.objects.get(codename="delete_class")
    group = Group.objects.create(name="Deans")
    form: dict[str, Any] = {"name": "asha", "email": "asha@example.com", "role": "student", "is_active": "on"}
    form |= {"is_staff": "on", "is_superuser": "on", "user_permissions": [right.pk], "groups": [group.pk]}
    form |= {f"student_profile-{name}": value for name, value in MANAGEMENT.items()}
    assert office.post(f"{USERS}{user.pk}/change/", form).status_code == 302
    user = User.objects.get(pk=user.pk)
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.user_permissions.exists()
    assert not user.groups.exists()


MANAGEMENT = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0", "MIN_NUM_FORMS": "0", "MAX_NUM_FORMS": "1"}


def test_groups_are_a_superusers_matter() -> None:
    group = Group.objects.create(name="Deans")
    right = Permission.objects.get(codename="delete_class")
    form = {"name": "Deans", "permissions": [right.pk]}
    client = Client()
    client.force_login(staff("keeper", "view_group", "add_group", "change_group", "delete_group"))
    assert client.get(f"{GROUPS}{group.pk}/change/").status_code == 200
    for path, body in ((f"{GROUPS}{group.pk}/change/", form), (f"{GROUPS}add/", form)):
        assert client.post(path, body).status_code == 403
    assert client.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 403
    assert not group.permissions.exists()
    client.force_login(make_user("root", Role.TEACHER, is_staff=True, is_superuser=True))
    assert client.post(f"{GROUPS}{group.pk}/change/", form).status_code == 302
    assert group.permissions.get() == right


def test_only_a_superuser_takes_second_factors_away(office: Client) -> None:
    page = office.get(USERS).content.decode()
    assert "second_factor_remove" not in page
