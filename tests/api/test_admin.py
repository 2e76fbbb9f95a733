"""The admin shows and finds everything, changes only through the services, and never breaks on what it refuses."""

import asyncio
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import admin as accounts_admin
from accounts.models import User
from attendance import admin as attendance_admin
from attendance.enums import Method, SessionState, Status
from attendance.models import Attendance, Mark, Session
from classes.models import Class, Enrolment
from core.emails import email_key
from core.identity import Role
from core.ids import new_id
from tests.support.admin import (
    CLASSES,
    LISTS,
    MARKS,
    MODELS,
    RECORDS,
    SESSIONS,
    USERS,
    World,
    class_form,
    form_errors,
    listed,
    make_class,
    make_session,
    make_user,
    messages_of,
    save_class,
    sign_in,
    staff,
    text,
    version_of,
)
from tests.support.clients import NO_CERTIFICATES, Api, Socket
from tests.support.http import Client
from tests.support.server import Server

pytestmark = [pytest.mark.django_db, pytest.mark.early]

PASSWORD = "correct horse"


# Everywhere


@pytest.mark.parametrize("url", LISTS)
def test_every_list_and_every_page_of_it_opens_under_the_projects_name(page: Client, world: World, url: str) -> None:
    assert "Attendance" in text(page.get(url))
    rows = list(MODELS[url]._default_manager.all())
    assert rows
    for row in rows:
        assert str(row.pk) in text(page.get(f"{url}{row.pk}/change/"))
        assert page.get(f"{url}{row.pk}/history/").status_code == 200


@pytest.mark.parametrize(
    ("url", "query", "expected"),
    [
        (USERS, {"q": "sha"}, {"Asha <asha@example.com>"}),
        (USERS, {"q": "CLEO@"}, {"Cleo <cleo@example.com>"}),
        (USERS, {"q": "a-1"}, {"Asha <asha@example.com>"}),
        (
            USERS,
            {"role__exact": "teacher", "is_staff__exact": "0"},
            {"Tara <tara@example.com>", "Uma <uma@example.com>"},
        ),
        (USERS, {"is_active__exact": "0"}, {"Ben <ben@example.com>"}),
        (USERS, {"is_staff__exact": "1"}, {"Root <root@example.com>"}),
        (CLASSES, {"q": "phys"}, {"Physics"}),
        (CLASSES, {"q": "uma@"}, {"Chemistry"}),
        (MARKS, {"q": "asha"}, {"1: Asha <asha@example.com> present"}),
        (MARKS, {"q": "chem"}, {"1: Cleo <cleo@example.com> late"}),
        (MARKS, {"status__exact": "late"}, {"1: Cleo <cleo@example.com> late"}),
        (MARKS, {"method__exact": "self"}, set()),
        (RECORDS, {"q": "A-1"}, {"Asha <asha@example.com>: present"}),
        (RECORDS, {"status__exact": "absent"}, {"Ben <ben@example.com>: absent"}),
        (RECORDS, {"method__exact": "auto"}, {"Ben <ben@example.com>: absent"}),
        (RECORDS, {"q": "chem"}, set()),
    ],
)
def test_searches_and_filters_find_what_they_name(
    page: Client, world: World, url: str, query: dict[str, str], expected: set[str]
) -> None:
    assert listed(page, url, **query) == expected


def test_sessions_are_found_by_class_teacher_state_and_day(page: Client, world: World) -> None:
    assert listed(page, SESSIONS, q="physics") == {str(world.finished)} == listed(page, SESSIONS, q="tara")
    assert listed(page, SESSIONS, state__exact="open") == {str(world.live)}
    Session.objects.filter(pk=world.finished.pk).update(started_at=timezone.now() - timedelta(days=3))
    its_day = f"{timezone.localdate(world.live.started_at)} 00:00:00+00:00"  # which may have been over since
    assert listed(page, SESSIONS, started_at__gte=its_day) == {str(world.live)}


