"""The office's work in the admin: an archive at the end of a year, exports and the grid, slips, live or set aside."""

import csv
import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry

from accounts.admin_passwords import MOST
from accounts.models import User
from attendance.enums import SessionState, Status
from attendance.models import Attendance, Mark, Session
from audit.models import Entry
from audit.trail import trail
from classes.models import Class, Enrolment
from core.times import today
from tests.support.admin import (
    CLASSES,
    MARKS,
    RECORDS,
    ROSTERS,
    SESSIONS,
    USERS,
    World,
    listed,
    make_class,
    make_session,
    make_user,
    messages_of,
    staff,
    text,
)
from tests.support.http import Client

pytestmark = [pytest.mark.django_db, pytest.mark.early]


def act(page: Client, url: str, action: str, *rows: Any) -> Any:
    return page.post(url, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)


# The archive


def test_classes_are_archived_at_the_end_of_a_year_and_taken_back(page: Client, world: World) -> None:
    both = (world.physics, world.chemistry)
    assert messages_of(act(page, CLASSES, "archive", *both)) == ["Archived: 2."]
    assert Class.objects.filter(archived_at=None).count() == 0
    assert f"archived {today().day} " in text(page.get(CLASSES))
    assert (listed(page, CLASSES, standing="in_use"), len(listed(page, CLASSES, standing="archived"))) == (set(), 2)
    assert listed(page, CLASSES, standing="removed") == set()
    assert Attendance.objects.count() == 2
    assert messages_of(act(page, CLASSES, "archive", *both)) == ["Archived: 0."]
    assert messages_of(act(page, CLASSES, "take_back", world.physics)) == ["Taken back: 1."]
    assert Class.objects.get(archived_at=None) == world.physics
    assert LogEntry.objects.filter(object_id=world.physics.pk).count() == 2


def test_people_are_archived_they_sign_in_no_more_and_leave_the_rosters_and_their_records_stay(
    page: Client, root: User, world: World
) -> None:
    records = list(Attendance.objects.order_by("pk").values())
    answer = act(page, USERS, "archive", world.asha, world.tara, root)
    said = messages_of(answer)
    assert said[0] == "Not archived, for you may not: 1."
    assert said[1].startswith("Archived: 2.")
    people = dict(User.objects.values_list("name", "is_active"))
    assert [people[name] for name in ("Asha", "Tara", "Root", "Cleo")] == [False, False, True, True]
    assert User.objects.get(pk=world.asha.pk).token_version == 1
    assert not Enrolment.objects.current().filter(student=world.asha).exists()
    assert list(Attendance.objects.order_by("pk").values()) == records


@pytest.mark.parametrize("name", ["asha", "tara", "physics"])
def test_a_refusal_to_delete_leads_on_to_the_archive(page: Client, world: World, name: str) -> None:
    row = getattr(world, name)
    url = CLASSES if name == "physics" else USERS
    one = text(page.get(f"{url}{row.pk}/delete/"))
    several = text(page.post(url, {"action": "delete_selected", "_selected_action": [row.pk]}))
    for refusal in (one, several):
        assert "What has a history is archived instead" in refusal
        form = re.findall(r'<input type="hidden" name="(action|_selected_action)" value="(\w+)">', refusal)
        assert set(form) == {("action", "archive"), ("_selected_action", row.pk)}
    assert any("Archived: 1." in said for said in messages_of(act(page, url, "archive", row)))


def test_who_may_only_look_archives_nothing(world: World) -> None:
    looker = staff("Looker", "view_class", "view_user")
    for url, row in ((CLASSES, world.physics), (USERS, world.asha)):
        assert 'value="archive"' not in text(looker.get(url))
        act(looker, url, "archive", row)
    assert User.objects.get(pk=world.asha.pk).is_active
    assert Class.objects.filter(archived_at=None).count() == 2


