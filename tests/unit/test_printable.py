"""core.commands.printable: a file's text is shown, and steers no terminal."""

import pytest

from core.commands import printable


@pytest.mark.parametrize("name", ["Asha\xa0Rao", "علی\u200cرضا", "\u200fنام\u200e", "Jan\u2009Ä", "नाम\u200d"])
def test_a_name_is_shown_as_it_is(name: str) -> None:
    assert printable(name) == name


@pytest.mark.parametrize("letter", ["\x1b", "\r", "\n", "\0", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800"])
def test_what_steers_a_terminal_is_replaced(letter: str) -> None:
    assert printable(f"a{letter}b") == "a\N{REPLACEMENT CHARACTER}b"
