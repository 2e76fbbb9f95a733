"""core.characters: texts of which nobody sees anything."""

import pytest
from django.core.exceptions import ValidationError

from core.characters import says_something


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\u00ad\u2060", "\u3164", " \ufeff\u00a0\u202e", "\U000e0041"])
def test_a_text_that_nobody_sees_is_as_good_as_none(text: str) -> None:
    with pytest.raises(ValidationError, match=r"This field is required\."):
        says_something(text)


@pytest.mark.parametrize("text", ["ill", " . ", "علی\u200cرضا", "👩‍🏫", "नाम\u200d", "\u200bx"])
def test_a_text_with_one_letter_that_is_seen_says_something(text: str) -> None:
    says_something(text)
