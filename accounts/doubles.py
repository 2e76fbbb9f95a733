"""Doubles: accounts older than the keys, whose e-mail or roll number is another account's in another spelling.

One account of each group has the key, and each other one has its own spelling in the key's place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import KEYED, User

_SAID = {"email": "e-mail", "roll_number": "roll number"}


@dataclass(frozen=True, slots=True)
class Doubles:
    """Accounts with one `key`, the oldest first; `column` is the column that they share."""

    column: str
    key: str
    users: Sequence[User]

    @property
    def what(self) -> str:
        return _SAID[self.column]

    def spelling(self, user: User) -> str:
        return str(getattr(user, self.column))


def doubles_find() -> list[Doubles]:
    """All doubles, those of e-mails first. Reads every account."""
    found: list[Doubles] = []
    for column, key_of in KEYED.items():
        by_key: dict[str, list[str]] = {}
        for user_id, typed in User.objects.order_by("id").values_list("id", column).iterator():
            key = key_of(typed) if typed else None
            if key is not None:
                by_key.setdefault(key, []).append(user_id)
        for key, ids in by_key.items():
            if len(ids) > 1:
                found.append(Doubles(column, key, list(User.objects.filter(pk__in=ids).order_by("id"))))
    return found