@pytest.mark.parametrize(
    ("zone", "hour"), [("Asia/Kolkata", 20), ("Pacific/Auckland", 20), ("America/Los_Angeles", 3), ("UTC", 12)]
)
def test_today_in_a_filter_is_the_schools_day_on_every_database(
    root: User, world: World, settings: Any, monkeypatch: pytest.MonkeyPatch, zone: str, hour: int
) -> None:
    settings.TIME_ZONE = zone
    moment = timezone.now().replace(hour=hour)  # in the zones but UTC, it is another day than in UTC
    monkeypatch.setattr(timezone, "now", lambda: moment)
    page = sign_in(root)
    midnight = timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    for session, at in ((world.live, midnight), (world.finished, midnight - timedelta(minutes=1))):
        Session.objects.filter(pk=session.pk).update(started_at=at)
    changes = page.get(SESSIONS).context["cl"]
    (by_day,) = [spec for spec in changes.filter_specs if spec.title == "started at"]
    today = next(choice for choice in by_day.choices(changes) if choice["display"] == "Today")
    found = page.get(f"{SESSIONS}{today['query_string']}").context["cl"].result_list
    assert [session.pk for session in found] == [world.live.pk]
    shown = text(page.get(f"{SESSIONS}{world.live.pk}/change/"))
    assert f"{midnight.day}, {midnight.year}, 12:00 AM" in shown


@pytest.mark.parametrize("url", [MARKS, RECORDS])
def test_marks_and_records_are_found_by_their_sessions_id(page: Client, world: World, url: str) -> None:
    mine = {str(row) for row in MODELS[url]._default_manager.filter(session=world.finished)}
    assert mine
    assert listed(page, url, q=world.finished.id) == mine == listed(page, url, session__id__exact=world.finished.id)
    assert listed(page, url, q=new_id()) == set()


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize(
    "bad", ["abc", "zzzzzzzzzzzzzzzzzzzzzzzz", "' OR 1=1--", "１２３４５６７８９０１２３４５６７８９０１２３４"]
)
def test_malformed_ids_and_filters_are_turned_away_and_break_nothing(
    page: Client, world: World, url: str, bad: str
) -> None:
    assert page.get(f"{url}{bad}/change/", follow=True).redirect_chain
    assert page.get(url, {"id__exact": bad}, follow=True).redirect_chain[-1][0].endswith("?e=1")
    assert page.get(url, {"q": f"{bad} \0"}).status_code == 200
    assert page.get(url, {"q": bad}).status_code == 200


#: What people and programs type into a search that is no word.
ODD_SEARCHES = ("'", '"', "'abc", '"a b', "a'", "''", "\\", "'\\", "[", "%", "$where", "\0", "a\0b", "x" * 10_000)


def every_list() -> list[str]:
    """The addresses of all lists of the admin."""
    return [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in site._registry]


def test_an_odd_search_breaks_no_list(page: Client, world: World) -> None:
    for url in every_list():
        for odd in ODD_SEARCHES:
            assert page.get(url, {"q": odd}).status_code == 200, (url, odd)


def test_an_odd_search_breaks_no_picker(page: Client, world: World) -> None:
    for model, field in (("enrolment", "student"), ("enrolment", "class_ref"), ("class", "teacher")):
        for odd in ODD_SEARCHES:
            query = {"app_label": "classes", "model_name": model, "field_name": field, "term": odd}
            assert page.get("/admin/autocomplete/", query).status_code == 200, (model, field, odd)


def test_an_action_on_what_is_no_id_does_nothing_and_says_so(page: Client, world: World) -> None:
    asked = []
    for url in every_list():
        form = page.get(url).context["action_form"]
        for action, _label in form.fields["action"].choices if form is not None else ():
            if not action:
                continue
            asked.append(action)
            answer = page.post(url, {"action": action, "_selected_action": ["zzz", world.live.pk]}, follow=True)
            assert messages_of(answer) == [
                "Items must be selected in order to perform actions on them. No items have been changed."
            ], (url, action)
    assert {"delete_selected", "end_sessions", "archive", "undo"} <= set(asked)
    assert Session.objects.get(pk=world.live.pk).state == SessionState.OPEN


