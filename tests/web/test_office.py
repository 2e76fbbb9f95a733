"""The office's pages."""

import io
import re
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Invitation, User
from attendance.models import Attendance, Session
from core.times import now, today
from tests.api.rest import School, make_user
from tests.support.http import Client
from tests.support.smtp import NO_MAIL_SERVER
from tests.web.people import signed_in, text_of, words_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school(transactional_db: None) -> School:
    return School()


@pytest.fixture
def office(school: School, make_boss: Callable[[], User]) -> Client:
    return signed_in(make_boss())


@pytest.mark.parametrize("text", ["özg", "ÖZGÜR", "ozgur", "özgür@example.com", " 7B-9 "])
def test_people_are_found_by_part_of_their_name_or_by_what_they_sign_in_with(office: Client, text: str) -> None:
    made = User(name="Özgür Yıldız", email="özgür@example.com", role="student", roll_number="7B-9", password="!")
    made.save(force_insert=True)
    said = words_of(text_of(office.get("/app/office/people", {"text": text})))
    assert "Özgür Yıldız" in said
    assert "Stranger" not in said


def test_a_search_without_result_says_so_and_a_long_list_has_pages(office: Client) -> None:
    assert "Nobody is called that." in text_of(office.get("/app/office/people", {"text": "nobody at all"}))
    for number in range(50):
        make_user(f"Student{number:02}")
    first = words_of(text_of(office.get("/app/office/people")))
    assert "1 of 2" in first
    assert "Student49" in words_of(text_of(office.get("/app/office/people?page=2")))
    assert "2 of 2" in words_of(text_of(office.get("/app/office/people?page=99")))
    found = text_of(office.get("/app/office/people", {"role": "student", "text": "student"}))
    assert 'href="?role=student&amp;text=student&amp;page=2"' in found, "the next page is of the same people"


def test_an_invitations_link_is_shown_once_and_signs_a_teacher_up(office: Client) -> None:
    html = text_of(office.post("/app/office/invitations", {"role": "teacher", "email": ""}))
    link = re.search(r"http://testserver(/invitation/[a-z0-9-]+)", html)
    assert link is not None
    assert link[1] not in text_of(office.get("/app/office/invitations"))
    assert "Sign up as a teacher" in Client().get(link[1]).content.decode()


def test_an_invitation_is_mailed_and_withdrawn(office: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.mail._send", lambda message: True)
    html = text_of(office.post("/app/office/invitations", {"role": "student", "email": "new@example.com"}))
    assert "The invitation is on its way to new@example.com." in html
    assert "/invitation/" not in html.replace("/invitations/", "")
    made = Invitation.objects.get()
    answer = office.post(f"/app/office/invitations/{made.id}/withdraw")
    assert "The invitation is withdrawn." in text_of(office.get(answer["Location"]))
    answer = office.post(f"/app/office/invitations/{made.id}/withdraw")
    assert "used or withdrawn before" in text_of(office.get(answer["Location"]))


def test_an_invitation_that_cannot_be_mailed_is_a_link_to_hand_over_for_the_same_address(
    office: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND = NO_MAIL_SERVER
    html = text_of(office.post("/app/office/invitations", {"role": "teacher", "email": "new@example.com"}))
    assert "The mail to new@example.com could not be sent. Hand the link over instead." in html
    assert "on its way" not in html
    link = re.search(r"http://testserver(/invitation/[a-z0-9-]+)", html)
    assert link is not None
    assert "Sign up as a teacher" in Client().get(link[1]).content.decode()
    (good,) = Invitation.objects.filter(voided_at=None)
    assert (good.email, good.is_mailed) == ("new@example.com", False)


def test_a_mail_server_that_says_nothing_holds_the_page_up_for_a_moment_only(
    office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = threading.Event()
    monkeypatch.setattr("accounts.mail.PATIENCE", 0)
    monkeypatch.setattr("accounts.mail._send", lambda message: silence.wait(30))
    html = text_of(office.post("/app/office/invitations", {"role": "teacher", "email": "new@example.com"}))
    silence.set()
    assert "The invitation is on its way to new@example.com." in html


def test_an_invitation_is_withdrawn_while_somebody_can_accept_it_and_made_where_somebody_can(
    office: Client, settings: Any
) -> None:
    page = "/app/office/invitations"
    office.post(page, {"role": "student", "email": ""})
    path = f"{page}/{Invitation.objects.get().id}/withdraw"
    asked = text_of(office.get(page)).partition(f'action="{path}"')[2]
    assert "Nobody can accept the invitation any more." in asked.partition("</details>")[0]
    Invitation.objects.update(expires_at=now())
    assert path not in text_of(office.get(page))
    assert "expired" in text_of(office.get(page))
    settings.SIGNUP = "closed"
    assert 'name="role"' not in text_of(office.get(page))
    assert "there is nothing to invite to" in text_of(office.get(page))


def test_an_address_that_has_an_account_is_not_invited(office: Client) -> None:
    User.objects.filter(name="Owner").update(password="a hash", origin="school")
    html = text_of(office.post("/app/office/invitations", {"role": "teacher", "email": "owner@example.com"}), 400)
    assert "Somebody has an account with this address already." in html


def test_the_report_has_every_class_that_had_a_lesson(office: Client, school: School) -> None:
    assert "no finished lesson" in text_of(office.get("/app/office/report"))
    school.finish_session()
    school.finish_session()
    Attendance.objects.filter(pk=Attendance.objects.latest("id").pk).update(status="late")
    said = words_of(text_of(office.get("/app/office/report")))
    assert "50.0 % in 1 class" in said
    assert "Physics Owner 2 50.0" in said
    assert "no finished lesson" in text_of(office.get("/app/office/report?until=2020-01-01"))


def test_the_report_begins_a_year_ago_until_other_days_are_named(office: Client, school: School) -> None:
    school.finish_session()
    Session.objects.update(started_at=now() - timedelta(days=400))
    html = text_of(office.get("/app/office/report"))
    assert "no finished lesson" in html
    assert f'value="{today() - timedelta(days=365)}"' in html
    assert "in 1 class" in words_of(text_of(office.get("/app/office/report?since=")))


def test_the_office_opens_every_class_and_is_told_whose_it_is(office: Client, school: School) -> None:
    assert "Physics Owner" in words_of(text_of(office.get("/app/classes/")))
    assert office.get(f"/app/classes/{school.class_id}/students").status_code == 200


def test_the_office_gets_the_school_for_other_systems(office: Client, school: School) -> None:
    assert "/app/office/oneroster" in text_of(office.get("/app/office/"))
    assert "The school&#x27;s name" in text_of(office.get("/app/office/oneroster"))
    answer: Any = office.get(
        "/app/office/oneroster", {"school": "Lincoln", "since": "2026-09-01", "until": "2027-06-30"}
    )
    assert answer["Content-Disposition"] == 'attachment; filename="Lincoln.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert "Lincoln,school" in archive.read("orgs.csv").decode()
        assert "2026-09-01,2027-07-01" in archive.read("academicSessions.csv").decode()
        assert school.student.email in archive.read("users.csv").decode()
    answer.close()
    wrong = {"school": "Lincoln", "since": "2027-09-01", "until": "2026-06-30"}
    assert "The last day is before the first." in text_of(office.get("/app/office/oneroster", wrong), 400)
