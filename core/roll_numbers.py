"""Roll numbers: the key that all spellings of one roll number share.

A roll number is kept as it was typed, and compared by its key: `CS-101` and `cs-101` are one.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import TypeVar

from core.characters import without_invisible

T = TypeVar("T")


def roll_number_key(roll_number: str | None) -> str | None:
    """The key of a roll number: NFC, trimmed, letter case folded, without invisible characters. None if none is left.

    The key of a key is the key itself. A compatibility character is a letter of its own here: `①` is not `1`.
    """
    text = unicodedata.normalize("NFC", without_invisible(roll_number or "").strip())
    while text != (folded := unicodedata.normalize("NFC", text.casefold())):
        text = folded
    return text or None


def by_roll_number(known: Mapping[str, T]) -> Callable[[str], T | None]:
    """Finds a value of `known` by its roll number in any spelling; the same spelling comes first."""
    keyed = {roll_number_key(roll_number): value for roll_number, value in known.items()}

    def find(typed: str) -> T | None:
        return known[typed] if typed in known else keyed.get(roll_number_key(typed))

    return find
