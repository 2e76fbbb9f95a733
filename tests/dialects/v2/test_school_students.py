"""`/api/v2/students`: the office makes students, with an e-mail or without one, and changes them."""

from typing import Any

import pytest

from accounts.codes import Purpose, issue
from accounts.models import OneTimeCode, Origin, User
from core.times import now
from tests.dialects.v2.rest import UNKNOWN_ID, School, V2Rest, is_refused


def test_a_student_is_made_by_roll_number_and_signs_in_with_it(rest: V2Rest, school: School) -> None:
    office = rest.as_(school.office)
    made = office.post("/students", {"name": " Mia ", "rollNumber": " 07 ", "password": "correct horse"})
    assert made.status == 201
    assert made.data == {"_id": made.data["_id"], "name": "Mia", "email": "", "rollNumber": "07"}
    signed_in = rest.post("/auth/login", {"login": "07", "password": "correct horse"}).data
    assert signed_in["user"]["email"] == ""
    mia = User.objects.get(pk=made.data["_id"])
    assert (mia.origin, mia.made_by_id) == (Origin.SCHOOL, school.office.id)
    noor = office.post("/students", {"name": "Noor", "rollNumber": "8"}).data
    assert User.objects.get(pk=noor["_id"]).awaits_registration


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "Mia"}, "invalid_schema"),
        ({"name": "Mia", "email": "", "rollNumber": ""}, "invalid_schema"),
        ({"name": "Mia", "rollNumber": "\u200b"}, "invalid_schema"),
        ({"name": "Mia", "email": "mia"}, "invalid_schema"),
        ({"name": " ", "rollNumber": "7"}, "invalid_schema"),
        ({"name": "\u200b", "rollNumber": "7"}, "invalid_schema"),
        ({"name": "Mia", "rollNumber": 7}, "invalid_schema"),
        ({"name": "Mia", "rollNumber": "7" * 65}, "invalid_schema"),
        ({"name": "Mia", "rollNumber": "1"}, "roll_number_taken"),
        ({"name": "Mia", "email": "ANN@example.com"}, "email_taken"),
        ({"name": "Mia", "rollNumber": "7", "password": "secret1"}, "weak_password"),
    ],
)
def test_a_student_who_cannot_be_is_refused_and_nobody_is_made(
    rest: V2Rest, school: School, body: dict[str, Any], code: str
) -> None:
    before = User.objects.count()
    is_refused(rest.as_(school.office).post("/students", body), 400, code)
    assert User.objects.count() == before


def test_the_same_request_of_one_key_makes_one_student(rest: V2Rest, school: School) -> None:
    office, body = rest.as_(school.office), {"name": "Mia", "rollNumber": "7"}
    first, again = (office.post("/students", body, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.body, first.response["ETag"]) == (again.body, again.response["ETag"])


def test_a_change_undoes_nobody_elses(rest: V2Rest, school: School) -> None:
    office, path = rest.as_(school.office), f"/students/{school.ann.id}"
    read = office.get(path).response["ETag"]
    changed = office.patch(path, {"rollNumber": "11"}, **{"If-Match": read})
    assert changed.data == {"_id": school.ann.id, "name": "Ann", "email": "Ann@example.com", "rollNumber": "11"}
    is_refused(office.patch(path, {"name": "Anna"}, **{"If-Match": read}), 412, "changed")
    assert office.patch(path, {"name": "Anna"}, **{"If-Match": changed.response["ETag"]}).data["name"] == "Anna"
    assert office.get(path).data["rollNumber"] == "11"


def test_another_address_is_the_schools_word_and_ends_the_codes_of_the_one_before(rest: V2Rest, school: School) -> None:
    school.ann.origin, school.ann.email_verified_at = Origin.SELF, now()
    school.ann.save()
    issue(user=school.ann, purpose=Purpose.RESET)
    office, path = rest.as_(school.office), f"/students/{school.ann.id}"
    office.patch(path, {"email": "ANN@example.com"})  # the same mailbox
    assert User.objects.get(pk=school.ann.id).is_proved
    assert office.patch(path, {"email": "ann@school.example"}).data["email"] == "ann@school.example"
    ann = User.objects.get(pk=school.ann.id)
    assert (ann.is_proved, ann.origin, OneTimeCode.objects.count()) == (False, Origin.SCHOOL, 0)
    assert office.patch(path, {"email": ""}).data["email"] == ""


def test_a_change_that_cannot_be_changes_nothing(rest: V2Rest, school: School) -> None:
    office, path = rest.as_(school.office), f"/students/{school.ann.id}"
    for body, code in [
        ({"email": "", "rollNumber": "", "name": "No"}, "invalid_schema"),
        ({"rollNumber": "2", "name": "No"}, "roll_number_taken"),
        ({"email": "Ben@Example.com", "name": "No"}, "email_taken"),
    ]:
        is_refused(office.patch(path, body), 400, code)
    assert office.get(path).data == {
        "_id": school.ann.id,
        "name": "Ann",
        "email": "Ann@example.com",
        "rollNumber": "1",
    }
    for unknown in (UNKNOWN_ID, school.owner.id, "no-id"):
        is_refused(office.patch(f"/students/{unknown}", {}), 404, "student_not_found")


def test_a_classs_students_are_shown_with_the_new_roll_number(rest: V2Rest, school: School) -> None:
    version = school.physics.roster_version
    rest.as_(school.office).patch(f"/students/{school.ann.id}", {"rollNumber": "11"})
    school.physics.refresh_from_db()
    assert school.physics.roster_version > version