@pytest.mark.parametrize("url", LISTS)
def test_a_lists_queries_do_not_grow_with_its_rows(page: Client, world: World, url: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert page.get(url).status_code == 200
        return len(caught)

    queries()  # the first time it also looks up what is then remembered
    before = queries()
    count = MODELS[url]._default_manager.count()
    for number in range(6):
        student = make_user(f"S{number}")
        teacher = make_user(f"T{number}", Role.TEACHER)
        found = make_class(f"C{number}", teacher, student)
        make_session(found, True, **{f"s{number}": Status.PRESENT})
        make_session(found, end=False, **{f"s{number}": Status.PRESENT})
    assert MODELS[url]._default_manager.count() >= count + 6
    assert queries() == before


@pytest.mark.parametrize("url", [CLASSES, SESSIONS])
def test_a_pages_queries_do_not_grow_with_its_roster(page: Client, world: World, url: str) -> None:
    row = {CLASSES: world.chemistry, SESSIONS: world.live}[url]

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert page.get(f"{url}{row.pk}/change/").status_code == 200
        return len(caught)

    queries()  # the first time it also looks up what is then remembered
    before = queries()
    for number in range(6):
        Enrolment.objects.create(class_ref=world.chemistry, student=make_user(f"S{number}"))
    make_session(world.chemistry, end=False, s1=Status.PRESENT, s2=Status.ABSENT)
    assert queries() == before


@pytest.mark.parametrize("url", ["/admin/", *LISTS])
def test_only_staff_can_open_the_admin(world: World, url: str) -> None:
    for client in (Client(), sign_in(world.tara), sign_in(world.asha)):
        answer = client.get(url)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={url}")
    if url != "/admin/":
        assert staff("Clerk").get(url).status_code == 403


def test_a_disabled_administrator_is_signed_out_at_once(page: Client, root: User) -> None:
    assert page.get(USERS).status_code == 200
    User.objects.filter(pk=root.pk).update(is_active=False)
    assert page.get(USERS).status_code == 302


# People


def add_user(page: Client, **fields: str) -> Any:
    form = {
        "name": "New",
        "email": "New@Example.com",
        "role": "student",
        "roll_number": "",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        **fields,
    }
    return page.post(f"{USERS}add/", form)


#: The page of an account has that of the profile of its role.
NO_PROFILES = {f"{role}_profile-{count}_FORMS": "0" for role in Role.values for count in ("TOTAL", "INITIAL")}


def change_user(page: Client, user: User, **fields: str) -> Any:
    form = {"name": user.name, "email": user.email, "role": user.role, "roll_number": user.roll_number or ""}
    form |= {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    form |= {**NO_PROFILES, **fields}
    return page.post(f"{USERS}{user.pk}/change/", {name: value for name, value in form.items() if value != "off"})


def test_a_profile_is_edited_on_its_accounts_page(page: Client, world: World) -> None:
    profile = {"student_profile-TOTAL_FORMS": "1", "student_profile-0-batch": "2026", "student_profile-0-branch": "IT"}
    assert change_user(page, world.asha, **profile).status_code == 302
    made = User.objects.select_related("student_profile").get(pk=world.asha.pk)
    assert (made.student_profile.batch, made.student_profile.branch) == ("2026", "IT")


def test_a_new_user_signs_in_with_the_password_of_the_form(page: Client) -> None:
    assert add_user(page, role="teacher").status_code == 302
    made = User.objects.get(email="New@Example.com")
    assert (made.name, made.role, made.roll_number, made.email_key) == ("New", "teacher", None, "new@example.com")
    assert not made.is_staff
    assert not made.is_superuser
    assert made.password.startswith("bcrypt_sha256$")
    assert made.check_password(PASSWORD)


@pytest.mark.django_db(transaction=True)
def test_a_new_users_password_is_hashed_before_the_transaction_begins(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []

    def hash_password(password: str) -> str:
        inside.append(connection.in_atomic_block)
        return f"hash of {password}"

    monkeypatch.setattr("accounts.passwords.hash_password", hash_password)
    monkeypatch.setattr(accounts_admin, "hash_password", hash_password)
    assert add_user(page).status_code == 302
    assert inside == [False]
    assert User.objects.get(email_key="new@example.com").password == f"hash of {PASSWORD}"


def test_a_new_user_without_a_password_cannot_sign_in(page: Client) -> None:
    assert add_user(page, usable_password="false", password1="", password2="").status_code == 302
    assert not User.objects.get(email_key="new@example.com").has_usable_password()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ASHA@Example.COM"}, "email"),
        ({"email": "asha@ｅｘａｍｐｌｅ.com"}, "email"),
        ({"email": "asha@exam\u200bple.com"}, "email"),
        ({"email": "\u017fam@example.com"}, "email"),
        ({"email": "not-an-address"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "ß" * 60 + "@" + "ß" * 60 + ".com"}, "email"),
        ({"name": " "}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"role": "headmaster"}, "role"),
        ({"roll_number": "A-1"}, "roll_number"),
        ({"roll_number": "a-1\u200b"}, "roll_number"),
        ({"password2": "another"}, "password2"),
        ({"password1": "12345", "password2": "12345"}, "password2"),
        ({"password1": "", "password2": ""}, "password1"),
    ],
)
def test_a_new_user_who_cannot_be_is_refused_by_the_form(
    page: Client, world: World, fields: dict[str, str], field: str
) -> None:
    before = User.objects.count()
    assert field in form_errors(add_user(page, **fields))
    assert User.objects.count() == before


