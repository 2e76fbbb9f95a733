"""Secrets that stand on paper: of invitations and cards. Only their hashes are stored."""

import hashlib
import secrets

#: No letters that are mistaken for others on paper; each has 4.95 bits.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUP = 4


def secret_make(length: int) -> str:
    """A new secret of so many letters, in groups with hyphens between them."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(length))
    return "-".join(letters[start : start + _GROUP] for start in range(0, length, _GROUP))


def letters_of(text: str) -> str:
    """The letters of a secret in what somebody has typed, who may leave out the hyphens."""
    return "".join(letter for letter in text.lower() if letter in _LETTERS)


def secret_hash(kind: str, letters: str) -> str:
    """What is stored of a secret, by its letters. More than a hundred bits need no key."""
    return hashlib.sha256(f"{kind}:{letters}".encode()).hexdigest()
