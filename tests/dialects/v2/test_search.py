"""Students are found at `/api/v2/students/search`: by who may know whom."""

import pytest

from accounts.models import User
from tests.dialects.v2.rest import School, V2Rest, is_refused


def found(rest: V2Rest, who: User, text: str) -> list[str]:
    """The names that somebody finds."""
    return [one["name"] for one in rest.as_(who).get(f"/students/search?q={text}").data["items"]]


@pytest.mark.parametrize("text", ["stranger@example.com", "STRANGER@EXAMPLE.COM", "%20077%20"])
def test_a_teacher_finds_a_student_by_exact_address_or_roll_number(rest: V2Rest, school: School, text: str) -> None:
    User.objects.filter(pk=school.stranger.pk).update(roll_number="077", roll_number_key="077")
    assert found(rest, school.owner, text) == ["Stranger"]


@pytest.mark.parametrize("text", ["Stran", "stranger@", "07", "%25", "Owner@example.com"])
def test_a_teacher_finds_nobody_by_less_and_no_teacher(rest: V2Rest, school: School, text: str) -> None:
    User.objects.filter(pk=school.stranger.pk).update(roll_number="077", roll_number_key="077")
    assert found(rest, school.owner, text) == []


def test_the_office_finds_students_by_part_of_a_name_in_pages(rest: V2Rest, school: School) -> None:
    school.ben.name = "Bénédicte"
    school.ben.save()
    office = rest.as_(school.office)
    assert found(rest, school.office, "BENE") == ["Bénédicte"]
    assert found(rest, school.office, "1") == ["Ann"]
    first = office.get("/students/search?q=n&limit=2").data
    rest_of_them = office.get(f"/students/search?q=n&limit=2&after={first['next']}").data
    names = [one["name"] for one in (*first["items"], *rest_of_them["items"])]
    assert sorted(names) == ["Ann", "Bénédicte", "Stranger"]
    assert first["items"][0] == {"_id": school.ann.id, "name": "Ann", "email": "Ann@example.com", "rollNumber": "1"}


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20", "?q=%00", f"?q={'x' * 255}"])
def test_a_search_for_nothing_is_refused(rest: V2Rest, school: School, query: str) -> None:
    for who in (school.owner, school.office):
        is_refused(rest.as_(who).get(f"/students/search{query}"), 400, "invalid_schema")
