"""Names of people and classes: how they are compared, found and listed."""

import unicodedata

from core.characters import without_invisible

#: Letters that are another one with a stroke, a ligature or the like, and that Unicode does not take apart. The Arabic
#: tatweel only makes a word longer.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ـ": ""}
)


def fold(text: str) -> str:
    """`text` without letter case, accents and characters that nobody sees, for comparing.

    Both forms of a letter with an accent fold alike. Folding twice changes nothing more.
    """
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", without_invisible(text)).casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).translate(_PLAIN)


def by_name(name: str, key: str) -> tuple[str, str]:
    """The sort key of whoever has this name and id: as people look for a name, and always the same.

    `Émile` stands before `Zoe`, and `anna` beside `Anna`; the id decides between those whose names fold alike.
    """
    return fold(name), key
