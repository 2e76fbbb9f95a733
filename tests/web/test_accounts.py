"""Signing in, up and out on the pages, and forgotten passwords."""

import json
from typing import Any

import pytest
from django.conf import settings as django_settings

from accounts import devices, limits
from accounts.models import User
from attendance.models import CheckInDevice, Session
from core.identity import Role
from core.limits import OWN_DATA
from core.rest.routes import is_slow
from core.times import now
from tests.api.rest import School
from tests.support.clients import PASSWORD
from tests.support.http import Client
from tests.support.smtp import NO_MAIL_SERVER
from tests.web.people import text_of, words_of

pytestmark = pytest.mark.django_db

SIGN_IN = "/app/sign-in"
NEW = {"name": "Asha Rao", "email": "asha@school.example", "password": PASSWORD, "role": "teacher"}


@pytest.fixture(autouse=True)
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = now()
    monkeypatch.setattr(limits, "now", lambda: moment)


@pytest.fixture
def ravi(db: None) -> User:
    user = User(name="Ravi", email="ravi@school.example", role=Role.STUDENT, roll_number="7B-12")
    user.set_password(PASSWORD)
    user.save(force_insert=True)
    return user


def sign_in(client: Client, login: str = "Ravi@School.example", password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"login": login, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/app/me/").status_code == 200)


@pytest.mark.parametrize("login", ["ravi@school.example", "RAVI@SCHOOL.EXAMPLE", " ravi@school.example ", "7B-12"])
def test_people_sign_in_by_e_mail_or_roll_number(ravi: User, login: str) -> None:
    client = Client()
    answer = sign_in(client, login)
    assert (answer.status_code, answer["Location"]) == (302, "/app/")
    assert is_signed_in(client)


def test_the_language_of_a_sign_in_is_kept_for_mails(ravi: User) -> None:
    for asked, kept in (("hi-IN,hi;q=0.9", "hi"), ("ar", "ar"), ("pt", "en")):
        client = Client()
        answer = client.post(SIGN_IN, {"login": ravi.email, "password": PASSWORD}, headers={"Accept-Language": asked})
        assert answer.status_code == 302
        ravi.refresh_from_db()
        assert ravi.language == kept


def test_the_language_that_a_person_chooses_is_kept_for_mails(ravi: User) -> None:
    client = Client()
    client.force_login(ravi)
    client.post("/app/language", {"language": "fr"}, headers={"Accept-Language": "de"})
    ravi.refresh_from_db()
    assert ravi.language == "fr"


def test_the_sign_in_leads_to_the_page_that_was_asked_for_and_to_no_other_site(ravi: User) -> None:
    client = Client()
    asked = client.get("/app/me/")
    assert asked["Location"] == "/app/sign-in?next=/app/me/"
    assert 'name="next" value="/app/me/"' in text_of(client.get(asked["Location"]))
    assert sign_in(client, next="/app/me/")["Location"] == "/app/me/"
    for goal in ("https://evil.example/", "//evil.example", "/admin/", "/app/../admin/\\evil.example", "javascript:x"):
        assert not sign_in(Client(), next=goal)["Location"].startswith(("http", "//", "/admin", "java"))


def test_a_wrong_name_and_a_wrong_password_are_answered_alike_and_the_name_stays(ravi: User) -> None:
    for login, password in (("ravi@school.example", "wrong"), ("nobody@school.example", PASSWORD)):
        html = text_of(sign_in(Client(), login, password), 400)
        assert "The e-mail or roll number, or the password, is not right." in html
        assert f'value="{login}"' in html
        assert PASSWORD not in html


def test_guessing_costs_the_wait_that_it_costs_at_every_door(ravi: User) -> None:
    phone = Client()
    assert sign_in(phone).status_code == 302
    for number in range(limits.PATIENCE):
        if number % 2:
            assert sign_in(Client(), password="wrong").status_code == 400
        else:
            body = {"email": ravi.email, "password": "wrong"}
            assert Client().post("/auth/login", body, "application/json").status_code == 400
    answer = sign_in(Client())
    assert "Too many attempts. Please try again in 1 second." in text_of(answer, 429)
    assert answer["Retry-After"] == "1"
    assert sign_in(phone).status_code == 302  # a device that is known
    assert phone.cookies[devices.COOKIE]["httponly"]


@pytest.mark.parametrize("path", [SIGN_IN, "/app/sign-up", "/app/forgot", "/app/reset", "/app/me/password"])
def test_every_form_that_hashes_or_mails_waits_among_its_like(path: str) -> None:
    assert is_slow("POST", path)


def test_the_session_opens_pages_and_no_route(ravi: User) -> None:
    client = Client()
    sign_in(client)
    cookie = client.cookies[django_settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert client.get("/auth/me").status_code == 401
    assert client.get("/admin/").status_code == 302


def test_who_asks_for_it_stays_signed_in_and_others_until_the_browser_is_closed(ravi: User) -> None:
    client = Client()
    sign_in(client)
    assert client.cookies[django_settings.SESSION_COOKIE_NAME]["max-age"] == ""
    sign_in(client, stay="on")
    assert client.cookies[django_settings.SESSION_COOKIE_NAME]["max-age"] == pytest.approx(30 * 24 * 60 * 60, abs=5)


def test_another_password_ends_every_other_session_and_this_one_goes_on(ravi: User) -> None:
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)
    wrong = here.post("/app/me/password", {"old": "wrong", "new": "another horse"})
    assert "The password is not right." in text_of(wrong, 400)
    weak = here.post("/app/me/password", {"old": PASSWORD, "new": "password1"})
    assert "too easy to guess" in text_of(weak, 400)
    assert here.post("/app/me/password", {"old": PASSWORD, "new": "another horse"})["Location"] == "/app/me/"
    assert is_signed_in(here)
    assert not is_signed_in(there)
    assert sign_in(there, password="another horse").status_code == 302


def test_signing_out_everywhere_else_leaves_this_session_alone(ravi: User) -> None:
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)
    here.post("/app/me/sign-out-everywhere")
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)


