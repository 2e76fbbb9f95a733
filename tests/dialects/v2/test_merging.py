"""Merging two accounts of one student over `/api/v2`, and in the admin."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.selectors import actor_of
from attendance.models import Attendance, Merge
from attendance.services import session_end, session_open
from audit.models import Entry
from audit.trail import trail
from tests.dialects.v2.rest import School, V2Rest, is_refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_office_merges_two_accounts_and_undoes_it(rest: V2Rest, school: School) -> None:
    session, _ = session_open(actor=actor_of(school.owner), found=school.physics, move_focus=False)
    body = {"keep": school.ann.id, "other": school.ben.id}
    office = rest.as_(school.office)
    is_refused(office.post("/students/merge", body), 409, "student_in_session")
    session_end(session_id=session.id)
    made = office.post("/students/merge", body)
    assert (made.status, list(made.data)) == (201, ["_id"])
    assert Attendance.objects.filter(student=school.ann).count() == 1
    assert not Attendance.objects.filter(student=school.ben).exists()
    is_refused(office.post("/students/merge", body), 409, "already_merged")
    assert office.delete(f"/students/merges/{made.data['_id']}").status == 204
    assert Attendance.objects.filter(student=school.ben).count() == 1
    is_refused(office.delete(f"/students/merges/{made.data['_id']}"), 404, "merge_not_found")


def test_bad_merges_say_what_is_wrong(rest: V2Rest, school: School) -> None:
    office = rest.as_(school.office)
    same = office.post("/students/merge", {"keep": school.ann.id, "other": school.ann.id})
    assert (same.status, list(same.body["fields"])) == (400, ["other"])
    is_refused(office.post("/students/merge", {"keep": school.ann.id, "other": "x"}), 404, "student_not_found")
    teacher = {"keep": school.ann.id, "other": school.owner.id}
    is_refused(office.post("/students/merge", teacher), 404, "student_not_found")
    is_refused(office.delete("/students/merges/x"), 404, "merge_not_found")


def test_the_admin_asks_which_account_stays_and_can_undo_it(school: School) -> None:
    client = Client()
    client.force_login(school.office)
    asked: dict[str, Any] = {"action": "merge", "_selected_action": [school.ann.id, school.ben.id]}
    page: Any = client.post("/admin/accounts/user/", asked)
    assert "Choose the one that stays" in page.content.decode()
    assert not Merge.objects.exists()
    client.post("/admin/accounts/user/", {**asked, "keep": school.ben.id})
    made = Merge.objects.get()
    assert (made.keep_id, made.other_id, made.by_id) == (school.ben.id, school.ann.id, school.office.id)
    client.post("/admin/attendance/merge/", {"action": "undo", "_selected_action": made.id})
    assert not Merge.objects.exists()
    assert User.objects.get(pk=school.ann.id).is_active
    trail.flush()
    noted = Entry.objects.filter(actor=school.office.id, kind="user", thing=school.ann.id)
    assert {"accounts_merged", "merge_undone"} <= set(noted.values_list("way", flat=True))
    one: Any = client.post("/admin/accounts/user/", {"action": "merge", "_selected_action": school.ann.id}, follow=True)
    assert "Select the two accounts of one student." in one.content.decode()
