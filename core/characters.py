"""Characters that nobody sees. Two texts that differ in them alone look the same."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

#: Unicode's property Default_Ignorable_Code_Point, as far as the format characters (Cf) are not all of it.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def is_invisible(letter: str) -> bool:
    """Whether `letter` is a format character (a zero-width space, a soft hyphen, a direction mark), or one like it."""
    return unicodedata.category(letter) == "Cf" or bool(_IGNORABLE.match(letter))


def without_invisible(text: str) -> str:
    """`text` without the characters that nobody sees."""
    return text if text.isascii() else "".join(letter for letter in text if not is_invisible(letter))


def says_something(text: str) -> None:
    """A validator of fields: refuses a text of which nobody sees anything, as an empty one is refused."""
    if not without_invisible(text).strip():
        raise ValidationError(_("This field is required."), code="required")


def named(letter: str) -> str:
    """A character in words, for messages: `U+200B ZERO WIDTH SPACE`."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".rstrip()