def test_who_has_fewer_rights_archives_nobody_who_has_more(root: User, world: World) -> None:
    clerk = staff("Clerk", "view_user", "change_user")
    assert messages_of(act(clerk, USERS, "archive", root))[0] == "Not archived, for you may not: 1."
    assert User.objects.get(pk=root.pk).is_active


# Exports and the grid


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer
    return b"".join(answer.streaming_content)


def test_a_class_is_exported_as_csv_and_as_a_workbook(page: Client, world: World) -> None:
    answer = act(page, CLASSES, "export_csv", world.physics)
    assert answer["Content-Disposition"] == 'attachment; filename="Physics.csv"'
    lines = list(csv.reader(io.StringIO(content(answer).decode("utf-8-sig"))))
    assert [[*line[:2], line[3]] for line in lines[1:3]] == [["A-1", "Asha", "present"], ["", "Ben", "absent"]]
    answer = act(page, CLASSES, "export_xlsx", world.physics)
    sheet = openpyxl.load_workbook(io.BytesIO(content(answer))).active
    assert sheet is not None
    assert [row[1] for row in sheet.iter_rows(min_row=2, max_row=3, values_only=True)] == ["Asha", "Ben"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_several_classes_are_exported_as_a_file_each_though_they_have_one_name(
    page: Client, world: World, kind: str
) -> None:
    other = make_class("Physics", world.uma)
    files = zipfile.ZipFile(io.BytesIO(content(act(page, CLASSES, f"export_{kind}", world.physics, other))))
    assert sorted(files.namelist()) == sorted(f"Physics-{found.pk}.{kind}" for found in (world.physics, other))


def test_the_grid_shows_students_and_sessions(page: Client, world: World) -> None:
    make_user("<b>Dora")
    Enrolment.objects.create(class_ref=world.physics, student=User.objects.get(name="<b>Dora"))
    shown = text(act(page, CLASSES, "grid", world.physics, world.chemistry))
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td class="\w+">(.*?)</td>', shown)
    assert [(name, percent, re.sub("<.*?>", "", status)) for name, percent, status in rows] == [
        ("&lt;b&gt;Dora", "–", "–"),
        ("Asha", "100.0", "P"),
        ("Ben", "0.0", "A"),
    ]
    assert "No session is finished." in shown


def test_exports_stand_in_the_audit_log_with_the_class(page: Client, root: User, world: World) -> None:
    trail.flush()
    Entry.objects.all().delete()
    content(act(page, CLASSES, "export_csv", world.physics))
    trail.flush()
    assert ("export", root.pk, world.physics.pk) in Entry.objects.values_list("action", "actor", "thing")


# New passwords


def passwords(answer: Any) -> dict[str, str]:
    shown = re.findall(r'<dd>(\S+@\S+)</dd>.*?<dd class="password">(\w+)</dd>', text(answer), re.DOTALL)
    return dict(shown)


def test_new_passwords_for_many_come_as_slips_once_and_after_a_question(page: Client, root: User, world: World) -> None:
    asked = act(page, USERS, "new_passwords", world.asha, world.cleo, root)
    assert "These 2 get new passwords" in text(asked)
    assert User.objects.get(pk=world.asha.pk).password == "!"
    url = asked.redirect_chain[-1][0]
    answer = page.post(url)
    assert "no-store" in answer["Cache-Control"]
    slips = passwords(answer)
    assert set(slips) == {"asha@example.com", "cleo@example.com"}
    for email, password in slips.items():
        user = User.objects.get(email=email)
        assert user.check_password(password)
        assert user.token_version == 1
    assert "A-1" in text(answer)
    assert "http://testserver/app/" in text(answer)
    assert "Nobody is selected here" in text(page.post(url))
    assert LogEntry.objects.filter(object_id=world.asha.pk, change_message__contains="new password").exists()


def test_a_rosters_students_get_slips_too(page: Client, world: World) -> None:
    rows = Enrolment.objects.filter(class_ref=world.physics)
    asked = act(page, ROSTERS, "new_passwords", *rows)
    assert set(passwords(page.post(asked.redirect_chain[-1][0]))) == {"asha@example.com", "ben@example.com"}


def test_too_many_at_once_are_refused(page: Client) -> None:
    people = User.objects.bulk_create(
        User(name=f"S{n}", email=f"s{n}@example.com", email_key=f"s{n}@example.com", password="!")
        for n in range(MOST + 1)
    )
    (said,) = messages_of(act(page, USERS, "new_passwords", *people))
    assert said == f"New passwords are made for {MOST} people at a time; {MOST + 1} are selected."


def test_nobody_makes_passwords_for_who_has_more_rights(root: User, world: World) -> None:
    clerk = staff("Clerk", "view_user", "change_user")
    asked = act(clerk, USERS, "new_passwords", root, world.asha)
    assert set(passwords(clerk.post(asked.redirect_chain[-1][0]))) == {"asha@example.com"}
    assert staff("Looker", "view_user").post("/admin/accounts/user/new-passwords/").status_code == 403
    assert Client().get("/admin/accounts/user/new-passwords/").status_code == 302


# What matters comes first


def columns(page: Client, url: str) -> list[str]:
    shown = page.get(url).context["cl"].list_display
    return [name for name in shown if name != "action_checkbox"][:4]


@pytest.mark.parametrize(
    ("url", "first"),
    [
        (SESSIONS, ["class_name", "standing", "present_count", "absent_count"]),
        (MARKS, ["name", "status", "at", "session"]),
        (RECORDS, ["name", "status", "class_name", "started_at"]),
        (CLASSES, ["shown_name", "roster_size", "standing", "teacher"]),
        (ROSTERS, ["name", "roll_number", "since", "until"]),
        (USERS, ["shown_name", "role", "is_active", "roll_number"]),
    ],
)
def test_what_matters_stands_in_the_first_columns(page: Client, world: World, url: str, first: list[str]) -> None:
    assert columns(page, url) == first


@pytest.mark.parametrize(("url", "column"), [(CLASSES, "roster_size"), (SESSIONS, "students")])
def test_lists_are_sorted_by_how_many_students_a_class_has(page: Client, world: World, url: str, column: str) -> None:
    shown = page.get(url).context["cl"].list_display
    sizes = [
        [
            getattr(row, column)
            for row in page.get(url, {"o": f"{order}{shown.index(column)}"}).context["cl"].result_list
        ]
        for order in ("", "-")
    ]
    assert sizes[0] == sorted(sizes[0])
    assert sizes[1] == sizes[0][::-1] != sizes[0]


def test_an_open_session_says_whether_it_is_live_or_set_aside(page: Client, world: World, settings: Any) -> None:
    make_session(world.physics, end=False, asha=Status.PRESENT)

    def shown() -> dict[str, str]:
        rows = re.findall(r'field-class_name.*?>([A-Z]\w+)</a>.*?field-standing">(.*?)</td>', text(page.get(SESSIONS)))
        return {name: state for name, state in reversed(rows) if state != "Ended"}

    def on_page(session: Session) -> str:
        (state,) = re.findall(r'readonly">(Live|Open, set aside)<', text(page.get(f"{SESSIONS}{session.pk}/change/")))
        return str(state)

    live = Session.objects.get(class_ref=world.physics, state=SessionState.OPEN)
    assert shown() == {"Chemistry": "Open, set aside", "Physics": "Live"}
    assert (on_page(world.live), on_page(live)) == ("Open, set aside", "Live")
    settings.LIVE_SESSIONS = "per-class"
    assert shown() == {"Chemistry": "Live", "Physics": "Live"}
    assert on_page(world.live) == "Live"
    assert Mark.objects.count() == 3


def test_view_site_leads_to_the_pages(page: Client) -> None:
    assert '<a href="/app/">View site</a>' in text(page.get("/admin/"))
