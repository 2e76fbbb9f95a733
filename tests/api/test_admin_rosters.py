"""Rosters in the admin: pages and a search of their own, days that are respected, and classes of thousands."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from classes.models import Class, Enrolment
from core.times import today
from tests.support.admin import (
    CLASSES,
    ROSTERS,
    Opened,
    World,
    form_errors,
    listed,
    make_user,
    messages_of,
    save_class,
    staff,
    text,
    version_of,
)
from tests.support.http import Client

pytestmark = [pytest.mark.django_db, pytest.mark.early]

YESTERDAY, TOMORROW = today() - timedelta(days=1), today() + timedelta(days=1)


def names(page: Client, **query: str) -> list[str]:
    answer = page.get(ROSTERS, query)
    assert answer.status_code == 200, answer
    return [row.student.name for row in answer.context["cl"].result_list]


def of(found: Class, **query: str) -> dict[str, str]:
    return {"class_ref__id__exact": found.pk, **query}


def enrolment(found: Class, student: User) -> Enrolment:
    return Enrolment.objects.get(class_ref=found, student=student)


#: The tests' stand-in for MongoDB holds 5,000 as well, and takes two minutes for them.
MANY = 500 if connection.vendor == "mongodb" else 5000


def test_a_class_of_5000_is_opened_and_saved_and_its_roster_comes_in_pages(page: Client, world: World) -> None:
    people = User.objects.bulk_create(
        User(name=f"S{n:04}", email=f"s{n}@example.com", email_key=f"s{n}@example.com", password="!")
        for n in range(MANY)
    )
    Enrolment.objects.bulk_create(
        [Enrolment(class_ref=world.chemistry, student=person) for person in people], batch_size=1000
    )
    url = f"{CLASSES}{world.chemistry.pk}/change/"
    with CaptureQueriesContext(connection) as caught:
        opened = text(page.get(url))
    assert f"{MANY + 1} students" in opened
    assert "S0001" not in opened
    assert len(opened) < 100_000
    assert len(caught) < 20
    assert save_class(page, world.chemistry, name="Large", add=[world.asha]).status_code == 302
    assert Class.objects.get(pk=world.chemistry.pk).name == "Large"
    assert Enrolment.objects.filter(class_ref=world.chemistry).count() == MANY + 2

    first = names(page, **of(world.chemistry))
    assert (len(first), first[:3]) == (100, ["Asha", "Cleo", "S0000"])
    assert names(page, **of(world.chemistry, p="2"))[0] == "S0098"
    assert names(page, **of(world.chemistry, q=f"s{MANY - 1:04}")) == [f"S{MANY - 1:04}"]


def test_a_classs_page_links_to_its_roster_whose_title_names_the_class(page: Client, world: World) -> None:
    opened = text(page.get(f"{CLASSES}{world.physics.pk}/change/"))
    link = f"{ROSTERS}?class_ref__id__exact={world.physics.pk}&amp;enrolled=today"
    assert link in opened
    assert "Roster of Physics" in text(page.get(link.replace("&amp;", "&")))


@pytest.mark.parametrize("query", ["ÅSA", "asa", "A\u030asa", "asa@example", "R-7"])
def test_a_roster_is_searched_by_name_address_and_roll_number(page: Client, world: World, query: str) -> None:
    student = User(name="Åsa Öberg", email="asa@example.com", roll_number="R-7", password="!")
    student.save()
    Enrolment.objects.create(class_ref=world.physics, student=student)
    assert names(page, **of(world.physics, q=query)) == ["Åsa Öberg"]
    assert names(page, **of(world.chemistry, q=query)) == []


def test_a_roster_tells_those_of_today_from_those_who_have_left_or_are_to_come(page: Client, world: World) -> None:
    Enrolment.objects.filter(student=world.asha).update(until=YESTERDAY)
    Enrolment.objects.create(class_ref=world.physics, student=world.cleo, since=TOMORROW)
    shown = {key: names(page, **of(world.physics, enrolled=key)) for key in ("today", "left", "to_come")}
    assert shown == {"today": ["Ben"], "left": ["Asha"], "to_come": ["Cleo"]}
    assert names(page, **of(world.physics)) == ["Asha", "Ben", "Cleo"]


def test_who_is_taken_off_keeps_the_days_until_then_and_who_was_added_by_mistake_leaves_no_trace(
    page: Client, world: World
) -> None:
    spare = make_user("Spare")
    Enrolment.objects.create(class_ref=world.physics, student=spare)
    Enrolment.objects.filter(student=world.asha).update(since=YESTERDAY - timedelta(days=9))
    rows = [enrolment(world.physics, student).pk for student in (world.asha, spare)]
    before = version_of(world.physics)
    answer = page.post(ROSTERS, {"action": "take_off", "_selected_action": rows}, follow=True)
    assert messages_of(answer) == ["Taken off: 2."]
    assert enrolment(world.physics, world.asha).until == YESTERDAY
    assert not Enrolment.objects.filter(student=spare).exists()
    assert version_of(world.physics) > before


def test_somebody_who_comes_back_goes_on_with_the_enrolment_that_there_is(page: Client, world: World) -> None:
    first = YESTERDAY - timedelta(days=30)
    Enrolment.objects.filter(student=world.asha).update(since=first, until=YESTERDAY)
    assert save_class(page, world.physics, add=[world.asha]).status_code == 302
    row = enrolment(world.physics, world.asha)
    assert (row.since, row.until) == (first, None)

    Enrolment.objects.filter(pk=row.pk).update(until=YESTERDAY)
    form = {"class_ref": world.physics.pk, "student": world.asha.pk, "since": "", "until": str(TOMORROW)}
    assert page.post(f"{ROSTERS}add/", form).status_code == 302
    again = enrolment(world.physics, world.asha)
    assert (again.pk, again.since, again.until) == (row.pk, first, TOMORROW)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"student": "asha"}, "student"),
        ({"student": "uma"}, "student"),
        ({"since": str(TOMORROW), "until": str(YESTERDAY)}, "until"),
        ({"since": "never"}, "since"),
    ],
)
def test_an_enrolment_that_cannot_be_is_refused_by_the_form(
    page: Client, world: World, changes: dict[str, str], field: str
) -> None:
    form = {"class_ref": world.physics.pk, "student": "cleo", "since": "", "until": "", **changes}
    form["student"] = getattr(world, form["student"]).pk
    assert set(form_errors(page.post(f"{ROSTERS}add/", form))) == {field}
    assert Enrolment.objects.filter(class_ref=world.physics).count() == 2


def test_days_are_changed_and_a_page_saved_late_undoes_no_other_day(page: Client, world: World) -> None:
    row = enrolment(world.physics, world.asha)
    late, early = Opened(page, ROSTERS, row), Opened(page, ROSTERS, row)
    before = version_of(world.physics)
    assert early.save(since=str(YESTERDAY)).status_code == 302
    assert late.save(until=str(TOMORROW)).status_code == 302
    row.refresh_from_db()
    assert (row.since, row.until) == (YESTERDAY, TOMORROW)
    assert version_of(world.physics) > before
    assert "The last day is before the first." in text(late.save(since=str(TOMORROW), until=str(YESTERDAY)))


def test_a_student_who_is_added_from_a_roster_is_added_to_its_class(page: Client, world: World) -> None:
    filters = f"class_ref__id__exact={world.physics.pk}"
    answer: Any = page.get(f"{ROSTERS}add/", {"_changelist_filters": filters})
    assert answer.context["adminform"].form["class_ref"].value() == world.physics.pk


def test_an_enrolment_alone_is_never_deleted(page: Client, world: World) -> None:
    row = enrolment(world.physics, world.asha)
    assert page.post(f"{ROSTERS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    page.post(ROSTERS, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert "/delete/" not in text(page.get(f"{ROSTERS}{row.pk}/change/"))
    assert Enrolment.objects.filter(pk=row.pk).exists()


def test_who_may_look_at_classes_looks_at_rosters_and_changes_none(world: World) -> None:
    looker, row = staff("Looker", "view_class"), enrolment(world.physics, world.asha)
    assert str(row) in listed(looker, ROSTERS)
    assert looker.get(f"{ROSTERS}{row.pk}/change/").status_code == 200
    assert looker.post(f"{ROSTERS}{row.pk}/change/", {"since": "", "until": ""}).status_code == 403
    assert looker.get(f"{ROSTERS}add/").status_code == 403
    for action in ("take_off", "new_passwords"):
        looker.post(ROSTERS, {"action": action, "_selected_action": [row.pk]})
        assert f'value="{action}"' not in text(looker.get(ROSTERS))
    row.refresh_from_db()
    assert row.until is None
    assert staff("Clerk", "view_user").get(ROSTERS).status_code == 403
