"""What the teachers of a class choose for its board, its check-in and its reports, on the class's page."""

import re
from html import unescape
from typing import Any

import pytest

from attendance.check_in import Answer, CheckInOptions, Circle, Mode, Place
from attendance.class_settings import check_in_defaults
from classes.models import Class
from classes.services import class_settings_update
from tests.api.rest import School
from tests.support.http import Client
from tests.web.people import text_of, words_of
from web.forms.places import place_written

pytestmark = pytest.mark.django_db

BOARD = {"tap1": "present", "tap2": "late", "tap3": "absent", "tap4": "excused"}
CHECK_IN = {"mode": "fixed", "place": "", "radius": "100", "outside": "refuse", "same_device": "flag"}


@pytest.fixture
def path(school: School) -> str:
    return f"/app/classes/{school.class_id}/settings"


def seen(html: str, part: str) -> str:
    """The tag that a part's form carries."""
    found = re.search(rf'/settings/{part}".*?name="seen" value="([^"]*)"', html, re.DOTALL)
    assert found is not None
    return unescape(found[1])


def save(owner: Client, path: str, part: str, **fields: str) -> Any:
    """Sends the form of a part as a page that was opened just now has it, with these fields."""
    return owner.post(f"{path}/{part}", {"seen": seen(text_of(owner.get(path)), part), **fields})


def chosen() -> Class:
    return Class.objects.get()


def test_the_order_of_taps_is_chosen_and_shown(owner: Client, path: str) -> None:
    assert save(owner, path, "board", tap1="absent", tap2="", tap3="present").status_code == 302
    assert chosen().tap_order == "absent present"
    html = text_of(owner.get(path))
    assert "The settings are saved." in html
    assert re.findall(r'<option value="(\w*)" selected', html)[:4] == ["absent", "present", "", ""]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"tap2": "present"}, "This status has a tap already."),
        ({"tap1": ""}, "This field is required."),
        ({"tap3": "gone"}, "Select a valid choice."),
    ],
)
def test_an_order_that_cannot_be_is_said_beside_the_tap(
    owner: Client, path: str, fields: dict[str, str], said: str
) -> None:
    html = text_of(save(owner, path, "board", **BOARD | fields), 400)
    (name,) = fields
    assert said in unescape(html)
    assert re.search(rf'id="id_{name}_error"', html)
    assert chosen().tap_order == "present late absent excused"


def test_a_place_is_taken_as_maps_copy_it_with_metres_around_it(owner: Client, path: str) -> None:
    fields = CHECK_IN | {"place": " 48°51'30.24\"N 2°17'40.2\"E ", "radius": "80.5", "late_after_minutes": "10"}
    assert save(owner, path, "check-in", **fields).status_code == 302
    found = chosen()
    assert found.late_after_minutes == 10
    options = check_in_defaults(found)
    assert options is not None
    assert options.circle is not None
    assert place_written(options.circle.centre) == "48.8584, 2.2945"
    assert options == CheckInOptions(
        Mode.FIXED, Circle(options.circle.centre, 80.5), outside=Answer.REFUSE, same_device=Answer.FLAG
    )
    html = text_of(owner.get(path))
    for shown in ('value="48.8584, 2.2945"', 'value="80.5"', 'value="10"', 'value="fixed" selected'):
        assert shown in html
    save(owner, path, "check-in", **CHECK_IN)
    assert check_in_defaults(chosen()) == CheckInOptions(Mode.FIXED, same_device=Answer.FLAG)
    assert chosen().late_after_minutes is None


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("place", "in the yard", "Not a place. Write it as 48.8584, 2.2945"),
        ("place", "91, 2", "Not a place."),
        ("radius", "", "How far from the place may they be?"),
        ("radius", "0", "greater than or equal to 1"),
        ("radius", "nan", "Enter a number."),
        ("late_after_minutes", "601", "less than or equal to 600"),
        ("mode", "secret", "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(
    owner: Client, path: str, field: str, typed: str, said: str
) -> None:
    fields = CHECK_IN | {"place": "48.8584, 2.2945", "late_after_minutes": "5"} | {field: typed}
    html = text_of(save(owner, path, "check-in", **fields), 400)
    beside = re.search(rf'id="id_{field}_error">(.*?)</ul>', html, re.DOTALL)
    assert beside is not None
    assert said in unescape(beside[1])
    for name in {"place", "radius", "late_after_minutes"} - ({field} if not typed else set()):
        assert f'value="{fields[name]}"' in html
    assert chosen().check_in == ""


def test_networks_are_offered_where_the_school_has_set_some(owner: Client, path: str, settings: Any) -> None:
    assert 'name="networks"' not in text_of(owner.get(path))
    settings.CHECK_IN_NETWORKS = ["10.0.0.0/8"]
    save(owner, path, "check-in", **CHECK_IN, networks="on")
    options = check_in_defaults(chosen())
    assert options is not None
    assert options.checks_networks


def test_the_limit_of_reports_is_chosen(owner: Client, path: str) -> None:
    assert save(owner, path, "reports", threshold="80").status_code == 302
    assert chosen().threshold == 80
    text_of(save(owner, path, "reports", threshold="101"), 400)
    assert chosen().threshold == 80


def test_who_saves_late_sees_what_is_there_by_now_and_overrules_it_only_then(
    owner: Client, school: School, path: str
) -> None:
    old = seen(text_of(owner.get(path)), "check-in")
    theirs = CheckInOptions(Mode.FIXED, Circle(Place(48.8584, 2.2945), 80), same_device=Answer.FLAG)
    save(owner, path, "check-in", **CHECK_IN | {"place": "48.8584, 2.2945", "radius": "80"})
    mine = CHECK_IN | {"mode": "rotating", "place": "1, 2", "radius": "80", "late_after_minutes": "5"}
    html = text_of(owner.post(f"{path}/check-in", {"seen": old, **mine}), 412)
    words = words_of(unescape(html))
    assert "Somebody else has changed this meanwhile." in words
    for value in ("stays the same", "48.8584, 2.2945", "–"):
        assert f"By now it is: {value}. Save once more to have yours." in words
    assert words.count("By now it is") == 3
    assert 'value="1, 2"' in html
    assert check_in_defaults(chosen()) == theirs
    owner.post(f"{path}/check-in", {"seen": seen(html, "check-in"), **mine})
    options = check_in_defaults(chosen())
    assert options is not None
    assert options.circle == Circle(Place(1, 2), 80)


def test_what_changes_while_it_is_saved_is_not_overruled(
    owner: Client, school: School, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(**given: Any) -> Any:
        Class.objects.update(tap_order="late present")
        return class_settings_update(**given)

    monkeypatch.setattr("classes.services.class_settings_update", late)
    html = text_of(save(owner, path, "board", **BOARD), 412)
    assert "By now it is: Late." in unescape(html)
    assert chosen().tap_order == "late present"


def test_a_part_that_is_none_is_not_found(owner: Client, path: str) -> None:
    assert owner.post(f"{path}/else").status_code == 404
