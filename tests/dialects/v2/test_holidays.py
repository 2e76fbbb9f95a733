"""Holidays of `/api/v2`: days without lessons, for the whole school."""

from datetime import UTC, datetime
from typing import Any

import pytest

from attendance.models import Session
from classes.models import Class, Holiday, Slot
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

EASTER = {"name": "Easter", "from": "2025-04-14", "until": "2025-04-25"}


@pytest.fixture
def office(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.office)


def test_the_office_adds_and_removes_holidays_and_everybody_sees_them_by_day(
    rest: V2Rest, office: Asking, school: School
) -> None:
    late = office.post("/holidays", {"name": " Summer ", "from": "2025-07-31", "until": "2025-09-12"}).data
    assert (late["name"], late["from"], late["until"]) == ("Summer", "2025-07-31", "2025-09-12")
    made = office.post("/holidays", EASTER)
    assert (made.status, made.data) == (201, {"_id": made.data["_id"], **EASTER})
    assert office.post("/holidays", EASTER).data == made.data  # once more is as once
    assert rest.as_(school.ann).get("/holidays").data == {"items": [made.data, late], "next": None}
    assert office.delete(f"/holidays/{late['_id']}").status == 204
    assert Holiday.objects.get().name == "Easter"
    for gone in (late["_id"], "nonsense"):
        is_refused(office.delete(f"/holidays/{gone}"), 404, "holiday_not_found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"until": "2025-04-13"}, "until"),
        ({"until": None}, "until"),
        ({"from": "2025-02-30"}, "from"),
        ({"from": "0025-04-14"}, "from"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
    ],
)
def test_bad_holidays_are_named(office: Asking, change: dict[str, Any], field: str) -> None:
    answer = office.post("/holidays", EASTER | change)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]
    assert not Holiday.objects.exists()


def test_a_holiday_has_no_lessons_but_for_one_that_was_held(rest: V2Rest, office: Asking, school: School) -> None:
    Slot.objects.create(class_ref=Class.objects.get(), weekday=1, start="09:00", end="10:00")
    office.post("/holidays", EASTER)
    owner = rest.as_(school.owner)

    def lessons(day: str) -> list[str | None]:
        return [lesson["session"] for lesson in owner.get(f"/lessons?day={day}").data["items"]]

    assert [lessons(day) for day in ("2025-04-07", "2025-04-14", "2025-04-21", "2025-04-28")] == [
        [None],
        [],
        [],
        [None],
    ]
    at = datetime(2025, 4, 14, 9, tzinfo=UTC)
    held = Session.objects.create(
        class_ref=school.physics, started_by=school.owner, started_at=at, ended_at=at, state="ended"
    )
    assert lessons("2025-04-14") == [held.id]
    assert owner.get(f"/classes/{school.class_id}/report").data["lessons"] == 1
