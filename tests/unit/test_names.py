"""Names are compared and sorted as people expect."""

import pytest

from core.names import by_name, fold

IN_ORDER = ["Anna", "anna", "Émile", "Erik", "Łukasz", "Marta", "Øyvind", "Pia", "Zoë"]


def test_names_stand_in_the_order_in_which_people_look_for_them() -> None:
    keys = {name: f"{number:024x}" for number, name in enumerate(IN_ORDER)}
    assert sorted(set(IN_ORDER), key=lambda name: by_name(name, keys[name])) == IN_ORDER


def test_people_of_one_name_stand_in_the_order_of_their_ids() -> None:
    assert sorted([("Ann", "2"), ("ANN", "1"), ("An\u200bn", "3")], key=lambda one: by_name(*one)) == [
        ("ANN", "1"),
        ("Ann", "2"),
        ("An\u200bn", "3"),
    ]


@pytest.mark.parametrize(
    "text", ["", "Ann", "Åsa", "Weißgruber", "ﬁle", "ẞ", "İstanbul", "\u200b", "Ǆ", "مُحَمَّد", "ǲ\u0301", "K", "ΐ"]
)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
