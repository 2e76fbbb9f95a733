"""Who sees what of the people in a class."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings

from core.identity import Actor, Role


def emails_hidden_from(reader: Actor | None) -> bool:
    """Whether `reader` sees no e-mail of others: with HIDE_EMAILS a student, and None, who is nobody in particular."""
    return settings.HIDE_EMAILS and (reader is None or reader.role is not Role.TEACHER)


def as_seen_by(
    reader: Actor | None, pages: Iterator[Sequence[Mapping[str, Any]]]
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """`pages` of people, with empty e-mails where they are hidden. The reader's own never is."""
    if not emails_hidden_from(reader):
        return pages
    own = reader.id if reader is not None else None
    return ([row if row["id"] == own else {**row, "email": ""} for row in page] for page in pages)