def test_another_e_mail_counts_in_any_letter_case_and_ones_own_may_change_its_case(page: Client, world: World) -> None:
    assert form_errors(change_user(page, world.asha, email="BEN@example.com")) == {
        "email": ["Somebody has this e-mail already; letter case does not make another one."]
    }
    assert change_user(page, world.asha, email="Asha@Example.com").status_code == 302
    assert change_user(page, world.ben, email="Benjamin@Example.com").status_code == 302
    keys = dict(User.objects.filter(pk__in=[world.asha.pk, world.ben.pk]).values_list("email", "email_key"))
    assert keys == {email: email_key(email) for email in ("Asha@Example.com", "Benjamin@Example.com")}


def test_two_students_may_have_an_empty_roll_number(page: Client, world: World) -> None:
    assert change_user(page, world.asha, roll_number="").status_code == 302
    assert change_user(page, world.cleo, roll_number="").status_code == 302
    assert User.objects.filter(roll_number=None, pk__in=[world.asha.pk, world.cleo.pk]).count() == 2


def test_a_name_of_characters_that_nobody_sees_is_none(page: Client, world: World) -> None:
    answer = change_user(page, world.asha, name="\u200b \u2060")
    assert form_errors(answer) == {"name": ["This field is required."]}
    assert User.objects.get(pk=world.asha.pk).name == "Asha"


def test_changing_a_name_leaves_tokens_good_and_changing_access_does_not(page: Client, world: World) -> None:
    spare = make_user("Spare")

    def version() -> int:
        return User.objects.get(pk=spare.pk).token_version

    assert change_user(page, spare, name="Renamed").status_code == 302
    assert version() == 0
    assert change_user(page, spare, role="teacher").status_code == 302
    assert version() == 1
    assert change_user(page, spare, role="teacher", is_active="off").status_code == 302
    assert version() == 2
    spare.refresh_from_db()
    assert (spare.name, spare.role, spare.is_active) == ("Spare", Role.TEACHER, False)


def test_a_role_that_classes_depend_on_stays(page: Client, world: World) -> None:
    assert "has classes" in form_errors(change_user(page, world.tara, role="student"))["role"][0]
    assert "is enrolled" in form_errors(change_user(page, world.asha, role="teacher"))["role"][0]
    assert User.objects.get(pk=world.tara.pk).role == Role.TEACHER