def test_a_disabled_account_is_signed_out_at_once(ravi: User) -> None:
    client = Client()
    sign_in(client)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)
    assert sign_in(Client()).status_code == 400


def test_signing_out_ends_the_session(ravi: User) -> None:
    client = Client()
    sign_in(client)
    assert client.post("/app/sign-out")["Location"] == "/app/sign-in"
    assert not is_signed_in(client)


def test_whoever_signs_up_is_signed_in() -> None:
    client = Client()
    assert client.post("/app/sign-up", NEW)["Location"] == "/app/"
    assert "Welcome!" in text_of(client.get("/app/"))
    user = User.objects.get()
    assert (user.name, user.email, user.role, user.origin) == ("Asha Rao", "asha@school.example", "teacher", "self")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "This field is required."),
        ("email", "nothing", "Enter a valid email address."),
        ("email", "RAVI@school.example", "Somebody has an account with this address already."),
        ("password", "short", "too easy to guess"),
        ("role", "admin", "Select a valid choice."),
        ("name", "a\0b", "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_comes_back_beside_its_field_with_what_was_typed(
    ravi: User, field: str, value: str, said: str
) -> None:
    html = text_of(Client().post("/app/sign-up", {**NEW, field: value}), 400)
    assert said in html
    assert PASSWORD not in html
    kept = {name: typed for name, typed in NEW.items() if name in ("name", "email") and name != field}
    assert all(f'value="{typed}"' in html for typed in kept.values())
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("policy", "said"),
    [("students", "Only students"), ("invited", "You need an invitation"), ("closed", "Ask your school")],
)
def test_the_schools_policy_holds_for_the_page_too(db: None, settings: Any, policy: str, said: str) -> None:
    settings.SIGNUP = policy
    assert said in text_of(Client().post("/app/sign-up", NEW), 403)
    assert not User.objects.exists()
    offered = text_of(Client().get("/app/sign-up"))
    assert 'value="teacher"' not in offered
    assert ('value="student"' in offered) == (policy == "students")


def test_a_forgotten_password_is_reset_by_the_mailed_code(ravi: User, codes: list[int]) -> None:
    client = Client()
    asked = client.post("/app/forgot", {"login": "7B-12"})
    assert asked["Location"] == "/app/reset?login=7B-12"
    form = {"login": "7B-12", "code": "000000", "password": "another horse"}
    assert "The code is not right" in text_of(client.post("/app/reset", form), 400)
    done = client.post("/app/reset", {**form, "code": f" {codes[0]} "})
    assert done["Location"] == "/app/sign-in"
    assert sign_in(client, password="another horse").status_code == 302


def test_nobody_learns_from_the_page_who_has_an_account(ravi: User, codes: list[int]) -> None:
    answers = [Client().post("/app/forgot", {"login": login}) for login in (ravi.email, "nobody@school.example")]
    assert {answer.status_code for answer in answers} == {302}
    assert len(codes) == 1


def test_the_mailbox_is_confirmed_by_a_mailed_code(ravi: User, codes: list[int]) -> None:
    client = Client()
    sign_in(client)
    assert client.post("/app/me/confirm/code")["Location"] == "/app/me/confirm"
    assert "Code from the mail" in text_of(client.get("/app/me/confirm"))
    assert "The code is not right" in text_of(client.post("/app/me/confirm", {"code": "000000"}), 400)
    assert client.post("/app/me/confirm", {"code": str(codes[0])})["Location"] == "/app/me/"
    assert User.objects.get().is_proved


@pytest.mark.django_db(transaction=True)
def test_no_page_promises_a_code_where_there_is_no_mail_server(ravi: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = NO_MAIL_SERVER
    client = Client()
    for login in (ravi.email, "nobody@school.example"):
        said = text_of(client.post("/app/forgot", {"login": login}), 400)
        assert "This server sends no mail. Ask your school&#x27;s office for another password." in said
    sign_in(client)
    answer = client.post("/app/me/confirm/code")
    assert answer["Location"] == "/app/me/"
    said = text_of(client.get("/app/me/"))
    assert "The mail could not be sent. Ask your school&#x27;s office." in said
    assert "on its way" not in said


def test_people_change_their_own_name(ravi: User) -> None:
    client = Client()
    sign_in(client)
    assert "This field is required." in text_of(client.post("/app/me/", {"name": " "}), 400)
    assert client.post("/app/me/", {"name": "Ravi Kumar"})["Location"] == "/app/me/"
    assert "Ravi Kumar" in text_of(client.get("/app/me/"))
    assert User.objects.get().name == "Ravi Kumar"


def test_my_data_are_downloaded_and_my_devices_are_listed(student: Client, school: School) -> None:
    session = Session.objects.get(pk=school.start_session())
    CheckInDevice.objects.create(session=session, device="abcdef0123", student=school.student)
    CheckInDevice.objects.create(session=session, device="token:0123456789", student=school.student)
    page = text_of(student.get("/app/me/data"))
    assert "Another device abcdef 1" in words_of(page)
    assert "An app 012345 1" in words_of(page)
    assert 'href="/app/me/data/file"' in page
    file = student.get("/app/me/data/file")
    assert file["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert json.loads(file.content)["parts"]["account"][0]["_id"] == school.student.id
    for _ in range(OWN_DATA.number - 1):
        student.get("/app/me/data/file")
    refused = student.get("/app/me/data/file")
    assert "Too many attempts." in text_of(refused, 429)
