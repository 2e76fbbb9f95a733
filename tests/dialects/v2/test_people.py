"""Signing in, passwords and the profile of `/api/v2`."""

import pytest

from accounts.models import User
from accounts.passwords import hash_password
from core.times import now, to_iso
from tests.dialects.v2.rest import School, V2Rest, is_refused


@pytest.fixture
def ann(school: School) -> User:
    school.ann.password = hash_password("correct horse")
    school.ann.save()
    return school.ann


@pytest.mark.parametrize("login", ["Ann@example.com", "ANN@EXAMPLE.COM", "1"])
def test_a_person_signs_in_by_address_or_roll_number(rest: V2Rest, ann: User, login: str) -> None:
    data = rest.post("/auth/login", {"login": login, "password": "correct horse"}).data
    assert list(data) == ["token", "expiresAt", "user"]
    assert data["expiresAt"] > to_iso(now())
    assert data["user"] == {
        "_id": ann.id,
        "name": "Ann",
        "email": "Ann@example.com",
        "role": "student",
        "rollNumber": "1",
        "isOffice": False,
    }
    assert rest.get("/me", token=data["token"]).data == data["user"]


@pytest.mark.parametrize(("login", "password"), [("1", "wrong"), ("nobody@example.com", "correct horse"), ("9", "")])
def test_every_bad_sign_in_is_answered_alike(rest: V2Rest, ann: User, login: str, password: str) -> None:
    is_refused(rest.post("/auth/login", {"login": login, "password": password}), 400, "invalid_login")


def test_who_signs_up_chooses_a_good_password(rest: V2Rest) -> None:
    new = {"name": "New", "email": "new@example.com", "password": "secret1", "role": "teacher"}
    is_refused(rest.post("/auth/signup", new), 400, "weak_password")
    made = rest.post("/auth/signup", {**new, "password": "correct horse"})
    assert (made.status, made.data["role"]) == (201, "teacher")
    is_refused(rest.post("/auth/signup", {**new, "password": "correct horse"}), 400, "email_taken")


def test_a_password_is_changed_by_who_knows_the_old_one(rest: V2Rest, ann: User) -> None:
    token = rest.post("/auth/login", {"login": "1", "password": "correct horse"}).data["token"]
    is_refused(
        rest.post("/auth/password", {"old": "no", "new": "battery staple"}, token=token), 400, "invalid_password"
    )
    new = rest.post("/auth/password", {"old": "correct horse", "new": "battery staple"}, token=token).data["token"]
    is_refused(rest.get("/me", token=token), 401, "unauthorized")
    assert rest.get("/me", token=new).status == 200


def test_forgot_answers_alike_for_known_and_unknown(rest: V2Rest, ann: User) -> None:
    known, unknown = (rest.post("/auth/forgot", {"login": login}) for login in ("1", "nobody@example.com"))
    assert (known.status, known.body) == (unknown.status, unknown.body)


def test_a_person_renames_themself_unless_somebody_was_faster(rest: V2Rest, school: School) -> None:
    ann = rest.as_(school.ann)
    read = ann.get("/me").response["ETag"]
    assert ann.patch("/me", {"name": " Anna "}, **{"If-Match": read}).data["name"] == "Anna"
    is_refused(ann.patch("/me", {"name": "Ann"}, **{"If-Match": read}), 412, "changed")
    assert ann.patch("/me", {}).data["name"] == "Anna"


def test_who_has_read_the_profile_is_told_that_it_is_the_same(rest: V2Rest, school: School) -> None:
    ann = rest.as_(school.ann)
    read = ann.get("/me").response["ETag"]
    assert ann.get("/me", **{"If-None-Match": read}).status == 304


def test_unknown_routes_and_methods_are_answered_in_this_protocols_words(rest: V2Rest, school: School) -> None:
    is_refused(rest.get("/nothing"), 404, "not_found")
    is_refused(rest("PUT", "/classes"), 405, "method_not_allowed")
    assert rest("OPTIONS", "/classes").data == {"methods": ["GET", "POST", "OPTIONS"]}
    is_refused(rest.as_(school.owner).post("/classes", raw="{"), 400, "invalid_schema")
    is_refused(
        rest.as_(school.owner).post("/classes", raw="x", content_type="text/plain"), 415, "unsupported_media_type"
    )


def test_my_data_are_a_file_with_all_that_is_stored_of_me(rest: V2Rest, school: School) -> None:
    answer = rest.as_(school.ann).get("/me/data")
    assert answer.response["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.response["Cache-Control"] == "no-store"
    assert answer.data["parts"]["account"][0]["name"] == "Ann"
    assert [row["className"] for row in answer.data["parts"]["enrolments"]] == ["Physics"]
    assert {row["column"] for row in answer.data["withheld"]} >= {"password", "secret"}
