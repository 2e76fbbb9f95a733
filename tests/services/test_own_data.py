"""A person's own file has everything that is stored of them, and nobody else's secrets."""

import json
from typing import Any

import pytest

from accounts.models import User
from accounts.own_data import own_data
from audit.models import Action, Entry
from audit.trail import trail
from core import errors
from core.limits import OWN_DATA
from tests.services.personal import Known

pytestmark = pytest.mark.django_db


@pytest.fixture
def known() -> Known:
    return Known()


def parts(person: User) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(own_data(user_id=person.id))["parts"]
    return found


def test_a_students_file_has_the_account_records_marks_devices_excuses_and_what_others_did(known: Known) -> None:
    found = parts(known.zoltan)
    (account,) = found["account"]
    assert (account["name"], account["email"], account["rollNumber"]) == (
        known.zoltan.name,
        known.zoltan.email,
        "R-4711-X",
    )
    assert found["studentProfile"][0]["guardianEmail"] == "guardian-of-zoltan@example.com"
    assert [(row["status"], row["note"]) for row in found["marks"]] == [("late", ""), ("present", "the bus of Zoltan")]
    (record,) = found["records"]
    assert (record["className"], record["status"]) == ("Physics", "present")
    assert found["devices"][0]["device"] == "device-of-z"
    assert found["flags"][0]["metres"] == 340
    assert found["excuses"][0]["note"] == "Zoltan is at the doctor's"
    assert [row["way"] for row in found["actions"]] == ["password"]
    assert [row["way"] for row in found["actionsOfOthers"]] == ["GET student"]
    assert found["notices"][0]["kind"] == "absent.consecutive"


def test_a_file_has_no_others_and_nothing_that_opens_the_account(known: Known) -> None:
    file = own_data(user_id=known.zoltan.id).decode()
    for other in (known.classmate, known.xanthippe):
        assert other.name not in file
        assert other.email not in file
    User.objects.filter(pk=known.zoltan.id).update(password="a-hash-of-mine")
    assert "a-hash-of-mine" not in own_data(user_id=known.zoltan.id).decode()


def test_a_teachers_file_has_classes_places_and_decisions(known: Known) -> None:
    found = parts(known.xanthippe)
    assert [row["className"] for row in found["classesShared"]] == ["Physics"]
    assert found["checkInPlaces"][0]["latitude"] == 48.20849
    assert len(found["excusesDecided"]) == 2
    assert found["groups"] == [{"group": "Timetable"}]
    assert parts(known.owner)["classes"][0]["className"] == "Physics"


def test_a_person_gets_so_many_files_an_hour(known: Known) -> None:
    for _ in range(OWN_DATA.number):
        own_data(user_id=known.zoltan.id)
    with pytest.raises(errors.TooManyRequests):
        own_data(user_id=known.zoltan.id)
    own_data(user_id=known.owner.id)
    trail.flush()
    noted = Entry.objects.filter(action=Action.EXPORT, way="own data", actor=known.zoltan.id)
    assert sum(noted.values_list("times", flat=True)) == OWN_DATA.number
