"""What live pages ask of the server besides the socket, and what they bring along."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client as DjangoClient

from accounts import tokens
from accounts.models import User
from accounts.selectors import actor_of
from attendance.check_in import CheckInOptions, Mode
from attendance.check_in_rules import code_now
from attendance.check_ins import Where, check_in_by_claim, check_in_close, check_in_open
from attendance.enums import Status
from attendance.models import Session
from attendance.services import session_end
from core import errors
from core.times import now
from core.words import SENTENCES
from tests.api.rest import School
from tests.support.http import Client
from tests.web.people import signed_in, text_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.one_database("Tokens and words do not depend on who gave the rows."),
]


def test_a_page_gets_a_token_of_its_person_for_ten_minutes(owner: Client, school: School) -> None:
    answer = owner.post("/app/token")
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    made = answer.json()
    assert sorted(made) == ["expiresAt", "serverTime", "token"]
    actor, claims = tokens.authenticate(made["token"])
    assert actor.id == school.owner.id
    assert claims.expires_at - now().timestamp() == pytest.approx(tokens.PAGE_LIFETIME, abs=5)


def test_nobody_else_gets_one(db: None) -> None:
    answer = Client().post("/app/token")
    assert answer.status_code == 401
    assert answer.json() == {"success": False, "error": errors.Unauthorized.message}
    assert Client().get("/app/token").status_code == 405


def test_no_other_site_can_ask_for_one(school: School) -> None:
    strict = DjangoClient(enforce_csrf_checks=True)
    strict.force_login(school.owner)
    assert strict.post("/app/token").status_code == 403
    page = strict.get("/app/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    assert strict.post("/app/token", headers={"X-CSRFToken": token[1]}).status_code == 200


def test_the_token_ends_with_the_password(owner: Client, school: School) -> None:
    token = owner.post("/app/token").json()["token"]
    tokens.void_all(school.owner.id)
    with pytest.raises(errors.Unauthorized):
        tokens.authenticate(token)


def is_good(token: str) -> bool:
    answer = Client().get("/auth/me", headers={"Authorization": token})
    assert answer.status_code in (200, 401)
    return bool(answer.status_code == 200)


def test_signing_out_ends_the_tokens_of_all_tabs_of_this_browser_and_of_no_other(owner: Client, school: School) -> None:
    elsewhere = signed_in(school.owner)
    board, tab = (owner.post("/app/token").json()["token"] for _ in range(2))
    others = [elsewhere.post("/app/token").json()["token"], tokens.issue(User.objects.get(pk=school.owner.id))]
    claims = [tokens.read(raw) for raw in (board, tab, *others)]
    assert tokens.revoked(claims) == set()
    owner.post("/app/sign-out")
    assert [is_good(token) for token in (board, tab, *others)] == [False, False, True, True]
    assert tokens.revoked(claims) == set(claims[:2])
    again = signed_in(school.owner).post("/app/token").json()["token"]
    assert is_good(again)


def test_a_sign_in_from_before_pages_tokens_had_anything_in_common_ends_with_its_tokens_too(
    owner: Client,
) -> None:
    session = owner.session
    del session["browser"]
    session.save()
    token = owner.post("/app/token").json()["token"]
    owner.post("/app/sign-out")
    assert not is_good(token)


def test_whoever_signs_in_on_a_browser_ends_the_tokens_of_who_was_signed_in_there(
    owner: Client, school: School
) -> None:
    token = owner.post("/app/token").json()["token"]
    User.objects.filter(pk=school.student.id).update(password=make_password("a long password"))
    form = {"login": school.student.email, "password": "a long password"}
    assert owner.post("/app/sign-in?next=/app/me/", form).status_code == 302
    assert not is_good(token)
    assert is_good(owner.post("/app/token").json()["token"])


def test_signing_out_at_the_admin_ends_the_pages_tokens(make_boss: Callable[[], User]) -> None:
    boss = signed_in(make_boss())
    token = boss.post("/app/token").json()["token"]
    assert boss.post("/admin/logout/").status_code in (200, 302)
    assert not is_good(token)


def test_whoever_signs_in_at_the_admin_ends_the_tokens_of_who_was_signed_in_there(
    owner: Client, make_boss: Callable[[], User]
) -> None:
    token = owner.post("/app/token").json()["token"]
    boss = make_boss()
    User.objects.filter(pk=boss.pk).update(password=make_password("a long password"))
    wrong = {"username": boss.email, "password": "another password"}
    assert owner.post("/admin/login/", wrong).status_code == 200
    assert is_good(token)
    assert owner.post("/admin/login/", {**wrong, "password": "a long password"}).status_code == 302
    assert not is_good(token)


def data_of(html: str, name: str) -> dict[str, object]:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    read: dict[str, object] = json.loads(found[1])
    return read


def test_the_board_brings_its_words_in_the_readers_language_and_keys_of_both(owner: Client, school: School) -> None:
    html = text_of(owner.get(f"/app/sessions/{school.start_session()}/"))
    data = data_of(html, "board-data")
    assert data["order"] == ["present", "late", "absent", "excused"]
    assert data["keys"] == {"p": "present", "l": "late", "a": "absent", "e": "excused"}
    assert 'data-zone="UTC"' in html


def test_a_name_cannot_leave_the_data_of_a_page(school: School) -> None:
    User.objects.filter(pk=school.student.pk).update(name="</script><script>alert(1)</script>")
    student = User.objects.get(pk=school.student.pk)
    assert "<script>alert" not in text_of(signed_in(student).get("/app/"))


def test_a_students_page_follows_the_classes_that_they_are_in(student: Client, school: School) -> None:
    data = data_of(text_of(student.get("/app/")), "mine-data")
    assert (data["me"], data["classes"]) == (school.student.id, [school.class_id])


def opened(school: School, mode: Mode = Mode.FIXED) -> tuple[Session, str]:
    """The lesson with its check-in open, and the code of now."""
    session = Session.objects.get(pk=school.start_session())
    check_in_open(session_id=session.id, options=CheckInOptions(mode=mode))
    return session, code_now(session, site="http://testserver").code


def test_the_projector_brings_the_code_along_while_the_check_in_is_open(owner: Client, school: School) -> None:
    path = f"/app/sessions/{school.start_session()}/project"
    assert data_of(text_of(owner.get(path)), "projector-data")["code"] is None
    session, code = opened(school, Mode.ROTATING)
    shown: Any = data_of(text_of(owner.get(path)), "projector-data")
    assert shown["code"]["code"] == code
    assert shown["code"]["validUntil"] > shown["serverTime"]
    assert shown["code"]["qr"].startswith("<svg")
    check_in_close(session_id=session.id)
    assert data_of(text_of(owner.get(path)), "projector-data")["code"] is None


@pytest.mark.parametrize(
    ("public", "shown"), [("", "testserver"), ("https://school.example.org", "school.example.org")]
)
def test_the_projector_says_where_a_code_is_typed(
    owner: Client, school: School, settings: Any, public: str, shown: str
) -> None:
    settings.PUBLIC_URL = public
    address = f"{shown}/app/check-in"
    assert f">{address}</p>" in text_of(owner.get(f"/app/sessions/{opened(school)[0].id}/project"))
    assert Client().get("/app/check-in", follow=True).redirect_chain == [("/app/check-in/", 302)]


def test_a_student_finds_the_field_for_a_typed_code_while_a_lesson_is_live(student: Client, school: School) -> None:
    link = 'href="/app/check-in/"'
    assert link not in text_of(student.get("/app/"))
    session_id = school.start_session()
    assert link in text_of(student.get("/app/"))
    session_end(session_id=session_id)
    assert link not in text_of(student.get("/app/"))


def test_a_scan_has_become_a_claim_before_the_phone_loads_anything_else(school: School) -> None:
    session, code = opened(school)
    page: Any = data_of(text_of(Client().get(f"/app/check-in/{session.id}?code={code}")), "check-in-data")
    assert (page["claim"]["className"], page["refused"]) == (session.class_ref.name, "")
    actor = actor_of(school.student)
    done = check_in_by_claim(actor=actor, claim=page["claim"]["claim"], where=Where(None, "a phone", None))
    assert done.status == Status.PRESENT


@pytest.mark.parametrize("path", ["{session}?code=nothing", "{session}?code=12345٦", "nowhere?code=123456"])
def test_a_scan_that_is_no_good_is_refused_in_words_on_its_page(school: School, path: str) -> None:
    session, _ = opened(school)
    answer = Client().get(f"/app/check-in/{path.format(session=session.id)}")
    page: Any = data_of(text_of(answer), "check-in-data")
    assert page["claim"] is None
    error = errors.WrongCode if "{session}" in path else errors.CheckInClosed
    assert page["refused"] == SENTENCES[error.code]


def test_a_teacher_who_tries_the_own_code_is_not_sent_to_their_teacher(owner: Client, school: School) -> None:
    page: Any = data_of(text_of(owner.get("/app/check-in/nowhere?code=123456")), "check-in-data")
    assert page["refused"] == "The check-in is not open."


def test_the_page_of_a_code_that_is_typed_has_neither(student: Client, school: School) -> None:
    page = data_of(text_of(student.get("/app/check-in/")), "check-in-data")
    assert (page["claim"], page["refused"]) == (None, "")