def test_the_password_page_sets_a_password_and_makes_old_tokens_worthless(page: Client, world: World) -> None:
    assert "../password/" in text(page.get(f"{USERS}{world.asha.pk}/change/"))
    url = f"{USERS}{world.asha.pk}/password/"
    assert page.get(url).status_code == 200
    wrong = page.post(url, {"password1": PASSWORD, "password2": "another"})
    assert wrong.status_code == 200
    assert User.objects.get(pk=world.asha.pk).token_version == 0

    assert page.post(url, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    changed = User.objects.get(pk=world.asha.pk)
    assert changed.check_password(PASSWORD)
    assert changed.token_version == 1

    disabled = {"usable_password": "false", "password1": "", "password2": "", "unset-password": "1"}
    assert page.post(url, disabled).status_code == 302
    changed.refresh_from_db()
    assert not changed.has_usable_password()
    assert changed.token_version == 2


def test_the_staff_neither_touches_a_superuser_nor_becomes_one(root: User, world: World) -> None:
    clerk = staff("Clerk", "view_user", "change_user", "add_user", "delete_user")
    me = User.objects.get(name="Clerk")
    assert change_user(clerk, me, is_superuser="on", name="Me").status_code == 302
    me.refresh_from_db()
    assert (me.name, me.is_superuser) == ("Me", False)
    assert change_user(clerk, root, name="Fool").status_code == 403
    passwords = {"password1": PASSWORD, "password2": PASSWORD}
    assert clerk.post(f"{USERS}{root.pk}/password/", passwords).status_code == 403
    assert clerk.post(f"{USERS}{root.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [root.pk], "post": "yes"}
    clerk.post(USERS, chosen)
    assert User.objects.get(pk=root.pk).name == "Root"


def test_the_last_superuser_is_neither_deleted_nor_put_out_of_office_and_the_admin_says_why(
    page: Client, root: User, world: World
) -> None:
    make_user("Gone", Role.TEACHER, is_staff=True, is_superuser=True, is_active=False)
    url = f"{USERS}{root.pk}/delete/"
    for answer in (page.get(url, follow=True), page.post(url, {"post": "yes"}, follow=True)):
        assert "This is the last active superuser" in text(answer)
        assert answer.redirect_chain[-1][0] == f"{USERS}{root.pk}/change/"
    chosen = {"action": "delete_selected", "_selected_action": [root.pk, world.asha.pk], "post": "yes"}
    assert "This is the last active superuser" in text(page.post(USERS, chosen))
    for given_up in ("is_active", "is_staff", "is_superuser"):
        said = text(change_user(page, root, **{given_up: ""}))
        assert "This is the last active superuser" in said
        assert "Let this account stay active, staff and superuser." in said
    assert change_user(page, root, name="Principal").status_code == 302
    root.refresh_from_db()
    assert (root.name, root.is_active, root.is_staff, root.is_superuser) == ("Principal", True, True, True)


def test_one_of_two_superusers_may_leave_but_not_both_at_once(page: Client, root: User) -> None:
    other = make_user("Other", Role.TEACHER, is_staff=True, is_superuser=True)
    chosen = {"action": "delete_selected", "_selected_action": [root.pk, other.pk], "post": "yes"}
    assert "This is the last active superuser" in text(page.post(USERS, chosen))
    assert change_user(page, other, is_active="").status_code == 302
    assert "This is the last active superuser" in text(change_user(page, root, is_superuser=""))
    assert page.post(f"{USERS}{other.pk}/delete/", {"post": "yes"}).status_code == 302
    assert User.objects.filter(is_superuser=True).get() == root


@pytest.mark.parametrize("name", ["tara", "asha", "cleo"])
def test_somebody_whom_the_journal_or_a_class_needs_is_not_deleted_and_the_page_says_why(
    page: Client, world: World, name: str
) -> None:
    user: User = getattr(world, name)
    url = f"{USERS}{user.pk}/delete/"
    assert "would require deleting the following protected" in text(page.get(url))
    assert "would require deleting the following protected" in text(page.post(url, {"post": "yes"}))
    chosen = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
    assert "would require deleting the following protected" in text(page.post(USERS, chosen))
    assert User.objects.filter(pk=user.pk).exists()


def test_a_student_without_marks_is_deleted_and_leaves_the_rosters(page: Client, world: World) -> None:
    spare = make_user("Spare")
    Enrolment.objects.create(class_ref=world.physics, student=spare)
    version = Class.objects.get(pk=world.physics.pk).roster_version
    assert page.post(f"{USERS}{spare.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=spare.pk).exists()
    assert Class.objects.get(pk=world.physics.pk).roster_version > version


# Classes


def roster(found: Class) -> set[str]:
    return set(Enrolment.objects.filter(class_ref=found).values_list("student__name", flat=True))


def test_the_list_of_classes_shows_teachers_and_roster_sizes(page: Client, world: World) -> None:
    make_class("Art", world.tara)
    answer = page.get(CLASSES)
    assert {row.name: row.roster_size for row in answer.context["cl"].result_list} == {
        "Art": 0,
        "Chemistry": 1,
        "Physics": 2,
    }
    assert '<td class="field-roster_size">2</td>' in text(answer)
    assert "Tara &lt;tara@example.com&gt;" in text(answer)


def test_a_class_is_made_with_its_students_at_once(page: Client, world: World) -> None:
    answer = page.post(f"{CLASSES}add/", class_form("Art", world.tara, [world.asha, world.cleo]))
    assert answer.status_code == 302
    made = Class.objects.get(name="Art")
    assert made.teacher == world.tara
    assert roster(made) == {"Asha", "Cleo"}


def test_students_are_added_and_the_roster_counts_as_changed(page: Client, world: World) -> None:
    before = version_of(world.physics)
    assert save_class(page, world.physics, add=[world.cleo]).status_code == 302
    assert roster(world.physics) == {"Asha", "Ben", "Cleo"}
    assert version_of(world.physics) > before


def test_another_teacher_counts_as_a_changed_roster_and_another_name_does_not(page: Client, world: World) -> None:
    before = version_of(world.physics)
    assert save_class(page, world.physics, name="Physics 2").status_code == 302
    assert version_of(world.physics) == before
    assert save_class(page, world.physics, name="Physics 2", teacher=world.uma).status_code == 302
    changed = Class.objects.get(pk=world.physics.pk)
    assert (changed.name, changed.teacher) == ("Physics 2", world.uma)
    assert changed.roster_version > before


def test_teachers_are_not_enrolled_students_do_not_teach_and_nobody_is_enrolled_twice(
    page: Client, world: World
) -> None:
    for changes in (
        {"add": [world.uma]},
        {"add": [world.asha]},
        {"add": [world.cleo, world.cleo]},
        {"teacher": world.cleo},
        {"name": ""},
    ):
        answer = save_class(page, world.physics, **changes)
        assert answer.status_code == 200, changes
        assert answer.context["errors"], changes
    assert roster(world.physics) == {"Asha", "Ben"}
    assert Class.objects.get(pk=world.physics.pk).teacher == world.tara


def test_the_pickers_offer_students_for_a_roster_and_teachers_for_a_class(page: Client, world: World) -> None:
    def offered(model: str, field: str) -> set[str]:
        query = {"app_label": "classes", "model_name": model, "field_name": field, "term": "example.com"}
        return {row["text"].split()[0] for row in page.get("/admin/autocomplete/", query).json()["results"]}

    assert offered("enrolment", "student") == {"Asha", "Ben", "Cleo"}
    assert offered("class", "teacher") == {"Root", "Tara", "Uma"}


def test_a_class_with_sessions_is_not_deleted_and_one_without_is(page: Client, world: World) -> None:
    protected = text(page.post(f"{CLASSES}{world.physics.pk}/delete/", {"post": "yes"}))
    assert "would require deleting the following protected" in protected
    art = make_class("Art", world.tara, world.asha)
    assert page.post(f"{CLASSES}{art.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Class.objects.filter(pk=art.pk).exists()


# Sessions


def test_the_list_of_sessions_shows_the_counts_of_finished_and_of_live_ones(page: Client, world: World) -> None:
    Enrolment.objects.create(class_ref=world.chemistry, student=make_user("Dora"))
    make_session(world.chemistry, end=False, dora=Status.PRESENT, cleo=Status.EXCUSED)
    rows = {row.class_ref.name: row for row in page.get(SESSIONS).context["cl"].result_list}
    shown = {name: (row.last_seq, row.present_count, row.absent_count, row.students) for name, row in rows.items()}
    assert shown == {"Physics": (1, 1, 1, 2), "Chemistry": (3, 1, 1, 2)}


def test_a_sessions_page_shows_counts_and_everybodys_status(page: Client, world: World) -> None:
    finished = text(page.get(f"{SESSIONS}{world.finished.pk}/change/"))
    assert "1 present, 1 absent, 2 in total" in finished
    assert "<td>Asha</td><td>asha@example.com</td><td>Present</td>" in finished
    assert "<td>Ben</td><td>ben@example.com</td><td>Absent</td>" in finished
    Enrolment.objects.create(class_ref=world.chemistry, student=make_user("<b>Dora"))
    live = text(page.get(f"{SESSIONS}{world.live.pk}/change/"))
    assert "1 present, 0 absent so far" in live
    assert "<td>Cleo</td><td>cleo@example.com</td><td>Late</td>" in live
    assert "<td>&lt;b&gt;Dora</td><td>&lt;b&gt;dora@example.com</td><td>–</td>" in live
    make_session(world.chemistry, end=False, cleo=Status.EXCUSED)
    marked_again = text(page.get(f"{SESSIONS}{world.live.pk}/change/"))
    assert "0 present, 1 absent so far" in marked_again
    assert "<td>Cleo</td><td>cleo@example.com</td><td>Excused</td>" in marked_again


def test_a_session_of_a_crowd_shows_the_first_of_it_and_says_how_many_more_there_are(
    page: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "… and" not in text(page.get(f"{SESSIONS}{world.finished.pk}/change/"))
    monkeypatch.setattr(attendance_admin, "MOST_ROWS", 1)
    shown = text(page.get(f"{SESSIONS}{world.finished.pk}/change/"))
    assert "<td>Asha</td>" in shown
    assert "<td>Ben</td>" not in shown
    assert "… and 1 more" in shown


def test_a_voided_session_shows_that_it_counts_nowhere(page: Client, world: World) -> None:
    Session.objects.filter(pk=world.live.pk).update(state=SessionState.VOIDED, last_seq=0)
    assert "none: it was voided" in text(page.get(f"{SESSIONS}{world.live.pk}/change/"))


def test_sessions_are_ended_as_done_would_and_those_already_over_are_named(page: Client, world: World) -> None:
    Enrolment.objects.create(class_ref=world.chemistry, student=world.ben)
    chosen = {"action": "end_sessions", "_selected_action": [world.live.pk, world.finished.pk]}
    answer = page.post(SESSIONS, chosen, follow=True)
    assert sorted(messages_of(answer)) == [f"{world.finished} was over already.", "Sessions ended: 1."]
    ended = Session.objects.get(pk=world.live.pk)
    assert (ended.state, ended.present_count, ended.absent_count) == (SessionState.ENDED, 1, 1)
    records = dict(Attendance.objects.filter(session=ended).values_list("student__name", "status"))
    assert records == {"Cleo": Status.LATE, "Ben": Status.ABSENT}


def test_who_may_only_look_ends_no_session(world: World) -> None:
    looker = staff("Looker", "view_session")
    assert "end_sessions" not in text(looker.get(SESSIONS))
    looker.post(SESSIONS, {"action": "end_sessions", "_selected_action": [world.live.pk]})
    assert Session.objects.get(pk=world.live.pk).state == SessionState.OPEN
    assert "end_sessions" in text(staff("Ender", "change_session").get(SESSIONS))


@pytest.mark.parametrize("url", [SESSIONS, MARKS])
def test_sessions_and_the_journal_are_neither_added_to_nor_changed_nor_deleted_from(
    page: Client, world: World, url: str
) -> None:
    model = MODELS[url]
    row = model._default_manager.first()
    assert row is not None
    before = list(model._default_manager.order_by("pk").values())
    assert page.get(f"{url}add/").status_code == 403
    assert page.post(f"{url}add/", {}).status_code == 403
    assert page.post(f"{url}{row.pk}/change/", {"status": "absent", "state": "ended"}).status_code == 403
    assert page.get(f"{url}{row.pk}/delete/").status_code == 403
    assert page.post(f"{url}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    page.post(url, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert list(model._default_manager.order_by("pk").values()) == before


# Records


def record_of(world: World, student: User) -> Attendance:
    return Attendance.objects.get(session=world.finished, student=student)


def test_correcting_a_record_writes_to_the_journal_and_changes_record_and_counts(
    page: Client, root: User, world: World
) -> None:
    record = record_of(world, world.ben)
    assert page.post(f"{RECORDS}{record.pk}/change/", {"status": "late"}).status_code == 302

    record.refresh_from_db()
    assert (record.status, record.method) == (Status.LATE, Method.CORRECTION)
    mark = Mark.objects.get(session=world.finished, seq=2)
    assert (mark.student, mark.status, mark.by, mark.method, mark.note) == (
        world.ben,
        Status.LATE,
        root,
        Method.CORRECTION,
        "admin",
    )
    session = Session.objects.get(pk=world.finished.pk)
    assert (session.last_seq, session.present_count, session.absent_count) == (2, 2, 0)
    assert LogEntry.objects.get(object_id=record.pk).user_id == root.pk


def test_nothing_of_a_record_but_its_status_can_be_changed(page: Client, world: World) -> None:
    record = record_of(world, world.ben)
    form = {"status": "excused", "student": world.cleo.pk, "session": world.live.pk, "method": "self"}
    assert page.post(f"{RECORDS}{record.pk}/change/", form).status_code == 302
    record.refresh_from_db()
    assert (record.status, record.method) == (Status.EXCUSED, Method.CORRECTION)
    assert (record.student, record.session) == (world.ben, world.finished)


@pytest.mark.parametrize("status", ["absent", "gone", "", "ABSENT"])
def test_the_same_status_or_none_that_there_is_writes_nothing(page: Client, world: World, status: str) -> None:
    record = record_of(world, world.ben)
    answer = page.post(f"{RECORDS}{record.pk}/change/", {"status": status})
    assert (answer.status_code == 302) == (status == "absent")
    assert Mark.objects.filter(session=world.finished).count() == 1
    record.refresh_from_db()
    assert (record.status, record.method) == (Status.ABSENT, Method.AUTO)


def test_records_are_neither_added_nor_deleted_and_whoever_may_only_look_corrects_none(
    page: Client, world: World
) -> None:
    record = record_of(world, world.ben)
    assert page.get(f"{RECORDS}add/").status_code == 403
    assert page.post(f"{RECORDS}{record.pk}/delete/", {"post": "yes"}).status_code == 403
    looker = staff("Looker", "view_attendance")
    assert looker.get(f"{RECORDS}{record.pk}/change/").status_code == 200
    assert looker.post(f"{RECORDS}{record.pk}/change/", {"status": "present"}).status_code == 403
    record.refresh_from_db()
    assert record.status == Status.ABSENT


# On a running server


class Browser:
    """The admin of a running server, signed in with the login that its first start prints."""

    def __init__(self, server: Server) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=60, follow_redirects=True, verify=NO_CERTIFICATES)
        login = re.search(r"admin login (\S+)\s+password +(\S+)", server.log_text())
        assert login
        answer = self.post("/admin/login/?next=/admin/", {"username": login[1].upper(), "password": login[2]})
        assert "Administration" in answer.text

    def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        self.http.get(path)
        token = self.http.cookies["csrftoken"]
        answer = self.http.post(path, data={**form, "csrfmiddlewaretoken": token})
        assert answer.status_code == 200, answer.text
        return answer


@pytest.mark.long
async def test_what_the_admin_does_reaches_the_sockets_of_a_running_server(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(command=[sys.executable, "manage.py", "serve", "--setup", "--port", "{port}"])
    api = Api(server.url)
    room = api.make_room(2)
    first, second = room.students
    browser = await asyncio.to_thread(Browser, server)
    async with Socket(server.ws_url, room.teacher.token) as teacher, Socket(server.ws_url, first.token) as student:
        await teacher.mark(first.id)
        assert (await student.frame())["event"] == (await teacher.frame())["event"] == "ATTENDANCE_MARKED"

        form = {"name": first.name, "email": first.email, "role": "student", "roll_number": "", **NO_PROFILES}
        saved = await asyncio.to_thread(browser.post, f"{USERS}{first.id}/change/", form)
        assert "was changed successfully" in saved.text
        assert await student.error() == "Unauthorized or invalid token"
        assert await student.close_code() == 4401

        (session_id,) = set(re.findall(rf"{SESSIONS}([0-9a-f]{{24}})/change/", browser.http.get(SESSIONS).text))
        chosen = {"action": "end_sessions", "_selected_action": session_id}
        ended = await asyncio.to_thread(browser.post, SESSIONS, chosen)
        assert "Sessions ended: 1." in ended.text
        done = {"message": "Attendance persisted", "present": 1, "absent": 1, "total": 2}
        assert await teacher.frame() == {"event": "DONE", "data": done}
    assert second.data("GET", f"/class/{room.class_id}/my-attendance")["status"] == "absent"
    assert browser.http.get("/static/admin/css/base.css").status_code == 200
    browser.http.close()
    api.close()
